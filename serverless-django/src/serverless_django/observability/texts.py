"""Anything → text that UTF-8 can hold, and a long text → its beginning."""

from typing import Any

MAX_TEXT_CHARACTERS = 8_192


def cut(text: str, length: int = MAX_TEXT_CHARACTERS) -> str:
    """Return whole words of the beginning of `text`, at most `length` characters, and how much is left out.

    A word is left out as a whole, because half a token would not be recognised as one.
    """
    if len(text) <= length:
        return text
    words = text[:length].rsplit(None, 1)
    kept = words[0] if len(words) > 1 else ""
    return f"{kept} [{len(text) - len(kept):,} characters cut]"


def text_of(value: Any) -> str:
    """Return `value` as text, or the name of its type if it cannot be converted."""
    try:
        text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str.__str__(str(value))
    except Exception as error:  # noqa: BLE001 (code of the value, which may raise anything)
        return f"<{type(value).__name__} without a text: {type(error).__name__}>"
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
