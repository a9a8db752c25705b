"""Any value, and an exception with its causes and the members of its group → text of bounded length for a log.

The standard library's traceback is as long as the chain of causes, and exponential in groups that share their members.
"""

from collections.abc import Iterator
from traceback import format_tb
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


MAX_EXCEPTIONS = 8
MAX_FRAMES = 16
"""Of one exception: the innermost."""

MAX_FRAME_CHARACTERS = 300
MAX_MESSAGE_CHARACTERS = 1_024

CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"
LEFT_OUT = "[earlier exceptions are left out]\n"


def text_of_error(error: BaseException) -> str:
    """Return what Python would print of `error`, the oldest exception first, cut where the newest need the room."""
    blocks: list[str] = []
    for link, each in _chain(error):
        block = "".join([*_frames(each, MAX_FRAMES), f"{message_of(each)}\n", *_notes(each), *_members(each), link])
        if blocks and len(block) > MAX_TEXT_CHARACTERS - sum(map(len, blocks)):
            blocks.append(LEFT_OUT)
            break
        blocks.append(block)
    return "".join(reversed(blocks)).rstrip("\n")


def message_of(error: BaseException) -> str:
    """Return the type of `error` and what it says of itself."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    text = cut(text_of(error), MAX_MESSAGE_CHARACTERS)
    return f"{name}: {text}" if text else name


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield the words between an exception and the next newer one, and the exception: the newest first."""
    link, left, seen = "", error, {id(error)}
    while True:
        yield link, left
        link = CAUSED if left.__cause__ else DURING
        earlier = left.__cause__ or (None if left.__suppress_context__ else left.__context__)
        if earlier is None or id(earlier) in seen:
            return
        left = earlier
        seen.add(id(left))


def _frames(error: BaseException, limit: int) -> Iterator[str]:
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        for frame in format_tb(error.__traceback__, limit=-limit):
            yield f"{cut(frame.rstrip('\n'), MAX_FRAME_CHARACTERS)}\n"


def _notes(error: BaseException) -> Iterator[str]:
    notes = getattr(error, "__notes__", None)
    for note in notes[:2] if isinstance(notes, list) else ():
        yield f"{cut(text_of(note), MAX_MESSAGE_CHARACTERS)}\n"


def _members(error: BaseException) -> Iterator[str]:
    """Yield the leaves of a group, which may hold groups."""
    left = [error] if isinstance(error, BaseExceptionGroup) else []
    for number in range(MAX_EXCEPTIONS if left else 0):
        while left and isinstance(left[-1], BaseExceptionGroup):
            left += reversed(left.pop().exceptions[: MAX_EXCEPTIONS - number])
        if not left:
            return
        member = left.pop()
        yield "".join([f"--- member {number + 1}\n", *_frames(member, 3), f"{message_of(member)}\n"])
