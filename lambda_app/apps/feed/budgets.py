"""What a view or a task may cost, in one line above it; whoever runs the app may hold it to that, or not."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest


def budget[**P, R](**limits: float) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Put `limits`, such as queries=3, in the attribute `budget` of the function and of the request that calls it."""

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            if args and isinstance(args[0], HttpRequest):
                args[0].budget = limits  # type: ignore[attr-defined]
            return function(*args, **kwargs)

        measured.budget = limits  # type: ignore[attr-defined]
        return measured

    return declare
