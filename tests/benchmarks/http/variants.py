"""Every way from an event of API Gateway to Django and back that is compared; each runs in its own process."""

import contextlib
import io
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import ModuleType
from typing import Any

type Event = dict[str, Any]
type Reply = Mapping[str, Any]


class Context:
    """What Lambda passes beside the event, as far as any of them looks at it."""

    function_name = "api"
    function_version = "1"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:api:live"
    memory_limit_in_mb = 1769
    aws_request_id = "8f5d2a3c-1f0e-4d7b-9f43-0a6c9d1f7e21"
    log_group_name = log_stream_name = "api"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 30_000


CONTEXT = Context()


@dataclass(frozen=True, slots=True)
class Variant:
    """`call` is measured; `prepare` makes what it is called with from an event, outside of the measurement."""

    call: Callable[[Any], Reply]
    prepare: Callable[[Event], Any] = lambda event: event


def ours() -> Variant:
    from django.core.handlers.asgi import ASGIHandler

    from serverless_django.http.adapter import LambdaAdapter

    adapter = LambdaAdapter(ASGIHandler())
    return Variant(lambda event: adapter(event, CONTEXT))


STOCK_MIDDLEWARE = [
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.common.CommonMiddleware",
    # The feed asks who is there.
    "serverless_django.http.middleware.ClaimsMiddleware",
]
"""What Django itself ships of what is deployed: a stock project has nothing of ours, which runs in line."""


def stock() -> Variant:
    """Mangum and Django as their documentation puts them together, less the lifespan that Django does not know."""
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from mangum import Mangum

    settings.MIDDLEWARE = STOCK_MIDDLEWARE
    handler = Mangum(get_asgi_application(), lifespan="off")
    return Variant(lambda event: handler(event, CONTEXT))


def apig_wsgi() -> Variant:
    from apig_wsgi import make_lambda_handler

    handler = make_lambda_handler(_wsgi("apig_wsgi.full_event"))
    return Variant(lambda event: handler(event, CONTEXT))


def serverless_wsgi() -> Variant:
    import serverless_wsgi as adapter

    application = _wsgi("serverless.event")
    return Variant(lambda event: adapter.handle_request(application, event, CONTEXT))


def zappa() -> Variant:
    sys.modules["zappa_settings"] = _module("zappa_settings", **ZAPPA_SETTINGS)
    sys.modules["zappa_application"] = _module("zappa_application", application=_wsgi("lambda.event"))
    # It prints as it starts and logs every request; neither is what we compare.
    with contextlib.redirect_stdout(io.StringIO()):
        from zappa.handler import LambdaHandler

        handler = LambdaHandler(settings_name="zappa_settings")
    for name in ("", "zappa", "zappa.handler", "zappa.wsgi"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return Variant(lambda event: handler.handler(event, CONTEXT))


def get_response() -> Variant:
    """The limit of any adapter: Django is handed a request, and its response is left as it is."""
    from django.core.handlers.base import BaseHandler

    handler = BaseHandler()
    handler.load_middleware(is_async=False)
    return Variant(lambda request: _reply(handler.get_response(request)), _request)


def view() -> Variant:
    """The limit of any framework: the function alone, with a request that the middleware has seen."""
    from django.urls import resolve

    def prepare(event: Event) -> Any:
        request = _request(event)
        request.claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
        return request, resolve(request.path)

    def call(prepared: Any) -> Reply:
        request, match = prepared
        return _reply(match.func(request, *match.args, **match.kwargs))

    return Variant(call, prepare)


VARIANTS: Mapping[str, Callable[[], Variant]] = {
    "ours": ours,
    "stock": stock,
    "apig-wsgi": apig_wsgi,
    "serverless-wsgi": serverless_wsgi,
    "zappa": zappa,
    "get_response": get_response,
    "view": view,
}

LIMITS = ("get_response", "view")
"""What does not take an event and so is nothing that could be deployed."""

ZAPPA_SETTINGS = {
    **dict.fromkeys(("LOG_LEVEL", "DJANGO_SETTINGS", "DOMAIN", "BASE_PATH", "EXCEPTION_HANDLER", "REMOTE_ENV")),
    **dict.fromkeys(("ASYNC_RESPONSE_TABLE", "AUTHORIZER_FUNCTION", "COMMAND_FUNCTION")),
    **{name: {} for name in ("ENVIRONMENT_VARIABLES", "CONTEXT_HEADER_MAPPINGS", "AWS_EVENT_MAPPING")},
    **{name: {} for name in ("AWS_BOT_EVENT_MAPPING", "COGNITO_TRIGGER_MAPPING")},
    "PROJECT_NAME": "benchmark",
    "API_STAGE": "$default",
    "DEBUG": False,
    "BINARY_SUPPORT": True,
    "APP_MODULE": "zappa_application",
    "APP_FUNCTION": "application",
    "APP_TYPE": "wsgi",
}


def _wsgi(event_key: str) -> Callable[..., Any]:
    """Return Django behind WSGI, told where this adapter puts the event: the feed reads its claims from there."""
    from django.core.wsgi import get_wsgi_application

    django = get_wsgi_application()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        environ["aws.event"] = environ[event_key]
        return django(environ, start_response)

    return application


def _request(event: Event) -> Any:
    from django.core.handlers.asgi import ASGIRequest
    from mangum import Mangum

    gateway = Mangum(_wsgi, lifespan="off").infer(event, CONTEXT)
    return ASGIRequest(gateway.scope, BytesIO(gateway.body))


def _reply(response: Any) -> Reply:
    return {"statusCode": response.status_code, "body": response.content.decode()}


def _module(name: str, **values: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(values)
    return module
