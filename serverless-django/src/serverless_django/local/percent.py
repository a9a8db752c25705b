"""Percent-decoding that refuses what is no escape, as API Gateway does for paths."""

import re
from urllib.parse import unquote

_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class InvalidEscapeError(ValueError):
    """A "%" in a path is not followed by two hexadecimal digits."""


def strictly_unquoted(text: str) -> str:
    """Decode "%41" to "A" everywhere in `text`; "+" stays.

    Raise InvalidEscapeError if a "%" starts no escape.
    """
    if stray := _STRAY_PERCENT.search(text):
        raise InvalidEscapeError(
            f"{text!r} has a % at position {stray.start()} that starts no escape; send %25 instead"
        )
    return unquote(text)
