"""A statement with its values in the text → the same statement, short: its longest values travel beside the text.

The longest values leave the text first, then others until it fits, and only from where a parameter means what the
literal means (`placeholders.py`).  If that is not enough, lists `IN (…)` become one array each.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg.abc import Transformer
from psycopg.adapt import PyFormat

from serverless_django.postgresql.placeholders import Place, Placeholders, placeholders_of

UNKNOWN, INT8, INT4, TEXT, NUMERIC = 0, 20, 23, 25, 1700
"""Types by their object ids.  An unknown parameter gets its type from where it stands, as 'x' does."""

LONGEST_NAME = len("$5000")
"""More parameters than that do not fit into a statement of 16 KB."""


SHORT_LITERAL = 64
"""Bytes of a value that stays in a text as soon as that fits."""


class Parameter(NamedTuple):
    """A value as the protocol carries it."""

    data: bytes
    oid: int
    sign: bytes = b""
    """Of a number; stays in the text, where it is an operator."""


class Value(NamedTuple):
    literal: bytes
    parameter: Parameter | None
    """What means the same beside the text, if anything does."""

    cast: bytes = b""
    """What the literal ends in if it is written with its type, as '2026-01-01'::date is and 1 is not."""


class BoundStatement(NamedTuple):
    text: bytes
    parameters: tuple[Parameter, ...]


def bind(
    template: bytes, values: Sequence[Any], literals: Sequence[bytes], tx: Transformer, *, max_bytes: int
) -> BoundStatement | None:
    """Return the statement `template` with at most `max_bytes` of text, or None if no choice of parameters allows that.

    `template` has a `%s` for each of `values`; `literals` are these values as psycopg writes them into a text; `tx`
    converts the values that are bound.
    """
    placeholders = placeholders_of(template)
    if placeholders is None or len(placeholders.places) != len(literals):
        return None
    read = [_read(literal, value, tx) for literal, value in zip(literals, values, strict=True)]
    statement = _bound(template, read, placeholders, max_bytes)
    if statement is None and placeholders.lists:
        statement = _bound(*_with_arrays(template, read, placeholders, tx), max_bytes)
    return statement


def _read(literal: bytes, value: Any, tx: Transformer) -> Value:
    body, quote, cast = literal.rpartition(b"'")
    if quote and literal.startswith((b"'", b" E'")):
        oid = tx.get_dumper(value, PyFormat.TEXT).oid if cast else UNKNOWN
        return Value(literal, Parameter(_unquoted(body), oid), cast)
    match = _NUMBER.fullmatch(literal)
    return Value(literal, _number(*match.groups()) if match else None)


def _unquoted(body: bytes) -> bytes:
    if body.startswith(b"'"):
        return body[1:].replace(b"''", b"'")
    return body.removeprefix(b" E'").replace(b"''", b"'").replace(b"\\\\", b"\\")


_NUMBER = re.compile(rb"( -)?(\d[\d.]*(?:[eE][-+]?\d+)?)")


def _number(sign: bytes | None, digits: bytes) -> Parameter | None:
    """Return the parameter of the type that PostgreSQL sees in a number's digits, whatever its type in Python."""
    if not digits.isdigit():
        return Parameter(digits, NUMERIC, sign or b"")
    bits = int(digits).bit_length()
    if sign and int(digits) in (2**31, 2**63):
        return None  # the lowest number of a type: its digits alone are of the next type
    return Parameter(digits, INT4 if bits < 32 else INT8 if bits < 64 else NUMERIC, sign or b"")


def _bound(
    template: bytes, values: Sequence[Value], placeholders: Placeholders, max_bytes: int
) -> BoundStatement | None:
    pieces = [value.literal for value in values]
    length = len(template % tuple(pieces))
    parameters: list[Parameter] = []
    for parameter, indexes in _longest_first(values, placeholders):
        if length <= max_bytes and 0 < len(pieces[indexes[0]]) <= SHORT_LITERAL:
            break
        parameters.append(parameter)
        for index in indexes:
            cast = values[index].cast if placeholders.places[index] is Place.COLUMN else b""
            name = b"%s$%d%s" % (parameter.sign, len(parameters), cast)
            length += len(name) - len(pieces[index])
            pieces[index] = name
    return BoundStatement(template % tuple(pieces), tuple(parameters)) if length <= max_bytes else None


def _longest_first(values: Sequence[Value], placeholders: Placeholders) -> list[tuple[Parameter, list[int]]]:
    """Return what may leave the text, and from which places.  Equal values that have a type share a parameter."""
    choices: dict[Any, tuple[Parameter, list[int]]] = {}
    for index, (value, place) in enumerate(zip(values, placeholders.places, strict=True)):
        parameter = value.parameter
        if parameter is None or not _may_leave(value, parameter, place):
            continue
        if parameter.oid == UNKNOWN and place is Place.TEXT:
            parameter = parameter._replace(oid=TEXT)
        is_shared = parameter.oid != UNKNOWN or placeholders.compares_expressions
        choices.setdefault(parameter if is_shared else index, (parameter, []))[1].append(index)

    def rank(choice: tuple[Parameter, list[int]]) -> tuple[bool, int]:
        literal = values[choice[1][0]].literal
        return bool(literal), -len(literal) * len(choice[1])

    # The one type of a shared parameter would have to suit each place, and two parameters would not be compared as one.
    return sorted((choice for choice in choices.values() if choice[0].oid or len(choice[1]) == 1), key=rank)


def _may_leave(value: Value, parameter: Parameter, place: Place) -> bool:
    if place is Place.LITERAL or (place is Place.TYPED and not value.cast):
        return False
    return not value.literal or len(value.literal) - len(parameter.sign) > LONGEST_NAME


def _with_arrays(
    template: bytes, values: Sequence[Value], placeholders: Placeholders, tx: Transformer
) -> tuple[bytes, list[Value], Placeholders]:
    """Return the same with `= ANY(%s)` or `<> ALL(%s)` for each list of `IN` whose values fit into one array."""
    texts, kept, places = [], list(values), list(placeholders.places)
    end = len(template)
    for in_list in reversed(placeholders.lists):
        members = slice(in_list.first, in_list.first + in_list.count)
        array = _array(values[members], tx)
        if array is None:
            continue
        kept[members], places[members] = [Value(b"", array)], [Place.ANY_TYPE]
        texts += [template[in_list.end : end], b"<> ALL(%s)" if in_list.is_negated else b"= ANY(%s)"]
        end = in_list.start
    texts.append(template[:end])
    shorter = Placeholders(tuple(places), (), placeholders.compares_expressions)
    return b"".join(reversed(texts)), kept, shorter


def _array(values: Sequence[Value], tx: Transformer) -> Parameter | None:
    """Return one parameter for `values`, or None if an array would compare in another way than `IN`."""
    parameters = [value.parameter for value in values if value.literal != b"NULL"]
    oids = {parameter.oid if parameter else NUMERIC for parameter in parameters}
    if oids == {INT4, INT8}:
        oids = {INT8}
    if len(oids) != 1:
        return None
    array_oid = _array_oid(oids.pop(), tx)
    members = [_member(value.parameter) for value in values]
    if array_oid is None or (array_oid == UNKNOWN and any(member.startswith(b'"{') for member in members)):
        return None  # perhaps arrays themselves, of which there is no array
    return Parameter(b"{%s}" % b",".join(members), array_oid)


def _array_oid(oid: int, tx: Transformer) -> int | None:
    if oid == NUMERIC:
        return None  # beside a column of type real, IN rounds the number and ANY the column
    if oid == UNKNOWN:
        return UNKNOWN
    info = tx.adapters.types.get(oid)
    return info.array_oid or None if info and info.oid == oid and info.delimiter == "," else None


def _member(parameter: Parameter | None) -> bytes:
    if parameter is None:
        return b"NULL"
    data = parameter.sign.strip() + parameter.data
    return b'"%s"' % data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
