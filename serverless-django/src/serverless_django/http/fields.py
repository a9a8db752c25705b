"""The parts of an event that every source shares, read strictly: what is not as a gateway writes it is refused."""

from base64 import b64decode
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

type Fields = Collection[tuple[str, str]]

COOKIE = "HTTP_COOKIE"


class MalformedEventError(ValueError):
    """A part of an HTTP event is missing or is not what a gateway writes there.

    Its text is logged, so it names the type of a value and never the value, which may be a token.
    """


def check_text(*parts: Any) -> None:
    """Raise TypeError if a part is not text, UnicodeEncodeError if it is half of a surrogate pair."""
    whole = "".join(parts)
    if not whole.isascii():
        whole.encode()


def mapping_of(parent: Mapping[str, Any], key: str, *, of: str = "the event") -> Mapping[str, Any]:
    """Return `parent[key]`, or an empty mapping if it is missing or null.

    `of` is how the error names `parent`.  Raise MalformedEventError if the value is not a mapping.
    """
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedEventError(f"{key} of {of} should be an object, got {type(value).__name__}")
    return value


def list_of(parent: Mapping[str, Any], key: str) -> list[Any]:
    """Return `parent[key]`, or an empty list if it is missing or null."""
    value = parent.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedEventError(f"{key} should be a list, got {type(value).__name__}")
    return value


def body_of(event: Mapping[str, Any]) -> bytes:
    """Return the body of the request of `event`, as it was on the wire."""
    body, encoded = event.get("body"), event.get("isBase64Encoded")
    if body is None:
        return b""
    if not isinstance(body, str) or encoded not in (True, False, None):
        raise MalformedEventError(f"body should be text and isBase64Encoded a boolean, got {type(encoded).__name__}")
    return b64decode(body, validate=True) if encoded else body.encode()


def last_value(event: Mapping[str, Any], name: str) -> str:
    """Return the last value of the header that is called `name` in lower case, from an event of any shape; or ""."""
    lists, texts = event.get("multiValueHeaders"), event.get("headers")
    if isinstance(lists, dict):
        found = [
            values[-1] for key, values in lists.items() if key.lower() == name and isinstance(values, list) and values
        ]
    else:
        found = [value for key, value in texts.items() if key.lower() == name] if isinstance(texts, dict) else []
    return found[-1] if found and isinstance(found[-1], str) else ""


def multi_value_fields(headers: Mapping[str, Any]) -> Fields:
    """Return the fields of `headers`, an event's `multiValueHeaders`: each name with each of its values."""
    return [(name, value) for name in headers for value in list_of(headers, name)]


class WireHeaders:
    """The headers of one request: what ASGI wants, an iterable of pairs of bytes, and what Django makes of it.

    Neither costs anything until it is asked for.  Names that a gateway could mistake for others are
    dropped ("X_Name" is not "X-Name"), and the length is that of the body as it is now.
    """

    __slots__ = ("_fields", "_length")

    def __init__(self, fields: Fields, *, body: bytes) -> None:
        """Raise MalformedEventError if a value has a control character that ends a header."""
        text = "".join([value for _, value in fields])
        is_plain = text.isascii() and text.isprintable()
        self._fields = fields if is_plain else [(name, _wire_text(name, value)) for name, value in fields]
        self._length = len(body)

    def __iter__(self) -> Iterator[list[bytes]]:
        for name, value in self._with_length():
            if wire_name := _wire_name(name):
                yield [wire_name, value.encode("latin-1")]

    def meta(self) -> dict[str, str]:
        """Return the part of `request.META` that the headers are."""
        meta = {meta_key(name): value for name, value in self._fields}
        if len(meta) < len(self._fields):
            meta = self._joined()
        if self._length or "CONTENT_LENGTH" in meta:
            meta["CONTENT_LENGTH"] = str(self._length)
        meta.pop("", None)
        return meta

    def _joined(self) -> dict[str, str]:
        values: dict[str, list[str]] = {}
        for name, value in self._fields:
            values.setdefault(meta_key(name), []).append(value)
        return {key: ("; " if key == COOKIE else ",").join(parts) for key, parts in values.items()}

    def _with_length(self) -> Fields:
        others = [field for field in self._fields if field[0].lower() != "content-length"]
        if self._length or len(others) < len(self._fields):
            others.append(("content-length", str(self._length)))
        return others


@lru_cache(maxsize=512)
def _wire_name(name: str) -> bytes:
    return b"" if "_" in name or not name.isascii() or not name.isprintable() else name.lower().encode()


@lru_cache(maxsize=512)
def meta_key(name: str) -> str:
    """Return the key of header `name` in `request.META`; empty if the header is to be dropped."""
    key = _wire_name(name).decode().upper().replace("-", "_")
    return f"HTTP_{key}" if key and key not in ("CONTENT_TYPE", "CONTENT_LENGTH") else key


def _wire_text(name: str, value: str) -> str:
    """Return `value` as latin-1 reads the bytes on the wire, which is how Django reads them."""
    if not {"\r", "\n", "\0"}.isdisjoint(value):
        # Without the value: it may be a token.
        raise MalformedEventError(f"header {name:.100} has a control character among its {len(value):,}")
    try:
        return value.encode("latin-1").decode("latin-1")
    except UnicodeEncodeError:
        # Beyond latin-1 the gateway can only have decoded UTF-8.
        return value.encode().decode("latin-1")


class TextHeaders:
    """The headers of one response: an iterable of pairs of bytes as in ASGI, and the text that gateways want."""

    __slots__ = ("lines",)

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self.lines = lines
        """Lower-case names and values, as latin-1 reads them."""

    def __iter__(self) -> Iterator[list[bytes]]:
        for name, value in self.lines:
            yield [name.encode("latin-1"), value.encode("latin-1")]
