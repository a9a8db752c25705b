"""Lambda entry points.  What is added here runs before Django starts: an APM agent, for example."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lambda_app.settings.deployed")
