"""API Gateway request → Django → API Gateway response."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from serverless_django.http.adapter import LambdaAdapter, asgi_application
from serverless_django.observability.invocations import observed
from serverless_django.warmup import prime_http, start_django

start_django()
respond = LambdaAdapter(asgi_application())
prime_http(respond.answer)


@observed("api_gateway")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the HTTP request of `event`, in any format of API Gateway, a load balancer or a function URL."""
    return respond(event, context)
