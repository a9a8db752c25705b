"""Settings that cost each request something, or that fail where a process is frozen, multiplied and behind a pooler."""

from collections.abc import Iterator, Mapping
from typing import Any

from serverless_django.doctor.facts import Facts
from serverless_django.doctor.findings import rule

COSTLY_US = 300
"""Of a middleware: a tenth of what a whole request takes here with one query."""

SHARED_CACHES = ("redis", "valkey", "memcached", "dummy")
"""In the name of a backend whose contents every process sees, or none."""

_APP_OF = {
    "django.contrib.messages.middleware.MessageMiddleware": "django.contrib.messages",
    "django.contrib.sites.middleware.CurrentSiteMiddleware": "django.contrib.sites",
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware": "django.contrib.redirects",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware": "django.contrib.flatpages",
}

type Found = Iterator[tuple[str, str]]


@rule("middleware")
def debug(facts: Facts) -> Found:
    if facts.debug:
        yield "DEBUG is on", "turn it off: Django keeps every statement of a process that lives for hours"


@rule("middleware")
def costly_middleware(facts: Facts) -> Found:
    for cost in facts.middleware:
        if cost.microseconds > COSTLY_US:
            yield (
                f"{cost.path} takes {cost.microseconds:,.0f} µs of every request, at most {COSTLY_US} are cheap",
                "leave it out, or let it work for the routes that need it",
            )


@rule("middleware")
def querying_middleware(facts: Facts) -> Found:
    for cost in facts.middleware:
        if cost.queries:
            yield f"{cost.path} sends {cost.queries} queries with every request", "read what it needs in the view"


@rule("middleware")
def idle_middleware(facts: Facts) -> Found:
    installed = {app.name for app in facts.apps}
    for cost in facts.middleware:
        app = _APP_OF.get(cost.path)
        if cost.path == "django.middleware.locale.LocaleMiddleware" and not facts.uses_i18n:
            yield f"{cost.path} has nothing to do: USE_I18N is off", "leave it out"
        elif app and app not in installed:
            yield f"{cost.path} has nothing to do: {app} is not installed", "leave it out"


@rule("apps")
def unused_app(facts: Facts) -> Found:
    for app in facts.apps:
        if app.unused_because:
            yield (
                f"{app.name} is installed and not used: {app.unused_because}",
                "take it out of INSTALLED_APPS: each cold start imports it",
            )


@rule("queries")
def sessions_in_database(facts: Facts) -> Found:
    if facts.session_engine == "django.contrib.sessions.backends.db":
        yield (
            "sessions are read from the database: a query with every request",
            "use the cache, signed cookies, or tokens that the gateway verifies",
        )


# --- connections ------------------------------------------------------------------------------------------------------


@rule("connections")
def connection_per_request(facts: Facts) -> Found:
    for alias, database in _postgresql(facts):
        if database.get("CONN_MAX_AGE", 0) == 0:
            yield (
                f"database {alias!r}: CONN_MAX_AGE is 0, so every request opens a connection",
                "set it to None: an environment serves one request at a time, and keeps one connection",
            )


@rule("connections")
def cursors_on_server(facts: Facts) -> Found:
    for alias, database in _postgresql(facts):
        if not database.get("DISABLE_SERVER_SIDE_CURSORS"):
            yield (
                f"database {alias!r}: iterator() opens cursors on the server, which pin a session or fail in a pooler",
                "set DISABLE_SERVER_SIDE_CURSORS to True",
            )


@rule("connections")
def no_connect_timeout(facts: Facts) -> Found:
    for alias, database in _postgresql(facts):
        if not database.get("OPTIONS", {}).get("connect_timeout"):
            yield (
                f"database {alias!r}: nothing bounds how long it takes to connect",
                "set OPTIONS['connect_timeout'] to some seconds: a gateway waits for 29",
            )


@rule("connections")
def unverified_server(facts: Facts) -> Found:
    for alias, database in _postgresql(facts):
        mode = database.get("OPTIONS", {}).get("sslmode", "prefer")
        if _is_remote(database) and mode != "verify-full":
            yield (
                f"database {alias!r}: sslmode is {mode!r}, so anyone in between may be the server",
                "set OPTIONS['sslmode'] to 'verify-full' and OPTIONS['sslrootcert']",
            )


@rule("connections")
def atomic_requests(facts: Facts) -> Found:
    for alias, database in _postgresql(facts):
        if database.get("ATOMIC_REQUESTS"):
            yield (
                f"database {alias!r}: ATOMIC_REQUESTS adds BEGIN and COMMIT to every request, also to those that read",
                "use transaction.atomic() where something is written",
            )


@rule("connections")
def pool_in_process(facts: Facts) -> Found:
    for alias, database in _postgresql(facts):
        if database.get("OPTIONS", {}).get("pool"):
            yield (
                f"database {alias!r}: a pool in a process that serves one request at a time holds idle connections",
                "remove OPTIONS['pool'], and keep one connection with CONN_MAX_AGE = None",
            )


# --- cache ------------------------------------------------------------------------------------------------------------


@rule("cache")
def cache_of_one_process(facts: Facts) -> Found:
    for alias, cache in facts.caches.items():
        backend = cache.get("BACKEND", "")
        if not any(kind in backend.lower() for kind in SHARED_CACHES):
            yield (
                f"cache {alias!r} is {backend}: each environment has its own, empty at its start",
                "use a server that all share, such as Valkey, or the dummy cache to have none",
            )


@rule("cache")
def cache_keys_without_prefix(facts: Facts) -> Found:
    for alias, cache in facts.caches.items():
        is_server = any(kind in cache.get("BACKEND", "").lower() for kind in SHARED_CACHES[:-1])
        if is_server and not cache.get("KEY_PREFIX"):
            yield (
                f"cache {alias!r} has no KEY_PREFIX: stages that share a server read each other's values",
                "set it to the name of the stage",
            )


@rule("cache")
def private_pages_cached(facts: Facts) -> Found:
    paths = {cost.path for cost in facts.middleware}
    if "django.middleware.cache.UpdateCacheMiddleware" in paths:
        yield (
            "UpdateCacheMiddleware keeps whole pages, also of members, unless each says Vary or private",
            "cache public views by cache_page() or get_or_set(), one by one",
        )


def _postgresql(facts: Facts) -> list[tuple[str, Mapping[str, Any]]]:
    found = facts.databases.items()
    return [(alias, database) for alias, database in found if "postgresql" in database.get("ENGINE", "")]


def _is_remote(database: Mapping[str, Any]) -> bool:
    host = str(database.get("HOST") or "")
    return bool(host) and not host.startswith(("/", "127.", "localhost", "::1"))
