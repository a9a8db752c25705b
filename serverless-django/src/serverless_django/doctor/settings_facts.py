"""Django's settings and registry → facts: what each middleware costs, which apps are not used."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.apps import AppConfig, apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import URLResolver, get_resolver
from django.utils.module_loading import import_string

from serverless_django.doctor.facts import AppUse, MiddlewareCost
from serverless_django.observability.recordings import recorded

ROUNDS = 15
REQUESTS_PER_ROUND = 20

type Chain = Callable[[HttpRequest], Any]

_NEEDS_MIDDLEWARE = {
    "django.contrib.sessions": "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.messages": "django.contrib.messages.middleware.MessageMiddleware",
}
_PARTS = ("urls", "views", "tasks", "signals", "templatetags", "management", "checks", "middleware", "api")


def read_settings() -> dict[str, Any]:
    """Return what the rules ask of the settings, by the names of Facts."""
    return {
        "debug": settings.DEBUG,
        "uses_i18n": settings.USE_I18N,
        "session_engine": settings.SESSION_ENGINE if _reads_sessions() else "",
        "databases": settings.DATABASES,
        "caches": settings.CACHES,
        "random_keys": tuple(_random_keys()),
        "apps": tuple(AppUse(config.name, _why_unused(config)) for config in apps.get_app_configs()),
    }


def measure_middleware() -> tuple[MiddlewareCost, ...]:
    """Return what each middleware adds to a request, with those before it in place: some need them."""
    paths = settings.MIDDLEWARE
    chains = [_chain(paths[:count]) for count in range(len(paths) + 1)]
    best = _fastest(chains)
    queries = [_queries_of(chain) for chain in chains]
    return tuple(
        MiddlewareCost(path, max(0.0, (best[place + 1] - best[place]) * 1e6), queries[place + 1] - queries[place])
        for place, path in enumerate(paths)
    )


def _chain(paths: list[str]) -> Chain:
    chain: Chain = lambda request: HttpResponse()  # noqa: E731
    for path in reversed(paths):
        chain = import_string(path)(chain)
    return chain


def _fastest(chains: list[Chain]) -> list[float]:
    """Return seconds per request of each chain: the best of many rounds, in turns, so that a busy machine is fair."""
    best = [float("inf")] * len(chains)
    for _ in range(ROUNDS):
        for place, chain in enumerate(chains):
            requests = [_request() for _ in range(REQUESTS_PER_ROUND)]
            started = time.perf_counter()
            for request in requests:
                chain(request)
            best[place] = min(best[place], (time.perf_counter() - started) / REQUESTS_PER_ROUND)
    return best


def _queries_of(chain: Chain) -> int:
    with recorded() as recording:
        chain(_request())
    return recording.count


def host() -> str:
    """Return a name that the project answers to."""
    return next((name for name in settings.ALLOWED_HOSTS if "*" not in name), "localhost").lstrip(".")


def _request() -> HttpRequest:
    return RequestFactory(SERVER_NAME=host()).get("/")


def _reads_sessions() -> bool:
    return _NEEDS_MIDDLEWARE["django.contrib.sessions"] in settings.MIDDLEWARE


def _random_keys() -> Iterator[str]:
    for model in apps.get_models():
        if getattr(model._meta.pk, "default", None) is uuid4:
            yield model._meta.label


def _why_unused(config: AppConfig) -> str:
    middleware = _NEEDS_MIDDLEWARE.get(config.name)
    if middleware and middleware not in settings.MIDDLEWARE:
        return f"{middleware.rpartition('.')[2]} is not in MIDDLEWARE"
    if config.name == "django.contrib.admin" and not _routes_to("admin"):
        return "no URL leads to it"
    if config.name.startswith("django.") or any(config.get_models()) or _has_parts(config):
        return ""
    return "it has neither models nor " + ", ".join(_PARTS)


def _routes_to(namespace: str) -> bool:
    patterns = get_resolver().url_patterns
    return any(isinstance(entry, URLResolver) and entry.namespace == namespace for entry in patterns)


def _has_parts(config: AppConfig) -> bool:
    names = {path.stem for path in Path(config.path).iterdir()}
    # What overrides ready() does its work there.
    return not names.isdisjoint(_PARTS) or "ready" in vars(type(config))
