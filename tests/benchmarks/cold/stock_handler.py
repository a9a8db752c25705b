"""The same project as its frameworks' documentation deploys it: Mangum around Django's ASGI application."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "lambda_app.settings.deployed"

from aws_lambda_powertools import Logger
from django.core.asgi import get_asgi_application
from mangum import Mangum

logger = Logger()
respond = Mangum(get_asgi_application(), lifespan="off")


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
def handler(event, context):
    return respond(event, context)
