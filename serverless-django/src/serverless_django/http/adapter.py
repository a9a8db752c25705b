"""Lambda event → ASGI application → Lambda response; a malformed event is answered, never raised.

Mangum translates, through its extension point for gateways.  Ours is how the application runs: on the main thread,
until a deadline, in its own context.  Where the deploy has put CloudFront in front, a request that did not pass it is
refused here, so that no project can leave the check out.
"""

import logging
from contextvars import copy_context
from http import HTTPStatus
from typing import Any, cast

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.utils.module_loading import import_string
from mangum import Mangum
from mangum.protocols import HTTPCycle
from mangum.protocols.http import HTTPCycleState
from mangum.types import ASGI, Response, Scope

from serverless_django.http.cloudfront_secret import CloudFrontSecret
from serverless_django.http.django_chain import DjangoChain
from serverless_django.http.event_loop import event_loop
from serverless_django.http.events import GATEWAYS, Gateway
from serverless_django.http.limits import MAX_BODY_BYTES, Buffer, ResponseTooLargeError, check_size
from serverless_django.http.problems import CONTENT_TYPE, RETRY_AFTER_SECONDS, problem_body
from serverless_django.http.request_timeout import RequestTimeout, RequestTimeoutError, disarm, seconds_left
from serverless_django.observability.correlation import request_id_of
from serverless_django.sources import is_request, wrong_source


class AsgiCycle:
    """Calls an application that is not Django's own, such as Django within an ASGI middleware."""

    def __init__(self, application: ASGI) -> None:
        self._application = application

    def __call__(self, scope: Scope, body: bytes) -> Response:
        """Serve one request.  Raise what the application raises."""
        cycle = _Cycle(scope, body)
        async_to_sync(cycle.run)(self._application)
        if cycle.state is not HTTPCycleState.COMPLETE:
            raise RuntimeError(f"the ASGI application returned in state {cycle.state.name}, without a whole response")
        return {"status": cycle.status, "headers": cycle.headers, "body": cycle.body}


class _Cycle(HTTPCycle):
    """Mangum's exchange of messages, less its answer to exceptions: what cuts a request short is one too."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        super().__init__(scope, body)
        self.buffer = Buffer()

    async def run(self, app: ASGI) -> None:
        await app(self.scope, self.receive, self.send)


logger = logging.getLogger(__name__)

MALFORMED = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading an event with missing or mistyped parts may raise."""

BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


def asgi_application() -> Any:
    """Return what the setting ASGI_APPLICATION names, or Django's own application."""
    if path := getattr(settings, "ASGI_APPLICATION", None):
        return import_string(path)
    return ASGIHandler()


class Translator(Mangum):
    """Mangum for its choice of a gateway, with gateways of ours."""

    def _setup_event_loop(self) -> None:
        """Leave the thread's event loop alone: there is none, and nothing here asks for one."""


class LambdaAdapter:
    """An ASGI application as a Lambda handler.

    Django is called in line, through its synchronous chain; any other ASGI application runs on
    the lasting event loop.  `base_path` is what the mapping of a custom domain leaves before each path.
    """

    def __init__(self, application: Any, *, base_path: str = "/") -> None:
        self._serve = DjangoChain() if isinstance(application, ASGIHandler) else AsgiCycle(application)
        self._translator = Translator(
            application, lifespan="off", api_gateway_base_path=base_path, custom_handlers=GATEWAYS
        )
        self._loop = event_loop()
        self._cloudfront_secret = CloudFrontSecret.of_environment()

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Return the gateway's form of the response.

        Raise WrongEventSourceError if `event` is of another source than HTTP.
        """
        if not is_request(event):
            raise wrong_source(event, wanted="api_gateway")
        if self._cloudfront_secret is not None and not self._cloudfront_secret.admits(event):
            return self._refuse_direct_request(self._gateway_of(event, context), self._cloudfront_secret)
        return self.answer(event, context)

    def answer(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Return the reply to the HTTP request of `event`; `context` is Lambda's."""
        gateway = self._gateway_of(event, context)
        try:
            reply = gateway(self._respond(gateway))
            check_size(reply, limit=gateway.max_reply_bytes)
        except ResponseTooLargeError as error:
            logger.error("%s", error)
            return gateway(_problem(gateway, HTTPStatus.INTERNAL_SERVER_ERROR, str(error)))
        except Exception:
            # Django has answered and logged what its views raise; this is what it lets through.
            logger.exception("the request failed outside of Django's own handling of errors")
            return gateway(_problem(gateway, HTTPStatus.INTERNAL_SERVER_ERROR))
        return reply

    def _gateway_of(self, event: dict[str, Any], context: Any) -> Gateway:
        return cast("Gateway", self._translator.infer(event, context))

    def _refuse_direct_request(self, gateway: Gateway, secret: CloudFrontSecret) -> dict[str, Any]:
        if secret.is_known:
            return gateway(_problem(gateway, HTTPStatus.FORBIDDEN, "the request did not come through CloudFront"))
        return gateway(_problem(gateway, HTTPStatus.SERVICE_UNAVAILABLE, retry_after=RETRY_AFTER_SECONDS))

    def _respond(self, gateway: Any) -> Response:
        try:
            scope, body = gateway.scope, gateway.body
        except MALFORMED as error:
            logger.warning("malformed HTTP event: %s", error, exc_info=True)
            return _problem(gateway, HTTPStatus.BAD_REQUEST, "the request could not be read")
        if len(body) > MAX_BODY_BYTES:
            fact = f"the body has {len(body):,} bytes, at most {MAX_BODY_BYTES:,} are taken; upload to S3 instead"
            return _problem(gateway, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, fact)
        response = self._respond_in_time(gateway, scope, body)
        return {**response, "body": b""} if _is_bodiless(scope, response) else response

    def _respond_in_time(self, gateway: Any, scope: Scope, body: bytes) -> Response:
        self._loop.adopt()
        try:
            with RequestTimeout(seconds_left(gateway.event, gateway.context)):
                # In its own context: what one request sets, the next must not see.
                return copy_context().run(self._serve, scope, body)
        except RequestTimeoutError:
            disarm()
            logger.exception("%s %s was given up: no time was left", scope["method"], scope["path"])
        self._give_up()
        return _problem(gateway, HTTPStatus.SERVICE_UNAVAILABLE, retry_after=RETRY_AFTER_SECONDS)

    def _give_up(self) -> None:
        """Leave nothing of the request behind: neither tasks, nor a connection that may wait for an answer."""
        self._loop.abandon()
        for connection in connections.all(initialized_only=True):
            connection.close()


def _is_bodiless(scope: Scope, response: Response) -> bool:
    return scope["method"] == "HEAD" or response["status"] in BODILESS


def _problem(gateway: Any, status: HTTPStatus, detail: str = "", *, retry_after: int = 0) -> Response:
    request_id = request_id_of(gateway.event, gateway.context)
    headers = [[b"content-type", CONTENT_TYPE.encode()], [b"x-request-id", request_id.encode()]]
    if retry_after:
        headers.append([b"retry-after", str(retry_after).encode()])
    body = problem_body(status, request_id, {"detail": detail} if detail else None)
    return {"status": int(status), "headers": headers, "body": body}
