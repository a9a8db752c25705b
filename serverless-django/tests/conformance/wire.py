"""A request as it is on the wire, before any gateway has touched it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

HOST = "api.example.com"
CLIENT = "203.0.113.9"


@dataclass(frozen=True, slots=True)
class WireRequest:
    method: str = "GET"
    path: str = "/echo"
    """Percent-encoded."""

    query: str = ""
    """Percent-encoded, without the "?"."""

    headers: Sequence[tuple[str, str]] = ()
    """In order, in any case, repeated or not; values as latin-1 reads them."""

    body: bytes = b""

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def query_pairs(self) -> list[tuple[str, str]]:
        """Decoded."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def content_type(self) -> str:
        return next((value for name, value in self.headers if name.lower() == "content-type"), "")

    def raw(self) -> bytes:
        """Return the bytes that a client would send for it."""
        own = [("Host", HOST), ("Connection", "close"), *self.headers]
        if self.body:
            own.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in own)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body
