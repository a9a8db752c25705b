"""Lambda event → ASGI application → Lambda response; a malformed event is answered, never raised."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.protocols import HTTPCycle
from mangum.types import LambdaHandler, Receive, Response, Scope, Send

from lambda_app.serverless.http.problems import CONTENT_TYPE, problem_body
from lambda_app.serverless.sources import source_of, wrong_source

logger = logging.getLogger(__name__)

MALFORMED = (AttributeError, KeyError, RuntimeError, TypeError, ValueError)
"""What Mangum raises over an event with missing or mistyped parts."""


class LambdaAdapter:
    """An ASGI application as a Lambda handler.

    Owns its event loop, because nobody else may close it, and one thread for synchronous
    code, because a database connection belongs to a thread: without it, Mangum and Django
    start a thread, and so open a connection, for each request.
    """

    def __init__(self, application: Callable[..., Coroutine[Any, Any, None]]) -> None:
        self.application = application
        self.loop = asyncio.new_event_loop()
        self._thread = ThreadSensitiveContext()
        asyncio.set_event_loop(self.loop)
        text = [*DEFAULT_TEXT_MIME_TYPES, CONTENT_TYPE]
        self._mangum = Mangum(application, lifespan="off", text_mime_types=text)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Return the gateway's form of the response.

        Raise WrongEventSourceError if `event` is of another source than HTTP.
        """
        if source_of(event) != "api_gateway":
            raise wrong_source(event, wanted="api_gateway")
        try:
            gateway = self._mangum.infer(event, context)
            cycle = HTTPCycle(gateway.scope, gateway.body)
        except MALFORMED:
            logger.warning("malformed HTTP event", exc_info=True)
            return _problem(HTTPStatus.BAD_REQUEST, event, "the request could not be read")
        # Again for each request: asyncio.run(), called anywhere, takes the current loop away.
        asyncio.set_event_loop(self.loop)
        return _reply(gateway, cycle(self._run), event)

    def close(self) -> None:
        """Close the database connections of the thread that requests run on."""
        self.loop.run_until_complete(self._close())

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Entered by each request and left by none: the variable ends with the request's task, the thread stays.
        await self._thread.__aenter__()  # type: ignore[no-untyped-call]
        await self.application(scope, receive, send)

    async def _close(self) -> None:
        await self._thread.__aenter__()  # type: ignore[no-untyped-call]
        await sync_to_async(connections.close_all)()


def _reply(gateway: LambdaHandler, response: Response, event: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return gateway(response)
    except UnicodeError:
        logger.exception("the response cannot be sent through the gateway")
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, event)


def _problem(status: int, event: Mapping[str, Any], detail: str = "") -> dict[str, Any]:
    request_id = str(event["requestContext"].get("requestId", ""))
    return {
        "statusCode": int(status),
        "headers": {"content-type": CONTENT_TYPE, "x-request-id": request_id},
        "body": problem_body(status, request_id, {"detail": detail} if detail else None).decode(),
        "isBase64Encoded": False,
    }
