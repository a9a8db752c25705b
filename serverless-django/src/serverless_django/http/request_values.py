"""What a client has put into a request, as texts and as numbers; nothing is parsed that the view has not parsed."""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django.http import HttpRequest, QueryDict
from psycopg.types.json import Json, Jsonb

type Number = int | float | Decimal

MAX_DIGITS = 4_300
"""Python reads no longer integers from text."""

_NUMBER = re.compile(r"[+-]?([0-9][0-9_]*(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)


class RequestValues:
    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.body: bytes | None = getattr(request, "_body", None)
        """None if the view has not read it as a whole."""

    @cached_property
    def documents(self) -> frozenset[str]:
        """Texts that a view may have parsed: each parameter, and the whole body.  Not "", which comes from anywhere."""
        return frozenset(filter(None, [*self._parameters(), self._text_of_body()]))

    @cached_property
    def texts(self) -> frozenset[str]:
        """All texts, also those within a body of JSON."""
        return self.documents.union(leaf for leaf in self._leaves if isinstance(leaf, str) and leaf)

    @cached_property
    def numbers(self) -> frozenset[Number]:
        """All numbers, written as text or within a body of JSON."""
        within = (leaf for leaf in self._leaves if is_number(leaf) and is_finite(leaf))
        return frozenset(within).union(number for text in self.texts for number in numbers_in(text))

    @cached_property
    def holds_no_number(self) -> bool:
        """Whether there is a NaN or an infinity."""
        return any(map(_NO_NUMBER.fullmatch, self.texts)) or any(
            is_number(leaf) and not is_finite(leaf) for leaf in self._leaves
        )

    @property
    def lacks_announced_json(self) -> bool:
        return self.body == b"" and "json" in (self._request.content_type or "")

    def _parameters(self) -> Iterator[str]:
        match = self._request.resolver_match
        yield from map(str, (*match.args, *match.kwargs.values()) if match else ())
        posted: QueryDict = getattr(self._request, "_post", None) or QueryDict()
        for parameters in (self._request.GET, posted):
            for _, values in parameters.lists():
                yield from map(str, values)

    def _text_of_body(self) -> str:
        try:
            return self.body.decode(json.detect_encoding(self.body), "surrogatepass") if self.body else ""
        except UnicodeDecodeError:
            return ""

    @cached_property
    def _leaves(self) -> list[Any]:
        return [leaf for text in self.documents if text.startswith(("{", "[", '"')) for leaf in _leaves_in(text)]


def _leaves_in(document: str) -> list[Any]:
    try:
        return list(leaves_of(json.loads(document)))
    except (ValueError, RecursionError):
        return []


def leaves_of(value: Any) -> Iterator[Any]:
    """Yield the leaves of `value`: what stands within nested lists, mappings and psycopg's wrappers of JSON."""
    if isinstance(value, dict):
        yield from (leaf for item in value.items() for leaf in leaves_of(item))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from (leaf for item in value for leaf in leaves_of(item))
    elif isinstance(value, Json | Jsonb):
        yield from leaves_of(value.obj)
    else:
        yield value


def is_number(value: Any) -> bool:
    """Return whether `value` is a number, and not a bool."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def is_finite(number: Number) -> bool:
    # math.isfinite makes a float first, for which most of what is looked for here is too large.
    if isinstance(number, float):
        return math.isfinite(number)
    return number.is_finite() if isinstance(number, Decimal) else True


def numbers_in(text: str) -> Iterator[Number]:
    """Yield the number that `text` is, if it is one."""
    stripped = text.strip() if len(text) <= MAX_DIGITS else ""
    if not _NUMBER.fullmatch(stripped):
        return
    try:
        yield Decimal(stripped.replace("_", ""))
    except InvalidOperation:
        return
