"""Whether work grows with the length of a text, and not with its square: by the form of a pattern, and by a ratio."""

import gc
import re
import time
from collections.abc import Callable, Iterator, Sequence
from re import _constants as codes
from re import _parser as parser
from typing import Any

MANY = 256
"""A repetition that may go on for longer counts as one without a limit."""

SHORT, LONG = 25_000, 100_000
MAX_RATIO = 9
"""Of LONG to SHORT: 4 if work is linear, 16 if it is quadratic."""

LEAST_SECONDS = 0.002
RUNS = 4


def faults_of(pattern: re.Pattern[str]) -> list[str]:
    """Return each repetition without a limit that is given back, or begun again at the next character."""
    parsed = list(parser.parse(pattern.pattern, pattern.flags))
    begins_once = bool(parsed) and parsed[0][0] is codes.ASSERT_NOT
    return list(_faults(parsed, may_fail_after=False, is_start=not begins_once))


def _faults(parsed: Sequence[Any], *, may_fail_after: bool, is_start: bool) -> Iterator[str]:
    for number, (code, argument) in enumerate(parsed):
        fails_later = may_fail_after or any(map(_may_fail, parsed[number + 1 :]))
        starts = is_start and not any(map(_may_fail, parsed[:number]))
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            least, most, inner = argument
            if most > MANY and fails_later and code is not codes.POSSESSIVE_REPEAT:
                yield f"{inner} is repeated without a limit, and what follows may fail"
            elif most > MANY and fails_later and starts:
                yield f"{inner} is repeated without a limit from each character on"
            # Within a repetition that cannot fail once it has begun, the next round may.
            yield from _faults(inner, may_fail_after=fails_later and least > 0, is_start=starts)
        else:
            for inner in _parts(code, argument):
                yield from _faults(inner, may_fail_after=fails_later, is_start=starts)


def _parts(code: Any, argument: Any) -> list[Any]:
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code is codes.BRANCH:
        return list(argument[1])
    return [argument[1]] if code in (codes.ASSERT, codes.ASSERT_NOT) else []


def _may_fail(item: Any) -> bool:
    code, argument = item
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return argument[0] > 0 and any(map(_may_fail, argument[2]))
    if code is codes.SUBPATTERN:
        return any(map(_may_fail, argument[3]))
    if code is codes.BRANCH:
        return all(any(map(_may_fail, branch)) for branch in argument[1])
    return True


def grows_linearly(work: Callable[[str], Any], unit: str) -> bool:
    """Tell whether `work` on LONG characters of `unit` takes a few times that on SHORT ones, in time of the CPU."""
    for _ in range(RUNS):
        short, long = (_seconds(work, (unit * (length // len(unit) + 1))[:length]) for length in (SHORT, LONG))
        if long <= MAX_RATIO * max(short, LEAST_SECONDS):
            return True
    return False


def _seconds(work: Callable[[str], Any], text: str) -> float:
    # A collection looks at all that the tests before have left, which is no work on `text`.
    gc.collect()
    gc.disable()
    try:
        started = time.process_time()
        work(text)
        return time.process_time() - started
    finally:
        gc.enable()
