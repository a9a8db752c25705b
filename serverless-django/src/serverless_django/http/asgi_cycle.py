"""ASGI scope and body → any ASGI application, on the lasting event loop → response."""

from asgiref.sync import async_to_sync
from mangum.protocols import HTTPCycle
from mangum.protocols.http import HTTPCycleState
from mangum.types import ASGI, Response, Scope

from serverless_django.http.limits import Buffer


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
