"""An exception that a view let through → whether a value of the request itself has caused it.

Only what can be told for certain: the value that Python or PostgreSQL refused must be one that the client sent.
All else is a fault of the server and stays one.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice
from types import FrameType
from typing import Any

from django.db import DataError
from django.http import HttpRequest

from serverless_django.http.request_values import Number, RequestValues, is_finite, is_number, leaves_of, numbers_in

LIMITS: Mapping[str, int] = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
"""From here on, up and down, PostgreSQL's integers are out of range."""

NUMERIC_DIGITS = 131_072
"""What PostgreSQL's type numeric holds before the decimal point."""

MAX_COMPARED = 50
"""Texts with a NUL or half a pair that are looked for in others: a hostile request could hold very many."""

_TOO_MANY_DIGITS = re.compile(
    r"Exceeds the limit \(\d{1,9} digits\) for integer string conversion: value has (\d{1,9}) digits"
)
_OUT_OF_RANGE = re.compile(r"\b(smallint|integer|bigint)\b")
_FIELD_OVERFLOW = re.compile(r"an absolute value less than 10\^(\d+)")
_TOO_LONG = re.compile(r"value too long for type character(?: varying)?\((\d{1,9})\)")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")

type Judge = Callable[[Any, RequestValues], bool]


def is_of_request(error: Exception, request: HttpRequest) -> bool:
    """Return whether `error` was caused by a value that the client of `request` sent."""
    values = RequestValues(request)
    return any(judge(error, values) for kind, judge in JUDGES if isinstance(error, kind))


def _is_no_json(error: json.JSONDecodeError, values: RequestValues) -> bool:
    return error.doc in values.documents if error.doc else values.lacks_announced_json


def _is_no_text(error: UnicodeDecodeError, values: RequestValues) -> bool:
    return bool(error.object) and error.object == values.body


def _is_half_a_pair(error: UnicodeEncodeError, values: RequestValues) -> bool:
    refused = error.object[error.start : error.end]
    return _share([text for text in values.texts if refused in text], [error.object])


def _is_too_deep(error: RecursionError, values: RequestValues) -> bool:
    frame = _innermost(error)
    return _module(frame) == "json.decoder" and frame.f_locals.get("s") in values.documents


def _is_odd_text(error: ValueError, values: RequestValues) -> bool:
    message = str(error)
    if found := _TOO_MANY_DIGITS.match(message):
        runs = (run for text in values.documents for run in re.findall(r"\d+", text.replace("_", "")))
        return any(len(run) == int(found[1]) for run in runs)
    if "embedded null" in message:
        return any("\0" in text for text in values.texts)
    return "NUL" in message and _holds_nul(error, values)


def _is_odd_number(error: Exception, values: RequestValues) -> bool:
    """Return whether Django or psycopg was given a number of the request, and refused it in that very function."""
    frame = _innermost(error)
    if not _module(frame).startswith(("django.", "psycopg.")):
        return False
    given = [local for local in frame.f_locals.values() if is_number(local)]
    if values.holds_no_number and not all(map(is_finite, given)):
        return True
    sent = values.numbers.intersection(number for number in given if is_finite(number))
    return any(not _fits(number, "integer") or str(number) in str(error) for number in sent)


def _is_refused_by_database(error: DataError, values: RequestValues) -> bool:
    message, state = str(error), getattr(error.__cause__, "sqlstate", None)
    if "NUL" in message or state in ("22021", "22P05"):
        return _holds_nul(error, values)
    if state == "22003":
        return any(_is_beyond(number, message) for number in values.numbers & _numbers_of_statement(error))
    texts = _texts_of_statement(error)
    if found := _TOO_LONG.search(message):
        return any(len(text) > int(found[1]) for text in values.texts & texts)
    if "type json" in message and _holds_what_json_cannot(error, values):
        return True
    quoted = message.partition(': "')[2].rpartition('"')[0]
    return quoted in values.texts & texts


def _is_beyond(number: Number, message: str) -> bool:
    if found := _FIELD_OVERFLOW.search(message):
        # From here on rounding takes it there.
        most = 10 ** int(found[1]) - 1
        return not -most <= number <= most
    if "overflows numeric format" in message:
        return isinstance(number, Decimal) and number.adjusted() >= NUMERIC_DIGITS
    found = _OUT_OF_RANGE.search(message)
    return found is not None and not _fits(number, found[1])


def _fits(number: Number, kind: str) -> bool:
    return -LIMITS[kind] <= number < LIMITS[kind]


def _holds_nul(error: BaseException, values: RequestValues) -> bool:
    return _share(filter(_has_nul, values.texts), filter(_has_nul, _texts_of_statement(error)))


def _holds_what_json_cannot(error: BaseException, values: RequestValues) -> bool:
    if values.holds_no_number and not all(is_finite(leaf) for leaf in _parameters(error) if is_number(leaf)):
        return True
    return _share(filter(_HALF_A_PAIR.search, values.texts), filter(_HALF_A_PAIR.search, _texts_of_statement(error)))


def _has_nul(text: str) -> bool:
    return "\0" in text or "\\u0000" in text


def _share(sent: Any, refused: Any) -> bool:
    """Return whether one of `sent` stands in one of `refused`, or the other way round."""
    others = list(islice(refused, MAX_COMPARED))
    return any(one in other or other in one for one in islice(sent, MAX_COMPARED) for other in others)


def _numbers_of_statement(error: BaseException) -> set[Number]:
    """Return the parameters, and what stands in the SQL itself, as after LIMIT."""
    written = re.findall(r"(?<![\w.])\d{5,4000}(?![\w.])", _statement(error)[0])
    found = {leaf for leaf in _parameters(error) if is_number(leaf)}
    return found.union(map(int, written), *map(numbers_in, _texts_of_statement(error)))


def _texts_of_statement(error: BaseException) -> set[str]:
    return {leaf for leaf in _parameters(error) if isinstance(leaf, str)}


def _parameters(error: BaseException) -> list[Any]:
    return list(leaves_of(_statement(error)[1]))


def _statement(error: BaseException) -> tuple[str, Any]:
    """Return the SQL and the parameters of the statement that Django was running when `error` was raised."""
    for frame in reversed(list(_frames(error))):
        given = frame.f_locals
        if _module(frame) == "django.db.backends.utils" and "sql" in given:
            return str(given["sql"]), given.get("params") or given.get("param_list") or ()
    return "", ()


def _innermost(error: BaseException) -> FrameType:
    *_, frame = _frames(error)
    return frame


def _frames(error: BaseException) -> Iterator[FrameType]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))


JUDGES: tuple[tuple[type[Exception], Judge], ...] = (
    (json.JSONDecodeError, _is_no_json),
    (UnicodeDecodeError, _is_no_text),
    (UnicodeEncodeError, _is_half_a_pair),
    (RecursionError, _is_too_deep),
    (DataError, _is_refused_by_database),
    (ValueError, _is_odd_text),
    (ValueError, _is_odd_number),
    (OverflowError, _is_odd_number),
    (InvalidOperation, _is_odd_number),
)
