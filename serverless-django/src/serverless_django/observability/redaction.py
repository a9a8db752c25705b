"""What a log line says → the same without tokens, passwords and personal data, in time that grows with its length.

Clients choose much of what is logged, so no pattern may look at a character again and again: behind a repetition
without a limit no pattern has a part that could fail, and a quantifier with a second "+" gives nothing back.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

from serverless_django.observability.texts import MAX_TEXT_CHARACTERS, cut, text_of

HIDDEN = "[hidden]"

SECRET_NAMES = frozenset(
    {
        "access_token", "api_key", "apikey", "auth", "authorization", "aws_secret_access_key", "aws_session_token",
        "client_secret", "cookie", "cookies", "credentials", "id_token", "jwt", "passwd", "password", "pgpassword",
        "private_key", "refresh_token", "secret", "session", "sessionid", "set-cookie", "token", "x-api-key",
        "x-amz-security-token",
    }
)  # fmt: skip
PERSONAL_NAMES = frozenset(
    {
        "address", "birthdate", "date_of_birth", "email", "family_name", "first_name", "full_name", "given_name",
        "ip", "last_name", "phone", "phone_number", "preferred_username", "source_ip", "sourceip", "username",
    }
)  # fmt: skip
"""Fields whose values never reach a log.  To log such a value on purpose, give the field another name."""

NAMES = SECRET_NAMES | PERSONAL_NAMES

SECRET_ENDINGS = (
    "accesskey", "apikey", "authorization", "cookie", "cookies", "credential", "credentials", "passphrase", "passwd",
    "password", "privatekey", "secret", "secretkey", "sessionid", "signature", "token",
)  # fmt: skip
"""`db_password` and `x-csrf-token` are secrets, too: "-" and "_" in a name are ignored."""

MAX_NAME_CHARACTERS = 64
"""Names are a client's, too, and are kept to be compared; their ends tell enough."""


MAX_LINE_CHARACTERS = 32_768
"""Of all names and texts of a line.  One takes seven bytes at most, as "\\udce9", and CloudWatch takes 256 KB."""

MAX_ITEMS = 500
MAX_DEPTH = 8
MAX_INTEGER_BITS = 64


def hide_fields(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """Return `fields` without secrets, however deep they lie, as values that JSON has, as far as there is room."""
    return _Writer().object(fields, depth=0)


def hide_values(text: str) -> str:
    """Replace what looks like a token, a password or an e-mail address in `text`."""
    lowered = text.lower()
    for sign, hide in _PATTERNS:
        if sign in lowered:
            text = hide(text)
    return _hide_named(text) if ":" in text or "=" in text or "," in text else text


def may_hold_secrets(line: str) -> bool:
    """Tell at little cost, for a whole line of JSON, whether `hide_values` could find anything in its texts."""
    lowered = line.lower()
    return any(sign in lowered for sign in _SIGNS)


@lru_cache(maxsize=1024)
def is_hidden(name: str) -> bool:
    """Tell whether the field `name` is secret or personal."""
    return _is_secret(name) or name.lower() in PERSONAL_NAMES


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in SECRET_NAMES or lowered.replace("-", "").replace("_", "").endswith(SECRET_ENDINGS)


class _Writer:
    """Writes the fields of one line, while there is room."""

    __slots__ = ("_items", "_room")

    def __init__(self) -> None:
        self._items = MAX_ITEMS
        self._room = MAX_LINE_CHARACTERS

    def object(self, fields: Mapping[Any, Any], *, depth: int) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for key, value in fields.items():
            if self._items <= 0:
                written["[cut]"] = True
                break
            name = self._text(text_of(key))
            written[name] = HIDDEN if is_hidden(name[-MAX_NAME_CHARACTERS:]) else self._value(value, depth)
        return written

    def _list(self, values: Iterable[Any], *, depth: int) -> list[Any]:
        written: list[Any] = []
        for value in values:
            if self._items <= 0:
                written.append("[cut]")
                break
            written.append(self._value(value, depth))
        # Headers, as ASGI and http.client hold them: a name and its value.
        if len(written) == 2 and isinstance(written[0], str) and is_hidden(written[0][-MAX_NAME_CHARACTERS:]):
            written[1] = HIDDEN
        return written

    def _value(self, value: Any, depth: int) -> Any:
        self._items -= 1
        kind = type(value)
        if kind in _PLAIN or (kind is int and value.bit_length() <= MAX_INTEGER_BITS):
            return value
        try:
            return self._text(value) if kind is str else self._other(value, depth + 1)
        except Exception as error:  # noqa: BLE001 (code of the value, which may raise anything)
            return f"<{kind.__name__} that cannot be read: {type(error).__name__}>"

    def _other(self, value: Any, depth: int) -> Any:
        if not isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._text(text_of(value))
        if depth > MAX_DEPTH:
            return f"<{type(value).__name__} at depth {depth}>"
        return self.object(value, depth=depth) if isinstance(value, Mapping) else self._list(value, depth=depth)

    def _text(self, text: str) -> str:
        text = cut(text, min(self._room, MAX_TEXT_CHARACTERS))
        self._room -= len(text)
        return hide_values(text if text.isascii() else text_of(text))


_PLAIN = frozenset({bool, float, type(None)})

# --- By form ----------------------------------------------------------------------------------------------------------


def _hide_addresses(run: re.Match[str]) -> str:
    return HIDDEN if _ADDRESS.search(run[0]) else run[0]


def _hide_password(url: re.Match[str]) -> str:
    before, at, host = url[0].rpartition("@")
    user, colon, _ = before.removeprefix("://").partition(":")
    return f"://{user}:{HIDDEN}@{host}" if at and colon else url[0]


_ADDRESS = re.compile(r"[\w.+-](?:@|%40)[\w-]++\.[\w-]")

_AFTER_DETAIL = r"\n(?:(?:HINT|CONTEXT|QUERY): |Traceback |--- member|\nThe above exception|\nDuring handling)"

VALUES: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    ("eyj", re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*)*"), HIDDEN),
    ("bearer", re.compile(r"(bearer(?:[ :+]|%20){1,4})[\w.~+/=%-]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    ("basic", re.compile(r"(basic {1,4})[\w+/=-]{8,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    ("private key", re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY)(?:(?!-----END )[\s\S])*"), rf"\1{HIDDEN}"),
    ("://", re.compile(r"://[^\s\"'<>]+"), _hide_password),
    # What PostgreSQL adds to an error: the values of a row, on any number of lines, and a line of the statement.
    ("detail: ", re.compile(rf"(DETAIL: )(?:(?!{_AFTER_DETAIL})[\s\S])*"), rf"\1{HIDDEN}"),
    ("line ", re.compile(r"(LINE \d{1,6}: )[^\n]*"), rf"\1{HIDDEN}"),
    ("@", re.compile(r"[\w.+@%-]+"), _hide_addresses),
    ("%40", re.compile(r"[\w.+@%-]+"), _hide_addresses),
)
"""Each with a piece of lower-case text without which it cannot match: looking for that costs a hundredth of it."""

_PATTERNS = [(sign, partial(pattern.sub, replacement)) for sign, pattern, replacement in VALUES]

# --- By name ----------------------------------------------------------------------------------------------------------

# A name, in quotes or not, and what stands between it and its value: `password=`, `"token": "`, `(b'cookie', b'`.
_NAMED = re.compile(
    r"""(?<![\w-])(?P<name>[\w-]++)(?P<closed>\\{0,8}["'])?(?P<between>\]?[ \t]{0,4}(?:[=:]>?|,)[ \t]{0,4})"""
    r"""(?P<opened>[bBuUrR]{0,2}\\{0,8}["'])?"""
)
_WORD = re.compile(r"""(?:(?:bearer|basic|digest|token)[ ]{1,4})?(?:[^\s&"'\\]|\\(?!["']))*+""", re.IGNORECASE)
_LINE = re.compile(r"""(?:="[^"\r\n]*"?|[^\r\n"'\\]|\\(?![rn"']))*+""")
_BRACKETS = re.compile(r"[][{}()]")

_SIGNS = (
    *(sign for sign, _, _ in VALUES),
    "auth", "cookie", "credential", "jwt", "key", "pass", "secret", "session", "signature", "token",
    # A personal name counts only where there are quotes: "email": "ada", or email='ada'.
    '\\"', "'",
)  # fmt: skip


def _hide_named(text: str) -> str:
    parts, copied, position = [], 0, 0
    while match := _NAMED.search(text, position):
        position = match.end()
        if _is_hidden_here(match) and (end := _end_of_value(text, match)) > position:
            parts += [text[copied:position], HIDDEN]
            copied = position = end
    return "".join([*parts, text[copied:]])


def _is_hidden_here(match: re.Match[str]) -> bool:
    name = match["name"][-MAX_NAME_CHARACTERS:]
    if not is_hidden(name):
        return False
    if "," in match["between"]:
        return bool(match["closed"] and match["opened"])
    return _is_secret(name) or bool(match["closed"] or match["opened"])


def _end_of_value(text: str, match: re.Match[str]) -> int:
    """Return where the value ends: with its quotes or brackets, at a space, or with the line if it is a header."""
    start, opened = match.end(), match["opened"]
    if opened:
        end = _closing(opened[-1], opened.count("\\")).search(text, start)
        return end.start() if end else len(text)
    if text[start : start + 1] in ("[", "{", "("):
        return _end_of_brackets(text, start)
    rest = _LINE if match["name"].lower().endswith(("cookie", "cookies", "authorization")) else _WORD
    return rest.match(text, start).end()  # type: ignore[union-attr]


@lru_cache(maxsize=64)
def _closing(quote: str, backslashes: int) -> re.Pattern[str]:
    # A quote within the value has more backslashes before it than the one that ends it.
    return re.compile(rf"(?<!\\)\\{{0,{backslashes}}}{quote}")


def _end_of_brackets(text: str, start: int) -> int:
    depth = 0
    for bracket in _BRACKETS.finditer(text, start):
        depth += 1 if bracket[0] in "[{(" else -1
        if depth == 0:
            return bracket.end()
    return len(text)
