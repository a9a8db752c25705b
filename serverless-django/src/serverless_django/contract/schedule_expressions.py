"""The text of a schedule → whether EventBridge Scheduler takes it, and whether it names any moment at all."""

import re

_RATE = re.compile(r"rate\([1-9]\d{0,8} (minute|hour|day)s?\)", re.ASCII)
_PART = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>[1-9]\d{0,3}))?", re.ASCII)
_SPECIAL_DAY = re.compile(r"L|LW|([1-9]|[12]\d|3[01])W", re.ASCII)
_SPECIAL_WEEKDAY = re.compile(r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])", re.ASCII)

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of each month, of February in a leap year."""


def is_possible(expression: str) -> bool:
    """Tell whether EventBridge Scheduler takes `expression` and it names a moment, which "31 February" does not.

    The rules are those of "Schedule types in EventBridge Scheduler" in its user guide.
    """
    if _RATE.fullmatch(expression):
        return True
    if not (expression.startswith("cron(") and expression.endswith(")")):
        return False
    fields = expression[len("cron(") : -1].split(" ")
    return len(fields) == 6 and _is_cron(*fields)


def _is_cron(minute: str, hour: str, day: str, month: str, weekday: str, year: str) -> bool:
    if (day == "?") == (weekday == "?"):
        return False
    months = _numbers(month, 1, 12, _MONTHS)
    if weekday == "?":
        fits = bool(_SPECIAL_DAY.fullmatch(day)) or _has_day(_numbers(day, 1, 31), months)
    else:
        fits = bool(_SPECIAL_WEEKDAY.fullmatch(weekday) or _numbers(weekday, 1, 7, _WEEKDAYS))
    return bool(months and fits and _numbers(minute, 0, 59) and _numbers(hour, 0, 23) and _numbers(year, 1970, 2199))


def _has_day(days: set[int], months: set[int]) -> bool:
    return bool(days) and min(days) <= max((_LONGEST[month - 1] for month in months), default=0)


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    """Return every number that `field` names, none if any part of it cannot be read."""
    parts = [_part(part, low, high, names) for part in field.split(",")]
    return set().union(*parts) if all(parts) else set()


def _part(text: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    if not (match := _PART.fullmatch(text)):
        return set()
    first, last = match["first"], match["last"]
    if first == "*" and not last:
        first, last = str(low), str(high)
    # "5/10" is every tenth from the fifth on.
    last = last or (str(high) if match["step"] else first)
    start, end = _number(first, low, high, names), _number(last, low, high, names)
    if start is None or end is None:
        return set()
    # "22-2" goes on past midnight.
    span = range(start, end + 1) if start <= end else [*range(start, high + 1), *range(low, end + 1)]
    return set(span[:: int(match["step"] or 1)])


def _number(text: str, low: int, high: int, names: tuple[str, ...]) -> int | None:
    if text in names:
        return low + names.index(text)
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII):
        return None
    return int(text) if low <= int(text) <= high else None
