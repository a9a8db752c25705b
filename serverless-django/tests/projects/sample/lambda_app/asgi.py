"""The ASGI application, for any ASGI server."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lambda_app.settings.deployed")
application = get_asgi_application()
