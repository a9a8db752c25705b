import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lambda_app.settings.deployed")
