"""What a Lambda function returned → the response that the client gets; refuses what no gateway would take."""

import base64
import json
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Decompress = Callable[[bytes], bytes]


class InvalidReplyError(ValueError):
    """A gateway would answer 500 or 502 in the place of this reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, list[str]]
    """Lower-case names; cookies are in "set-cookie", whatever way they travelled."""

    body: bytes
    """As the client gets it, decompressed."""

    raw: Mapping[str, Any]

    def header(self, name: str) -> str | None:
        return ",".join(self.headers[name]) if name in self.headers else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def reply_of(raw: Any, *, source: str) -> Reply:
    """Raise InvalidReplyError unless `raw` is what a gateway of `source` understands."""
    _check(isinstance(raw, dict), f"a reply is an object, not {raw!r:.60}")
    size = len(json.dumps(raw, ensure_ascii=False, allow_nan=False).encode())
    limit = 1_048_576 if source.startswith("alb") else 6_291_556
    _check(size <= limit, f"the reply has {size:,} bytes, {source} takes {limit:,}")
    status = raw.get("statusCode")
    _check(type(status) is int and 100 <= status <= 599, f"statusCode is {status!r}")
    _check(type(raw.get("isBase64Encoded", False)) is bool, "isBase64Encoded is not a boolean")
    _check(isinstance(raw.get("body", ""), str), "body is not text")
    headers = _headers(raw, source)
    return Reply(status=int(status), headers=headers, body=_body(raw, headers), raw=raw)


def _headers(raw: Mapping[str, Any], source: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    single, multi, cookies = raw.get("headers"), raw.get("multiValueHeaders"), raw.get("cookies")
    if source == "alb_multi":
        _check(isinstance(multi, dict), "a load balancer with multi-value headers reads multiValueHeaders only")
        single, cookies = None, None
    elif source == "alb_single":
        _check(isinstance(single, dict), "a load balancer without multi-value headers reads headers only")
        multi, cookies = None, None
    elif source == "rest_api":
        cookies = None
    else:
        multi = None
    for name, value in (single or {}).items():
        _check(isinstance(value, str), f"header {name} is {value!r}, not text")
        found.setdefault(name.lower(), []).append(value)
    for name, values in (multi or {}).items():
        _check(isinstance(values, list) and all(isinstance(v, str) for v in values), f"header {name} is {values!r}")
        found[name.lower()] = [*values]
    for cookie in cookies or []:
        _check(isinstance(cookie, str), f"cookie is {cookie!r}")
        found.setdefault("set-cookie", []).append(cookie)
    return found


def _body(raw: Mapping[str, Any], headers: Mapping[str, list[str]]) -> bytes:
    text = raw.get("body", "")
    body = base64.b64decode(text, validate=True) if raw.get("isBase64Encoded") else text.encode()
    encoding = "".join(headers.get("content-encoding", [])) if body else ""
    return _decompressor(encoding)(body)


def _decompressor(encoding: str) -> Decompress:
    if encoding == "gzip":
        return lambda body: zlib.decompress(body, wbits=31)
    if encoding == "br":
        import brotli

        return brotli.decompress
    if encoding == "zstd":
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd

        return zstd.decompress
    return lambda body: body


def _check(condition: bool, fault: str) -> None:
    if not condition:
        raise InvalidReplyError(fault)
