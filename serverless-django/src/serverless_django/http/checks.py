"""System checks: middleware stands in the order that its promises need, and no answer is replayed unasked."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks

IDEMPOTENCY = "serverless_django.idempotency.middleware.IdempotencyMiddleware"
THROTTLING = "serverless_django.throttling.middleware.ThrottleMiddleware"
APPS = {IDEMPOTENCY: "serverless_django.idempotency", THROTTLING: "serverless_django.throttling"}
"""Middleware that keeps rows → the app with its table."""

ORDER: Sequence[tuple[str, str]] = (
    ("serverless_django.http.compression.CompressionMiddleware", "compresses what all others have written"),
    ("serverless_django.http.problems.ProblemDetailsMiddleware", "gives every refusal its form and its id"),
    ("serverless_django.http.middleware.HeadMiddleware", "asks what stands behind it a second time"),
    ("serverless_django.http.conditional.ConditionalGetMiddleware", "repeats on a 304 what the others have set"),
    ("serverless_django.caching.privacy.PrivateByDefaultMiddleware", "judges every header that decides on caching"),
    ("serverless_django.http.middleware.ClaimsMiddleware", "says who calls"),
    ("serverless_django.identity.middleware.BearerTokenMiddleware", "says who calls"),
    (THROTTLING, "counts each repetition, by who calls"),
    (IDEMPOTENCY, "leaves out on a repetition whatever stands behind it"),
)
"""Each must stand before those that follow here, for the reason beside it; others may stand between."""


@checks.register
def check_middleware(**kwargs: Any) -> list[checks.CheckMessage]:
    return [
        *disordered_middleware(settings.MIDDLEWARE),
        *middleware_without_app(settings.MIDDLEWARE),
        *unchecked_replays(settings.MIDDLEWARE),
    ]


def disordered_middleware(installed: Sequence[str]) -> Iterator[checks.CheckMessage]:
    """Yield E018 for each middleware of `installed` that stands before one which it must follow."""
    ranks = {name: rank for rank, (name, _) in enumerate(ORDER)}
    ours = [name for name in installed if name in ranks]
    for former, latter in pairwise(ours):
        if ranks[latter] < ranks[former]:
            yield _misplaced(latter, f"after {former}")
    if IDEMPOTENCY in installed and installed[-1] != IDEMPOTENCY:
        yield _misplaced(IDEMPOTENCY, f"before {installed[-1]}")


def middleware_without_app(installed: Sequence[str]) -> Iterator[checks.CheckMessage]:
    """Yield E022 for each middleware of `installed` that keeps rows, and whose app is not in INSTALLED_APPS."""
    for name, app in APPS.items():
        if name in installed and not apps.is_installed(app):
            yield checks.Error(
                f"MIDDLEWARE has {name}, whose table does not exist without its app",
                hint=f"Add {app!r} to INSTALLED_APPS, or take the middleware out.",
                id="serverless.E022",
            )


def unchecked_replays(installed: Sequence[str]) -> Iterator[checks.CheckMessage]:
    """Yield W019 if `installed` replays stored answers without asking whether the caller may still read them."""
    if IDEMPOTENCY in installed and not hasattr(settings, "REPLAY_CHECK"):
        yield checks.Warning(
            "IdempotencyMiddleware replays answers to callers who were blocked since",
            hint="Let REPLAY_CHECK name a function of the request that raises PermissionDenied, or set it to None.",
            id="serverless.W019",
        )


def _misplaced(name: str, where: str) -> checks.CheckMessage:
    return checks.Error(
        f"MIDDLEWARE has {name} {where}; it {dict(ORDER)[name]}",
        hint=f"Keep this order, with any others between: {', '.join(each.rpartition('.')[2] for each, _ in ORDER)}.  "
        "IdempotencyMiddleware is the last of all.",
        id="serverless.E018",
    )
