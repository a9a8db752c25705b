"""What a view or a task may cost, in one line above it: a breach fails a test, and is a metric in production."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache, wraps
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest


class InvalidBudgetError(ValueError):
    """A budget names a limit that does not exist, or gives it no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that one request or one task may take."""

    queries: int = 10
    repeats: int = 3
    """How often one line may send one statement, whatever its values."""

    sql_ms: float = 50
    slowest_query_ms: float = 20
    response_ms: float = 100
    response_bytes: int = 500_000


def budget_with(limits: Mapping[str, Any]) -> Budget:
    """Return the budget with `limits`, such as {"queries": 3}, in the place of the numbers above.

    Raise InvalidBudgetError if a limit does not exist or is no number.
    """
    return _budget(tuple(limits), *limits.values())


# For each request: a budget is checked and made once.
@lru_cache(maxsize=512, typed=True)
def _budget(limits: tuple[str, ...], *values: Any) -> Budget:
    names = [field.name for field in fields(Budget)]
    for name, value in zip(limits, values, strict=True):
        if name not in names:
            raise InvalidBudgetError(f"a budget has no limit {name!r}; it has {', '.join(names)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidBudgetError(f"the limit {name} of a budget should be a number, got {value!r}")
    return Budget(**dict(zip(limits, values, strict=True)))


def budget[**P, R](**limits: float) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that declares `limits`, fields of `Budget`, for a view or for the function of a task.

    A view may be sync, async or a method of a class, such as `get` of a class-based view or of an APIView of Django
    REST Framework.  Stand below `@task`, and below the decorator of a route.

    Raise InvalidBudgetError if a limit does not exist or is no number.
    """
    budget_with(limits)

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            if (request := _request_among(args)) is not None:
                request.budget = limits  # type: ignore[attr-defined]
            return function(*args, **kwargs)

        measured.budget = limits  # type: ignore[attr-defined]
        return markcoroutinefunction(measured) if iscoroutinefunction(function) else measured

    return declare


def _request_among(args: tuple[Any, ...]) -> HttpRequest | None:
    # Second where a method is called; `_request` is what a request of Django REST Framework wraps.
    candidates = (getattr(argument, "_request", argument) for argument in args[:2])
    return next((candidate for candidate in candidates if isinstance(candidate, HttpRequest)), None)
