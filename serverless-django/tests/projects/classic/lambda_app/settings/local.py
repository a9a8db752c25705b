from serverless_django.settings import local

from lambda_app.settings.base import *  # noqa: F403

local(globals())
