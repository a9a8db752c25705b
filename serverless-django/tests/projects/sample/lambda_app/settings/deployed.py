from lambda_app.settings.base import *  # noqa: F403
from serverless_django.settings import deployed

deployed(globals())
