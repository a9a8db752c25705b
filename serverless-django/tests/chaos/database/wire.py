"""A stretch of network between a client and a server that can be led elsewhere, or swallow what it is given."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Self

CHUNK_BYTES = 65_536


class Loop:
    """An event loop on its own thread.  Use as a context manager."""

    def __enter__(self) -> Self:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)


@dataclass
class Wire:
    """Listens on `host`:`port` and passes everything to `target`."""

    host: str
    port: int
    target: tuple[str, int]
    """Of connections from now on."""

    is_swallowing: bool = False
    """Connections are taken, bytes are acknowledged, and nothing goes through."""

    _lost_before: int = 0
    _connections: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lose(self) -> None:
        """Drop, from now on and without closing them, what comes over the open connections; serve new ones."""
        self._lost_before = self._connections

    def drop(self) -> None:
        """Close every connection, and return when it is done."""
        for task in self._tasks.copy():
            task.get_loop().call_soon_threadsafe(task.cancel)
        while self._tasks:
            time.sleep(0.001)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._connect(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_swallowing:
            while await reader.read(CHUNK_BYTES):
                pass
            return
        self._connections += 1
        server_reader, server_writer = await asyncio.open_connection(*self.target)
        try:
            pipes = [
                asyncio.create_task(self._pipe(reader, server_writer, self._connections)),
                asyncio.create_task(self._pipe(server_reader, writer, self._connections)),
            ]
            try:
                await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pipe in pipes:
                    pipe.cancel()
                await asyncio.gather(*pipes, return_exceptions=True)
        finally:
            server_writer.close()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        is_lost = False
        while data := await reader.read(CHUNK_BYTES):
            is_lost = is_lost or self.is_swallowing or number <= self._lost_before
            if not is_lost:
                writer.write(data)
                await writer.drain()
