"""System checks of each database with this backend: what RDS Proxy refuses or pins at, and what a freeze breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.core import checks
from django.db import connections

if TYPE_CHECKING:
    from serverless_django.postgresql.base import DatabaseWrapper

MAX_CONNECT_TIMEOUT_SECONDS = 5


@checks.register(checks.Tags.compatibility)
def check_databases(**kwargs: Any) -> list[checks.CheckMessage]:
    """Look at settings only: no check connects."""
    # Late: a function registers checks, and never runs them.
    from serverless_django.postgresql.base import DatabaseWrapper

    wrappers = (connections[alias] for alias in connections)
    return [message for wrapper in wrappers if isinstance(wrapper, DatabaseWrapper) for message in _faults(wrapper)]


def _faults(wrapper: DatabaseWrapper) -> Iterator[checks.CheckMessage]:
    settings, options = wrapper.settings_dict, wrapper.settings_dict["OPTIONS"]
    yield from _sessions_that_pin(wrapper, options)
    if options.get("pool"):
        yield _error(
            wrapper,
            "OPTIONS['pool'] keeps connections on threads that Lambda freezes, all with the token of the first",
            "Remove it: one environment serves one request at a time, and the proxy is the pool.",
            "E011",
        )
    if settings["CONN_MAX_AGE"] is not None:
        yield checks.Warning(
            f"database {wrapper.alias!r} has CONN_MAX_AGE {settings['CONN_MAX_AGE']!r}, so requests open connections",
            hint="Set it to None: the backend replaces a connection that died, and a connect costs forty queries.",
            obj=wrapper.alias,
            id="serverless.W012",
        )
    if options.get("iam") and options.get("sslmode") != "verify-full":
        yield _error(
            wrapper,
            f"a token would be sent to a server that is not verified: sslmode is {options.get('sslmode')!r}",
            "Set OPTIONS['sslmode'] to 'verify-full' and OPTIONS['sslrootcert'] to the certificates of RDS.",
            "E013",
        )
    if not 1 <= float(options.get("connect_timeout", 1)) <= MAX_CONNECT_TIMEOUT_SECONDS:
        yield _error(
            wrapper,
            f"OPTIONS['connect_timeout'] is {options['connect_timeout']!r}: a client would wait for a dead database",
            f"Set it to 1 to {MAX_CONNECT_TIMEOUT_SECONDS} seconds.",
            "E014",
        )


def _sessions_that_pin(wrapper: DatabaseWrapper, options: dict[str, Any]) -> Iterator[checks.CheckMessage]:
    if options.get("pinning_statements", "allow") == "allow":
        return  # it does not pass the proxy, or the settings say that it does not matter
    for name, reason in PINNING_OPTIONS.items():
        if options.get(name) is not None and options[name] is not False:
            yield _error(wrapper, f"OPTIONS[{name!r}] {reason}", PINNING_HINTS[name], "E015")
    if not wrapper.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
        yield _error(
            wrapper,
            "DISABLE_SERVER_SIDE_CURSORS is off: iterator() would pin the session",
            "Set it to True.",
            "E016",
        )
    if wrapper.timezone_name not in (None, "UTC"):
        yield _error(
            wrapper,
            f"its time zone is {wrapper.timezone_name!r}, which each connect would have to set and so pin the session",
            "Leave USE_TZ on and TIME_ZONE out of the database's settings: the role says UTC.",
            "E017",
        )


PINNING_OPTIONS = {
    "options": "is refused by RDS Proxy, which takes no command-line options",
    "assume_role": "sends SET ROLE at each connect, which pins the session",
    "prepare_threshold": "makes prepared statements, which pin the session",
    "server_side_binding": "binds also where Django's SQL cannot be; long statements are bound on the server anyway",
}
PINNING_HINTS = {
    "options": "Set the parameter on the role, with ALTER ROLE ... SET.",
    "assume_role": "Connect as the role itself.",
    "prepare_threshold": "Remove it.",
    "server_side_binding": "Remove it.",
}


def _error(wrapper: DatabaseWrapper, fault: str, hint: str, number: str) -> checks.Error:
    return checks.Error(f"database {wrapper.alias!r}: {fault}", hint=hint, obj=wrapper.alias, id=f"serverless.{number}")
