"""`manage check` refuses an order of middleware in which one of them could not keep its promise."""

import random

import pytest

from lambda_app.settings import base
from serverless_django.http.checks import (
    APPS,
    IDEMPOTENCY,
    ORDER,
    disordered_middleware,
    middleware_without_app,
    unchecked_replays,
)

OURS = [name for name, _ in ORDER]
OTHERS = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]


def test_the_order_of_the_settings_passes():
    assert list(disordered_middleware(base.MIDDLEWARE)) == []


def test_every_middleware_of_the_settings_that_depends_on_order_is_looked_at():
    free = {"BudgetMiddleware", "ContentSecurityPolicyMiddleware"}
    installed = {name for name in base.MIDDLEWARE if name.startswith("serverless_django.")}

    assert {name.rpartition(".")[2] for name in installed - set(OURS)} == free


@pytest.mark.parametrize("seed", range(20))
def test_any_other_order_is_an_error(seed):
    shuffled = OURS.copy()
    random.Random(seed).shuffle(shuffled)

    found = list(disordered_middleware(shuffled))

    assert {error.id for error in found} == ({"serverless.E018"} if shuffled != OURS else set())


@pytest.mark.parametrize("missing", OURS)
def test_one_that_is_left_out_leaves_the_order_of_the_others(missing):
    assert list(disordered_middleware([name for name in [*OTHERS, *OURS] if name != missing])) == []


def test_the_error_names_both_and_the_reason():
    (error,) = disordered_middleware([OURS[7], OURS[5]])

    assert error.msg == (
        "MIDDLEWARE has serverless_django.http.middleware.ClaimsMiddleware after "
        "serverless_django.throttling.middleware.ThrottleMiddleware; it says who calls"
    )


def test_what_stands_behind_idempotency_would_be_left_out():
    (error,) = disordered_middleware([*OURS, "project.middleware.AuthenticationMiddleware"])

    assert (error.id, "before project.middleware" in error.msg) == ("serverless.E018", True)


def test_replays_without_a_check_of_the_caller_are_a_decision(settings):
    settings.REPLAY_CHECK = "django.contrib.auth.aget_user"
    assert list(unchecked_replays([IDEMPOTENCY])) == list(unchecked_replays([])) == []
    settings.REPLAY_CHECK = None
    assert list(unchecked_replays([IDEMPOTENCY])) == []
    del settings.REPLAY_CHECK

    (warning,) = unchecked_replays([IDEMPOTENCY])

    assert warning.id == "serverless.W019"


@pytest.mark.parametrize("middleware", APPS)
def test_a_middleware_that_keeps_rows_needs_its_app(settings, middleware):
    assert list(middleware_without_app([middleware])) == []
    settings.INSTALLED_APPS = ["serverless_django"]
    assert list(middleware_without_app([])) == []

    (error,) = middleware_without_app([middleware])

    assert (error.id, error.hint) == (
        "serverless.E022",
        f"Add {APPS[middleware]!r} to INSTALLED_APPS, or take the middleware out.",
    )
