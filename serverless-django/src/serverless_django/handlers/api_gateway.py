"""API Gateway request → Django → API Gateway response."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_app.asgi import application
from serverless_django.http.adapter import LambdaAdapter
from serverless_django.observability.invocations import observed
from serverless_django.priming import prime_http

respond = LambdaAdapter(application)
prime_http(respond.answer)


@observed("api_gateway")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return respond(event, context)
