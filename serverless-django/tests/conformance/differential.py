"""Random requests, as their client sends them to uvicorn, and as each gateway hands them to the adapter."""

import contextlib
import http.client
import json
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.conformance.cases import Handle
from tests.conformance.replies import reply_of
from tests.conformance.sources import SOURCES
from tests.conformance.wire import HOST, WireRequest
from tests.interleaved import clean_environment
from tests.paths import LIBRARY

type Ask = Callable[[WireRequest], Mapping[str, Any]]

ORACLE_SETTINGS = ("ROOT_URLCONF", "ALLOWED_HOSTS", "MIDDLEWARE", "DATA_UPLOAD_MAX_MEMORY_SIZE")

COMPARED = ("method", "path_info", "query", "cookies", "body", "form")

ADDED = {"host", "connection", "content-length", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}
"""Headers that a gateway or the client itself adds."""

ALPHABET = [
    *"abcXYZ019-._~!$'()*,;:@",
    "%20",
    "%25",
    "%2B",
    "+",
    "%C3%A9",
    "%CE%BB",
    "%F0%9F%8E%88",
    "%61",
    "%2561",
    "%2e",
]
IN_PATHS = [*ALPHABET, "/", "%2F", "%252F"]
IN_QUERIES = [*ALPHABET, "%26", "%3D", "%23", "%00", "%FF", "%0A", "/", "?"]
IN_VALUES = [*"abcXYZ019 -._~!$'()*,:@/=?&%+<>[]{}|\"", "é", "ß", "\xa0"]


def wire_requests(count: int, *, seed: int) -> Iterator[WireRequest]:
    """Return `count` requests that a browser or an attacker could send; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield _wire_request(chance)


def mismatches(request: WireRequest, ask: Ask, handle: Handle) -> list[str]:
    """Return what Django saw otherwise than behind uvicorn, by gateway."""
    expected = _comparable(ask(request))
    found = []
    for source in carriers(request):
        reply = reply_of(handle(SOURCES[source](request)), source=source)
        seen = _comparable(reply.json) if reply.status == 200 else {"status": reply.status}
        if seen != expected:
            different = {key: (seen.get(key), value) for key, value in expected.items() if seen.get(key) != value}
            found.append(f"{source} {request}: (seen, expected) {different or seen}")
    return found


def carriers(request: WireRequest) -> list[str]:
    """Return the gateways that hand over all of `request`."""
    # A load balancer without multi-value headers keeps the last of what is repeated; no adapter can mend that.
    return [source for source in SOURCES if source != "alb_single" or not _repeats(request)]


@contextlib.contextmanager
def oracle() -> Iterator[Ask]:
    """Serve the same Django under uvicorn, in its own process."""
    variables = clean_environment() | {"DJANGO_SETTINGS_MODULE": "tests.conformance.settings"}
    listener = socket.create_server(("127.0.0.1", 0))
    options = ["--fd", str(listener.fileno()), "--log-level", "warning", "--lifespan", "off", "--http", "h11"]
    command = [sys.executable, "-m", "uvicorn", "tests.conformance.asgi:application", *options]
    process = subprocess.Popen(command, env=variables, cwd=LIBRARY, pass_fds=[listener.fileno()])
    connection = http.client.HTTPConnection(*listener.getsockname(), timeout=60)
    try:
        yield lambda request: _ask(connection, request)
    finally:
        connection.close()
        listener.close()
        process.terminate()
        process.wait(10)


def _ask(connection: http.client.HTTPConnection, request: WireRequest) -> Mapping[str, Any]:
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in [("Host", HOST), *request.headers]:
        connection.putheader(name, value.encode("latin-1"))
    if request.body:
        connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body or None)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise AssertionError(f"uvicorn answers {response.status} to {request}: {body[:200]!r}")
    seen: Mapping[str, Any] = json.loads(body)
    return seen


def _comparable(seen: Mapping[str, Any]) -> dict[str, Any]:
    headers = {name: value for name, value in seen["headers"].items() if name not in ADDED and value}
    return {key: seen[key] for key in COMPARED} | {"headers": headers}


def _repeats(request: WireRequest) -> bool:
    names = [name.lower() for name, _ in request.headers]
    keys = [part.partition("=")[0] for part in request.query.split("&")]
    return len(set(names)) < len(names) or len(set(keys)) < len(keys)


def _wire_request(chance: random.Random) -> WireRequest:
    method = chance.choice(["GET", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    content_type, body = _body(chance) if method in ("POST", "PUT", "PATCH") else ("", b"")
    headers = [*_headers(chance), *([("Content-Type", content_type)] if content_type else [])]
    chance.shuffle(headers)
    path = "/echo/" + _text(chance, IN_PATHS, 12)
    return WireRequest(method=method, path=path, query=_query(chance), headers=headers, body=body)


def _text(chance: random.Random, alphabet: list[str], length: int) -> str:
    return "".join(chance.choices(alphabet, k=chance.randint(0, length)))


def _query(chance: random.Random) -> str:
    pairs = [(_text(chance, IN_QUERIES, 4), _text(chance, IN_QUERIES, 8)) for _ in range(chance.randint(0, 4))]
    # Without a name there is nothing that a mapping could be keyed by.
    return "&".join(f"a{name}={value}" if chance.random() < 0.9 else f"a{name}" for name, value in pairs)


def _headers(chance: random.Random) -> list[tuple[str, str]]:
    names = ["X-One", "x-two", "X-THREE", "Accept", "If-Modified-Since", "Authorization", "X_Under", "Referer"]
    chosen = chance.sample(names, chance.randint(0, 5))
    headers = [(name, _text(chance, IN_VALUES, 20).strip(" \xa0")) for name in chosen]
    if chance.random() < 0.3:
        headers += [("X-Again", "1"), ("X-Again", "2")]
    cookies = [f"c{n}={_text(chance, list('abc019=-._'), 8)}" for n in range(chance.randint(0, 4))]
    return [*headers, *([("Cookie", "; ".join(cookies))] if cookies else [])]


def _body(chance: random.Random) -> tuple[str, bytes]:
    kind = chance.choice(["application/json", "text/plain", "application/octet-stream", "form", "gzip-like", ""])
    if kind == "form":
        return "application/x-www-form-urlencoded", _query(chance).replace("%FF", "").encode()
    if kind in ("application/json", "text/plain"):
        return kind, json.dumps({"a": _text(chance, IN_VALUES, 30)}, ensure_ascii=False).encode()
    return kind and "application/octet-stream", chance.randbytes(chance.randint(0, 200)) if kind else b""
