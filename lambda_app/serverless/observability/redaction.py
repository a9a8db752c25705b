"""A log line → the same line without tokens, passwords and personal data, whoever wrote it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

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
"""Fields whose values never reach a log.  Who needs one there gives it another name, on purpose."""

NAMES = SECRET_NAMES | PERSONAL_NAMES

# Each with a piece of text without which it cannot match: looking for that costs a hundredth of the expression.
VALUES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("eyJ", re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),
    ("earer ", re.compile(r"([Bb]earer )[\w.~+/=-]+"), rf"\1{HIDDEN}"),
    ("@", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), HIDDEN),
    ("X-Amz-", re.compile(r"(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s\"']+"), rf"\1{HIDDEN}"),
    ("://", re.compile(r"(\w+://[^\s:/@\"']*:)[^\s@\"']+(?=@)"), rf"\1{HIDDEN}"),
    ("assw", re.compile(r"((?:password|passwd) ?[=:] ?)[^\s,;\"'\\]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # JSON within a string: what was quoted is quoted again.
    ('\\"', re.compile(rf'(\\"(?:{"|".join(sorted(NAMES))})\\"\s*:\s*\\")[^"\\]*', re.IGNORECASE), rf"\1{HIDDEN}"),
)


def hide_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` with the values of SECRET_NAMES and PERSONAL_NAMES replaced, however deep they lie."""
    return {name: HIDDEN if _is_secret(str(name)) else _hide_within(value) for name, value in fields.items()}


def hide_values(text: str) -> str:
    """Replace what looks like a token, a password or an e-mail address in `text`, which is JSON."""
    for sign, pattern, replacement in VALUES:
        if sign in text:
            text = pattern.sub(replacement, text)
    return text


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return name.lower() in NAMES


def _hide_within(value: Any) -> Any:
    if isinstance(value, dict):
        return hide_fields(value)
    if isinstance(value, list | tuple):
        return [_hide_within(item) for item in value]
    return value
