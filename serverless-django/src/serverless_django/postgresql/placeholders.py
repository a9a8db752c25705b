"""SQL text with `%s` → what a parameter of the protocol may stand for at each `%s` and still mean the same.

A literal without a type, 'x', may become any type, and text where nothing asks for one.  A parameter without a type
may become any type, and is an error where nothing asks for one: `concat($1)`, `$1 IS NULL`.  A literal may also be
part of the syntax: `INTERVAL '1 day'`.  These are the only differences, so a look at the neighbours is enough.
"""

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache


class Place(Enum):
    """What may stand at a placeholder beside a literal."""

    ANY_TYPE = auto()
    """Any parameter; PostgreSQL finds the type of one that has none."""

    TEXT = auto()
    """The same, but a parameter without a type must be declared as text."""

    COLUMN = auto()
    """Any, but the name of a column may come from the type that a literal is written with: that stays in the text."""

    TYPED = auto()
    """A parameter whose literal is written with its type."""

    LITERAL = auto()
    """Nothing else: the literal is part of the syntax."""


@dataclass(frozen=True, slots=True)
class InList:
    """`IN (%s, %s, …)` or `NOT IN (…)`: where it stands in the text, and which placeholders it has."""

    start: int
    end: int
    is_negated: bool
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Placeholders:
    places: tuple[Place, ...]
    lists: tuple[InList, ...]
    """Those that `= ANY(array)` may replace."""

    compares_expressions: bool
    """PostgreSQL compares expressions of the statement (GROUP BY, DISTINCT): $1 and $2 differ whatever they hold."""


def placeholders_of(template: bytes) -> Placeholders | None:
    """Return the placeholders of `template`, or None if its parameters cannot be bound.

    That is so for other kinds of statements, several statements at once, and what cannot be parsed.
    """
    # An app sends few different texts, again and again.  Very long ones are seldom sent twice.
    return _remembered(template) if len(template) <= 4096 else _placeholders_of(template)


_TOKEN = re.compile(
    rb"""
    (?P<blank>   \s+ | --[^\n]* | /\*.*?\*/ )
  | (?P<quoted>  e'(?:[^'\\]|\\.|'')*' | (?:[nbx]|u&)?'(?:[^']|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<list>    (?:\bnot\s+)?\bin\s*\(\s*%s(?:\s*,\s*%s)*\s*\) )
  | (?P<name>    (?:u&)?"(?:[^"]|"")*" | [a-z_\x80-\xff][\w$\x80-\xff]* )
  | (?P<number>  \d[\w.]* )
  | (?P<broken>  ['"] | \$\d )
  | (?P<symbol>  :: | %s | (?:(?!--|/\*)(?:[-+*/<>=~!@\#^&|`?]|%%))+ | . )
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_PLACEHOLDER = b"%s"

_KINDS = frozenset(b"SELECT INSERT UPDATE DELETE WITH MERGE VALUES EXPLAIN".split())

_BEFORE_AN_EXPRESSION = frozenset(
    b"ALL AND BETWEEN BOTH BY CASE DISTINCT ELSE ESCAPE FOR FROM GROUPS HAVING ILIKE KEY LEADING LIKE LIMIT NOT OFFSET"
    b" ON OR PASSING PLACING RANGE RETURNING ROWS SELECT SYMMETRIC THEN TO TRAILING VALUE VARIADIC WHEN WHERE ZONE"
    b" ( [ , :".split()
)
_BEGIN_AN_EXPRESSION = _BEFORE_AN_EXPRESSION - frozenset(
    b"BETWEEN BOTH ESCAPE FROM ILIKE LEADING LIKE NOT SYMMETRIC TO TRAILING : ZONE".split()
)
_END_AN_EXPRESSION = frozenset(
    b"ABSENT AS ASC COLLATE DESC FETCH FILTER FOR FROM HAVING LIMIT NULL NULLS OFFSET ORDER RETURNING UNION VALUE WHERE"
    b" WINDOW ) , : ;".split()
) | {b""}
_END_A_LIST_BY = frozenset(b"EXCEPT FETCH FOR HAVING INTERSECT LIMIT OFFSET RANGE ROWS UNION WINDOW".split())
_NO_FUNCTIONS = _BEFORE_AN_EXPRESSION | frozenset(b"ANY ARRAY AS EXISTS IN OVER SOME USING VALUES".split())
_OPERATORS = b"-+*/<>=~!@#^&|`?%"
_COMPARISONS = frozenset(b"= < > <= >= <> !=".split())

ANY_TYPE_FUNCTIONS = frozenset(
    b"CONCAT CONCAT_WS COUNT FORMAT JSON_BUILD_ARRAY JSON_BUILD_OBJECT JSON_OBJECT_AGG JSON_OBJECT_AGG_STRICT"
    b" JSON_OBJECT_AGG_UNIQUE JSON_OBJECT_AGG_UNIQUE_STRICT JSONB_BUILD_ARRAY JSONB_BUILD_OBJECT JSONB_OBJECT_AGG"
    b" JSONB_OBJECT_AGG_STRICT JSONB_OBJECT_AGG_UNIQUE JSONB_OBJECT_AGG_UNIQUE_STRICT NUM_NONNULLS NUM_NULLS"
    b" XMLELEMENT XMLFOREST".split()
)
"""Functions that take an argument of any type, and a literal without one as text.  Only C can declare another."""

TYPE_TELLING_FUNCTIONS = frozenset(
    b"PG_COLLATION_FOR PG_COLUMN_COMPRESSION PG_COLUMN_SIZE PG_COLUMN_TOAST_CHUNK_ID PG_TYPEOF ROW".split()
)
"""Functions that tell a literal without a type from text, and ROW, whose fields may become any type later."""

_LITERALS_ONLY = frozenset(b"BIT CHAR CHARACTER DEC DECIMAL EXTRACT FLOAT INTERVAL NUMERIC TIME TIMESTAMP".split()) | {
    b"VARBIT",
    b"VARCHAR",
    b"VARYING",
}
"""Before a bracket: the names of types, and EXTRACT(unit FROM …)."""


_INSIDE_A_TOKEN, _IN_A_LIST = -1, -2
"""In the place of a token's index."""


@dataclass(slots=True)
class _Tokens:
    """The tokens of a statement without blanks, names and keywords in capitals."""

    texts: list[bytes] = field(default_factory=list)
    brackets: list[int] = field(default_factory=list)
    """For each token the index of the bracket around it, `(` or `[`, or -1."""

    placeholders: list[int] = field(default_factory=list)
    lists: list[InList] = field(default_factory=list)
    commas_after_by: set[int] = field(default_factory=set)
    """Between the expressions of GROUP BY and ORDER BY."""

    _open: list[int] = field(default_factory=lambda: [-1])
    _lists_by: set[int] = field(default_factory=set)

    def at(self, index: int) -> bytes:
        return self.texts[index] if 0 <= index < len(self.texts) else b""

    def function_of(self, bracket: int) -> bytes:
        """Return the name of the function whose arguments begin at this index, or nothing."""
        if self.at(bracket) != b"(":
            return b""
        before = self.at(bracket - 1) if bracket > 0 else b""
        name = before.strip(b'"').upper()
        return name if before not in _NO_FUNCTIONS and (name[:1].isalpha() or name[:1] == b"_") else b""

    def add(self, text: bytes) -> None:
        index, bracket = len(self.texts), self._open[-1]
        if text in (b")", b"]") and len(self._open) > 1:
            self._lists_by.discard(self._open.pop())
            bracket = self._open[-1]
        elif text == b"BY":
            self._lists_by.add(bracket)
        elif text in _END_A_LIST_BY:
            self._lists_by.discard(bracket)
        elif text == b"," and bracket in self._lists_by:
            self.commas_after_by.add(index)
        elif text in (b"(", b"["):
            self._open.append(index)
        self.texts.append(text)
        self.brackets.append(bracket)

    def add_list(self, match: re.Match[bytes]) -> None:
        count = match[0].count(_PLACEHOLDER)
        if not self._is_compared():
            is_negated = match[0][:1] in b"nN"
            self.lists.append(InList(*match.span(), is_negated, len(self.placeholders), count))
        self.placeholders += [_IN_A_LIST] * count
        self.add(b"IN()")

    def _is_compared(self) -> bool:
        """Tell whether the operand before is part of a comparison, which binds less than IN and as much as ANY."""
        depth, index = 0, len(self.texts) - 1
        while index >= 0 and depth >= 0:
            text = self.texts[index]
            if depth == 0 and text in _COMPARISONS:
                return True
            if depth == 0 and text in _BEGIN_AN_EXPRESSION - {b"("}:
                return False
            depth += (text == b")") - (text == b"(")
            index -= 1
        return False


def _placeholders_of(template: bytes) -> Placeholders | None:
    tokens = _tokens_of(template)
    if tokens is None:
        return None
    places = tuple(_place(tokens, index) for index in tokens.placeholders)
    compares = not {b"GROUP", b"DISTINCT"}.isdisjoint(tokens.texts)
    return Placeholders(places, tuple(tokens.lists), compares)


_remembered = lru_cache(maxsize=128)(_placeholders_of)


def _tokens_of(template: bytes) -> _Tokens | None:
    tokens = _Tokens()
    for match in _TOKEN.finditer(template):
        kind, text = match.lastgroup, match[0]
        if kind == "broken" or (kind != "blank" and tokens.at(len(tokens.texts) - 1) == b";"):
            return None
        if kind == "list":
            tokens.add_list(match)
            continue
        if text == _PLACEHOLDER:
            tokens.placeholders.append(len(tokens.texts))
        elif _PLACEHOLDER in text:
            tokens.placeholders += [_INSIDE_A_TOKEN] * text.replace(b"%%", b"").count(_PLACEHOLDER)
        if kind != "blank":
            tokens.add(text.upper() if kind == "name" and text[-1:] != b'"' else text)
    first = next((text for text in tokens.texts if text != b"("), b"")
    return tokens if first in _KINDS else None


def _place(tokens: _Tokens, index: int) -> Place:
    if index < 0:
        return Place.ANY_TYPE if index == _IN_A_LIST else Place.LITERAL
    left, right = index - 1, index + 1
    if not _may_precede(tokens.at(left)) or tokens.at(right) in (b"[", b".") or _is_of_a_type_name(tokens, left):
        return Place.LITERAL
    while tokens.at(left) == b"(" and tokens.at(right) == b")" and not tokens.function_of(left):
        left, right = left - 1, right + 1
    before, after = tokens.at(left), tokens.at(right)
    bracket = left if before == b"(" else tokens.brackets[left] if left >= 0 else -1
    function = tokens.function_of(bracket)
    if function in _LITERALS_ONLY and (function != b"EXTRACT" or before == b"("):
        return Place.LITERAL
    if before not in _BEGIN_AN_EXPRESSION:
        return Place.ANY_TYPE
    if _is_null_test(tokens, right) or (after in (b"VALUE", b":") and before != b"["):
        return Place.TEXT
    if after not in _END_AN_EXPRESSION:
        return Place.ANY_TYPE
    return _place_of_argument(tokens, left, bracket, function)


def _place_of_argument(tokens: _Tokens, left: int, bracket: int, function: bytes) -> Place:
    """Return the place of a placeholder that is a whole argument, item or field."""
    if tokens.at(left) == b"BY" or left in tokens.commas_after_by or function in TYPE_TELLING_FUNCTIONS:
        return Place.TYPED
    if function in ANY_TYPE_FUNCTIONS:
        return Place.TEXT
    if function:
        return Place.ANY_TYPE
    if _is_separate_row(tokens, bracket):
        return Place.TYPED
    is_of_a_query = bracket < 0 or tokens.at(bracket + 1) in (b"SELECT", b"WITH")
    return Place.COLUMN if is_of_a_query else Place.ANY_TYPE


def _is_separate_row(tokens: _Tokens, bracket: int) -> bool:
    """Tell whether the row `(%s, …)` is a value, so that nothing gives its fields a type."""
    if tokens.at(bracket) != b"(" or tokens.at(bracket + 1) in (b"SELECT", b"VALUES", b"WITH"):
        return False
    before = tokens.at(bracket - 1)
    return before == b"SELECT" or (before in (b"(", b",") and bool(tokens.function_of(tokens.brackets[bracket])))


def _may_precede(token: bytes) -> bool:
    return token in _BEFORE_AN_EXPRESSION or (token[:1] in _OPERATORS and token not in (b"", b"::", _PLACEHOLDER))


def _is_of_a_type_name(tokens: _Tokens, index: int) -> bool:
    """Tell TIMESTAMP WITH TIME ZONE '…' from moment AT TIME ZONE '…'."""
    return tokens.at(index) == b"ZONE" and tokens.at(index - 2) in (b"WITH", b"WITHOUT")


def _is_null_test(tokens: _Tokens, index: int) -> bool:
    after = tokens.at(index)
    if after in (b"ISNULL", b"NOTNULL"):
        return True
    return after == b"IS" and b"NULL" in (tokens.at(index + 1), tokens.at(index + 2))
