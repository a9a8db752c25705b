"""`python -m tests.conformance.variants NAME`: one adapter in its own process → every case's fault, as JSON.

In its own process, because Zappa's handler and Mangum's loop are global.
"""

import contextlib
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from tests.conformance import requests, responses
from tests.conformance.cases import Handle, fault_of

CASES = [*requests.CASES, *responses.CASES]


class Context:
    """What Lambda passes beside the event, as far as any adapter looks at it."""

    function_name = "function"
    function_version = "1"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:function:live"
    memory_limit_in_mb = 512
    aws_request_id = "8f5d2a3c-1f0e-4d7b-9f43-0a6c9d1f7e21"
    log_group_name = log_stream_name = "function"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def ours(base_path: str) -> Handle:
    from django.core.handlers.asgi import ASGIHandler

    from serverless_django.http.adapter import LambdaAdapter

    adapter = LambdaAdapter(ASGIHandler(), base_path=base_path)
    return lambda event: adapter(event, Context())


def mangum(base_path: str) -> Handle:
    from django.core.asgi import get_asgi_application
    from mangum import Mangum

    handler = Mangum(get_asgi_application(), lifespan="off", api_gateway_base_path=base_path)
    return lambda event: handler(event, Context())


def apig_wsgi(base_path: str) -> Handle:
    from apig_wsgi import make_lambda_handler
    from django.core.wsgi import get_wsgi_application

    handler = make_lambda_handler(get_wsgi_application(), binary_support=True)
    return lambda event: handler(event, Context())


def serverless_wsgi(base_path: str) -> Handle:
    import serverless_wsgi as adapter
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def handle(event: Any) -> Any:
        os.environ["API_GATEWAY_BASE_PATH"] = base_path.strip("/")
        return adapter.handle_request(application, event, Context())

    return handle


def zappa(base_path: str) -> Handle:
    from django.core.wsgi import get_wsgi_application

    settings = ModuleType("zappa_settings")
    vars(settings).update(ZAPPA_SETTINGS | {"BASE_PATH": base_path.strip("/") or None})
    application = ModuleType("zappa_application")
    vars(application).update(application=get_wsgi_application())
    sys.modules |= {"zappa_settings": settings, "zappa_application": application}
    with contextlib.redirect_stdout(io.StringIO()):
        from zappa.handler import LambdaHandler

        LambdaHandler._LambdaHandler__instance = None
        LambdaHandler.settings = LambdaHandler.wsgi_app = LambdaHandler.trailing_slash = None
        handler = LambdaHandler(settings_name="zappa_settings")
    return lambda event: handler.handler(event, Context())


VARIANTS: Mapping[str, Callable[[str], Handle]] = {
    "ours": ours,
    "Mangum": mangum,
    "apig-wsgi": apig_wsgi,
    "serverless-wsgi": serverless_wsgi,
    "Zappa": zappa,
}

ZAPPA_SETTINGS = {
    **dict.fromkeys(("LOG_LEVEL", "DJANGO_SETTINGS", "DOMAIN", "EXCEPTION_HANDLER", "REMOTE_ENV")),
    **dict.fromkeys(("ASYNC_RESPONSE_TABLE", "AUTHORIZER_FUNCTION", "COMMAND_FUNCTION")),
    **{name: {} for name in ("ENVIRONMENT_VARIABLES", "CONTEXT_HEADER_MAPPINGS", "AWS_EVENT_MAPPING")},
    **{name: {} for name in ("AWS_BOT_EVENT_MAPPING", "COGNITO_TRIGGER_MAPPING")},
    "PROJECT_NAME": "conformance",
    "API_STAGE": "prod",
    "DEBUG": False,
    "BINARY_SUPPORT": True,
    "APP_MODULE": "zappa_application",
    "APP_FUNCTION": "application",
    "APP_TYPE": "wsgi",
}


def main() -> None:
    import django

    django.setup()
    make = cache(VARIANTS[sys.argv[1]])
    # Some print, and all log what they fail at; the result alone may go to the standard output.
    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stdout(sys.stderr):
        faults = {case.id: fault_of(case, make(case.base_path)) for case in CASES}
    print(json.dumps(faults))


if __name__ == "__main__":
    main()
