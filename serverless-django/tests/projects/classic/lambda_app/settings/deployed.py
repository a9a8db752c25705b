from serverless_django.settings import deployed

from lambda_app.settings.base import *  # noqa: F403

deployed(globals())
