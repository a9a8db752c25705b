"""A hundred requests that no client should send, each by what is wrong with it.

A member with a valid token sends them: what is refused is the input, not the caller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import uuid4

UNKNOWN = "01890000-0000-7000-8000-000000000000"
ALLOWED = (400, 404, 405, 409, 413, 415, 422)
"""Whose fault it is must be plain: 4xx, never 5xx, and never a success."""


@dataclass(frozen=True, slots=True)
class BadInput:
    name: str
    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def bad_inputs() -> Iterator[BadInput]:
    yield from _bodies("/v1/posts", POSTS)
    yield from _bodies("/v1/views", VIEWS)
    yield from _bodies("/v1/photos", PHOTOS)
    for name, body in RAW.items():
        for path in ("/v1/posts", "/v1/views"):
            yield BadInput(f"{path}, raw: {name}", "POST", path, body=body)
    for name, query in QUERIES.items():
        yield BadInput(f"page: {name}", "GET", "/v1/posts", query=query)
    for name, text in SEGMENTS.items():
        yield BadInput(f"post: {name}", "GET", f"/v1/posts/{quote(text, safe='')}")
        yield BadInput(f"photo: {name}", "GET", f"/v1/photos/{quote(text, safe='')}")
        yield BadInput(f"member: {name}", "PUT", f"/v1/members/{quote(text, safe='')}/follow")
    for name, headers in HEADERS.items():
        yield BadInput(f"header: {name}", "POST", "/v1/posts", body=b"{}", headers=headers)
    for name, path in PATHS.items():
        yield BadInput(f"path: {name}", "GET", path)


def _bodies(path: str, bodies: Mapping[str, str]) -> Iterator[BadInput]:
    for name, body in bodies.items():
        yield BadInput(f"{path}: {name}", "POST", path, body=body.encode("utf-8", "surrogatepass"))


def _post(caption: str) -> str:
    return f'{{"photo_id": "{uuid4()}", "caption": {caption}}}'


def _view(fields: str) -> str:
    return f'{{"views": [{{"post_id": "{UNKNOWN}", {fields}}}]}}'


POSTS = {
    "NUL in a caption": _post('"a\\u0000b"'),
    "half a surrogate pair": _post('"\\ud800"'),
    "the other half": _post('"\\udc00a"'),
    "a caption that is too long": _post(f'"{"x" * 2_201}"'),
    "a number for a caption": _post("7"),
    "null for a caption": _post("null"),
    "a list for a caption": _post('["a"]'),
    "an object for a caption": _post('{"a": 1}'),
    "an unknown field": f'{{"photo_id": "{UNKNOWN}", "author_id": "{UNKNOWN}"}}',
    "mass assignment": f'{{"photo_id": "{UNKNOWN}", "like_count": 1000000}}',
    "a prototype": f'{{"photo_id": "{UNKNOWN}", "__proto__": {{"admin": true}}}}',
    "no photo": '{"caption": ""}',
    "null for a photo": '{"photo_id": null}',
    "a number for a photo": '{"photo_id": 7}',
    "a photo that is no UUID": '{"photo_id": "7"}',
    "SQL for a photo": "{\"photo_id\": \"1' OR '1'='1\"}",
    "an operator for a photo": '{"photo_id": {"$ne": null}}',
    "a photo that is not there": f'{{"photo_id": "{UNKNOWN}"}}',
}
VIEWS = {
    "no views": '{"views": []}',
    "too many views": '{{"views": [{}]}}'.format(", ".join([f'{{"post_id": "{UNKNOWN}"}}'] * 501)),
    "views that are an object": '{"views": {}}',
    "a view that is null": '{"views": [null]}',
    "less than nothing": _view('"duration_ms": -1'),
    "too long": _view('"duration_ms": 86400001'),
    "beyond 64 bits": _view('"duration_ms": 18446744073709551616'),
    "5,000 digits": _view(f'"duration_ms": {"9" * 5_000}'),
    "1e400": _view('"duration_ms": 1e400'),
    "-1e400": _view('"duration_ms": -1e400'),
    "half a millisecond": _view('"duration_ms": 0.5'),
    "NaN": _view('"duration_ms": NaN'),
    "Infinity": _view('"duration_ms": Infinity'),
    "-Infinity": _view('"duration_ms": -Infinity'),
    "true": _view('"duration_ms": true'),
    "text": _view('"duration_ms": "7"'),
    "null": _view('"duration_ms": null'),
    "a list": _view('"duration_ms": [7]'),
    "an unknown field": _view('"member_id": "x"'),
}
PHOTOS = {
    "a type that is not taken": '{"content_type": "image/svg+xml", "size": 1}',
    "a type with parameters": '{"content_type": "image/png; x=y", "size": 1}',
    "a type in capitals": '{"content_type": "IMAGE/PNG", "size": 1}',
    "a type with its own line": '{"content_type": "image/png\\r\\nx: y", "size": 1}',
    "NUL in a type": '{"content_type": "image/png\\u0000", "size": 1}',
    "a list of types": '{"content_type": ["image/png"], "size": 1}',
    "no type": '{"size": 1}',
    "no size": '{"content_type": "image/png"}',
    "a size of 0": '{"content_type": "image/png", "size": 0}',
    "a size over 10 MB": '{"content_type": "image/png", "size": 10485761}',
    "a size that is no number": '{"content_type": "image/png", "size": "1"}',
    "a huge size": '{"content_type": "image/png", "size": 1e400}',
}
RAW = {
    "nothing": b"",
    "no JSON": b"photo_id=1",
    "a half": b'{"photo_id": ',
    "two values": b"{} {}",
    "bytes that are no UTF-8": b'{"caption": "\xff\xfe"}',
    "UTF-16": '{"caption": ""}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a bare NUL": b"\x00",
    "NUL within": b'{"caption": "a\x00b"}',
    "null": b"null",
    "a number": b"7",
    "text": b'"a"',
    "a list": b"[]",
    "100,000 brackets": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 20_000,
    "single quotes": b"{'caption': ''}",
    "a comment": b'{"caption": ""} // no',
    "more than is taken": b'{"caption": "%s"}' % (b"x" * 300_000),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}
QUERIES = {
    "no number": "limit=abc",
    "none": "limit=0",
    "less than none": "limit=-1",
    "too many": "limit=51",
    "10^20": f"limit={10**20}",
    "5,000 digits": f"limit={'9' * 5_000}",
    "half a post": "limit=0.5",
    "NaN": "limit=nan",
    "nothing": "limit=",
    "a NUL": "limit=%00",
    "no UTF-8": "cursor=%FF%FE",
    "a cursor of zeros": "cursor=0000000000000000000000",
    "a cursor of another version": "cursor=AZAAAAAAQACAAAAAAAAAAA",
    "a cursor with spare bits": "cursor=AYkAAAAAcACAAAAAAAAAAB",
    "a longer cursor": f"cursor={'A' * 4_000}",
    "a NUL in a cursor": "cursor=%00",
    "SQL in a cursor": "cursor=%27%20OR%201=1--",
    "a cursor that is a UUID": f"cursor={UNKNOWN}",
}
SEGMENTS = {
    "NUL": "a\x00b",
    "a line break": "a\r\nb",
    "SQL": "1' OR '1'='1",
    "a path": "../../etc/passwd",
    "a very long one": "a" * 4_000,
    "no ASCII": "\N{PILE OF POO}",
    "digits of another script": "\u0661\u0662\u0663",
    "a template": "{{7*7}}",
    "white space": " ",
}
HEADERS = {
    "form": {"content-type": "application/x-www-form-urlencoded"},
    "multipart without a boundary": {"content-type": "multipart/form-data"},
    "an unknown charset": {"content-type": "application/json; charset=klingon"},
    "UTF-7": {"content-type": "application/json; charset=utf-7"},
    "a length that is no number": {"content-length": "abc"},
    "less than no length": {"content-length": "-1"},
    "a host that is not ours": {"host": "evil.invalid"},
    "a key that is too long": {"idempotency-key": "x" * 300},
    "a key with a tab": {"idempotency-key": "a\tb"},
}
PATHS = {
    "a double slash": "/v1//posts",
    "dots": "/v1/../v1/nothing",
    "a file": "/etc/passwd",
    "an admin": "/admin/",
    "an asset that is a path": "/v1/docs/..%2F..%2Fmain.py",
    "an asset with NUL": "/v1/docs/swagger-ui.css%00",
    "a shared post that is no UUID": "/v1/shared/1",
    "a shared post that is not there": f"/v1/shared/{UNKNOWN}",
}
