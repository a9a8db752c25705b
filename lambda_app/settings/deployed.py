"""What Lambda changes: `serverless-django settings --diff` prints it."""

from lambda_app.settings.base import *  # noqa: F403
from serverless_django.settings import deployed

# A client that has come once never comes by plain HTTP again, for a year.
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True

deployed(globals())
