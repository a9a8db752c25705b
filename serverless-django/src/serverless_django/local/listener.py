"""Serves an ASGI application on 127.0.0.1, inside the launcher's event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn

from serverless_django.local.port_guard import Application, Guarded


class _Server(uvicorn.Server):
    """Leaves the signals to the launcher, whose loop it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(application: Application, *, port: int) -> AsyncIterator[str]:
    """Serve `application` while the context lasts, on `port` or the next free one.  Yield its address.

    Requests that pages of other sites send do not reach it.
    """
    listener = bind(port)
    config = uvicorn.Config(
        Guarded(application),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        # The socket listens already: who connects before the server is up, waits.
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def bind(port: int, *, attempts: int = 20) -> socket.socket:
    """Listen on 127.0.0.1 at `port`, or at the first free one of the `attempts` ports from it; 0 takes any."""
    for candidate in range(port, port + attempts) if port else [0]:
        # The protocol by name: asyncio turns Nagle's algorithm off (40 ms a reply) only where it reads TCP.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
            listener.listen()
        except OSError:
            listener.close()
        else:
            return listener
    raise OSError(
        f"ports {port} to {port + attempts - 1} of 127.0.0.1 are all taken; end a server or pass another port"
    )
