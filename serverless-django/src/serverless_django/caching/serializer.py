"""Values of the cache → bytes and back: data only, so nothing that another process writes there can run as code.

MessagePack holds None, booleans, numbers, text, bytes, lists and dicts as they are; the other types of KINDS are
MessagePack's extensions.  A whole number alone is written as its digits, because the server counts with those.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from http.cookies import SimpleCookie
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.http.response import ResponseHeaders
from django.utils.safestring import SafeString
from msgspec.msgpack import Decoder, Encoder, Ext

FORMAT = b"\x01"
"""The first byte of a stored value that is not a number; a change of what follows takes another one."""

PLAIN = frozenset({NoneType, bool, float, str, bytes})
COUNTED = range(-(2**63), 2**63)
"""What the server can increment."""

NUMBER = re.compile(rb"-?[0-9]{1,19}")


class UncacheableValueError(TypeError):
    """A value is no data: reading it back would need code."""


class UnreadableValueError(ValueError):
    """Stored bytes were not written by this serializer, or by a later version of it."""


class Kind(NamedTuple):
    """A type that MessagePack does not have: how it becomes plain data, and how it comes back."""

    type: type[Any]
    simplify: Callable[[Any], Any]
    restore: Callable[[Any], Any]


def _simplify_datetime(value: datetime) -> list[str]:
    return [value.isoformat(), getattr(value.tzinfo, "key", ""), str(value.fold)]


def _restore_datetime(parts: list[str]) -> datetime:
    text, zone, fold = parts
    moment = datetime.fromisoformat(text)
    # Not by way of UTC: a time that the clocks left out would come back as another.
    return moment.replace(tzinfo=ZoneInfo(zone), fold=int(fold)) if zone else moment.replace(fold=int(fold))


def _simplify_response(response: HttpResponse) -> list[Any]:
    """Return what `cache_page` must keep of a response."""
    cookies = [[key, each.value, each.coded_value, dict(each)] for key, each in response.cookies.items()]
    headers = [list(item) for item in response.headers.items()]
    return [response.status_code, response.reason_phrase, headers, response.content, cookies]


def _restore_response(parts: list[Any]) -> HttpResponse:
    status, reason, headers, content, cookies = parts
    response = HttpResponse(content, status=status, reason=reason)
    response.headers = ResponseHeaders(dict(headers))
    response.cookies = SimpleCookie()
    for key, value, coded_value, attributes in cookies:
        response.cookies[key] = value
        response.cookies[key].set(key, value, coded_value)
        response.cookies[key].update(attributes)
    return response


KINDS = {
    1: Kind(int, lambda number: number.to_bytes(number.bit_length() // 8 + 1, signed=True),
            lambda data: int.from_bytes(data, signed=True)),
    2: Kind(dict, lambda mapping: [[key, value] for key, value in mapping.items()], dict),
    3: Kind(tuple, list, tuple),
    4: Kind(set, list, set),
    5: Kind(frozenset, list, frozenset),
    6: Kind(Decimal, str, Decimal),
    7: Kind(datetime, _simplify_datetime, _restore_datetime),
    8: Kind(date, date.isoformat, date.fromisoformat),
    9: Kind(time, time.isoformat, time.fromisoformat),
    10: Kind(timedelta, lambda span: [span.days, span.seconds, span.microseconds], lambda parts: timedelta(*parts)),
    11: Kind(UUID, lambda uuid: uuid.bytes, lambda data: UUID(bytes=data)),
    12: Kind(SafeString, str.__str__, SafeString),
    13: Kind(HttpResponse, _simplify_response, _restore_response),
}  # fmt: skip
"""By the code of the extension, which stored values name: never give one another meaning."""

CODES = {kind.type: code for code, kind in KINDS.items()}


def encode(value: Any) -> bytes:
    """Return `value` as bytes, from which `decode` reads an equal value of the same type.

    Raise UncacheableValueError if there is no such form.
    """
    if type(value) is int and value in COUNTED:
        return b"%d" % value
    try:
        return FORMAT + _encoder.encode(_plain(value))
    except RecursionError:
        raise UncacheableValueError("a value that contains itself, or nests too deeply, cannot be cached") from None
    except UnicodeEncodeError as error:
        raise UncacheableValueError(
            f"text with a lone surrogate cannot be cached: {error}; replace it first"
        ) from error


def decode(stored: bytes) -> Any:
    """Return the value that `encode` stored as `stored`.  Raise UnreadableValueError if it cannot be read."""
    try:
        if stored.startswith(FORMAT):
            return _decoder.decode(memoryview(stored)[1:])
        if not NUMBER.fullmatch(stored):
            raise ValueError("neither a number nor of this format")
        return int(stored)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError, MemoryError) as error:
        raise UnreadableValueError(f"{len(stored):,} bytes after {stored[:1]!r} are no value of this cache") from error


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is list:
        return [_plain(item) for item in value]
    if kind is dict and all(type(key) is str for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if kind is int and value in COUNTED:
        return value
    code = CODES.get(HttpResponse if isinstance(value, HttpResponse) else kind)
    if code is None:
        raise UncacheableValueError(_advice(value))
    return Ext(code, _encoder.encode(_plain(KINDS[code].simplify(value))))


def _restore(code: int, data: memoryview) -> Any:
    return KINDS[code].restore(_decoder.decode(data))


def _advice(value: Any) -> str:
    name = type(value).__qualname__
    if isinstance(value, Model):
        return f"a model instance ({name}) cannot be cached; cache its pk, or a dict of the fields that you read"
    if isinstance(value, QuerySet):
        return f"a queryset of {value.model.__qualname__} cannot be cached; cache list(queryset.values(...))"
    if hasattr(value, "value") and hasattr(type(value), "__members__"):
        return f"a member of {name} cannot be cached; cache its .value"
    bases = [kind for kind in (*PLAIN - {NoneType}, *CODES, list) if isinstance(value, kind)]
    if bases:
        return f"{name} cannot be cached, because it is more than a {bases[0].__name__}; cache {bases[0].__name__}(...)"
    known = ", ".join(sorted(kind.__name__ for kind in (*PLAIN - {NoneType}, *CODES, list)))
    return f"{name} cannot be cached, because it is no data; convert it to one of None, {known}"


_encoder, _decoder = Encoder(), Decoder(ext_hook=_restore)
