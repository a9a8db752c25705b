"""TLS in front of a PostgreSQL or a Valkey that has none: what AWS's endpoints speak, piped to a private socket."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from serverless_django.local.tls import ServerCertificate

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""The first eight bytes of a client that wants TLS (PostgreSQL protocol, "SSLRequest")."""

CHUNK_BYTES = 65_536


@dataclass
class TlsGate:
    """Listens on `address`:`port`, ends TLS there and passes every byte to `target`."""

    address: str
    port: int
    target: Path | int
    """A Unix socket, or a port of 127.0.0.1."""

    certificate: ServerCertificate
    waits_for_request: bool = True
    """PostgreSQL's clients ask for TLS before it begins; Valkey's begin with it."""

    _server: asyncio.Server | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def start(self) -> None:
        """Raise OSError if the address is taken."""
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        context = None if self.waits_for_request else self._context
        self._server = await asyncio.start_server(self._serve, self.address, self.port, ssl=context)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._pass(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.waits_for_request:
            if await reader.readexactly(8) != SSL_REQUEST:
                return  # as an RDS endpoint with rds.force_ssl: no TLS, no answer
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(self._context)
        server_reader, server_writer = await self._connect()
        try:
            await asyncio.gather(_pipe(reader, server_writer), _pipe(server_reader, writer))
        finally:
            server_writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, int):
            return await asyncio.open_connection("127.0.0.1", self.target)
        return await asyncio.open_unix_connection(self.target)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    writer.close()
