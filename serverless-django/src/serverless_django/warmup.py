"""Starts Django while Lambda initialises, and makes what the first request would load or build, without a connection.

The init phase has a full processor whatever the function's memory, and a snapshot of SnapStart keeps what it made.
"""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from django.utils.module_loading import autodiscover_modules

from serverless_django.observability.uncaught import log_what_python_prints
from serverless_django.secrets import load_secrets, provide_urls
from serverless_django.snapstart import register_hooks


@contextmanager
def uncollected() -> Iterator[None]:
    """Disable the garbage collector inside the block, then freeze what was allocated.

    Those objects live as long as the process, so that no later collection has to visit them.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@uncollected()
def start_django() -> None:
    """Load settings and apps, and be ready for a snapshot.

    Call it while a handler module is imported: Lambda gives the init phase a full vCPU
    whatever the function's memory.
    """
    load_secrets()
    provide_urls()
    django.setup()
    log_what_python_prints()
    register_hooks()


logger = logging.getLogger(__name__)

PROBE_PATH = "/healthz"
"""Passes the adapter, the middleware and all URLs, and calls nothing outside of the process."""


class InitContext:
    """Stands for Lambda's context object, of which there is none before the first event."""

    aws_request_id = "init"
    function_name = ""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 5_000


@uncollected()
def prime_http(respond: Callable[[dict[str, Any], Any], Any]) -> None:
    """Have `respond` answer a probe, and prepare Django for the queries of the request after it."""
    _attempt("queries", _prime_queries)
    _attempt("a request", lambda: respond(probe_event(settings.ALLOWED_HOSTS[0]), InitContext()))


@uncollected()
def prime_tasks() -> None:
    """Import the tasks of every app, and prepare Django for their queries."""
    _attempt("queries", _prime_queries)
    _attempt("tasks", lambda: autodiscover_modules("tasks"))


def probe_event(host: str) -> dict[str, Any]:
    """Return the event, in payload format 2.0, of a request to `host` for PROBE_PATH."""
    http = {"method": "GET", "path": PROBE_PATH, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "init"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": PROBE_PATH,
        "rawQueryString": "",
        "headers": {"host": host, "accept": "application/json", "x-forwarded-proto": "https"},
        "requestContext": {"http": http, "requestId": "init", "stage": "$default", "domainName": host},
        "isBase64Encoded": False,
    }


def _attempt(what: str, prime: Callable[[], object]) -> None:
    try:
        prime()
    except BaseException:
        # What is broken fails the requests that need it, each with an answer; a failed init would fail all of them.
        # A module may raise anything while it is imported, SystemExit too.
        logger.exception("could not prime %s", what)


def _prime_queries() -> None:
    get_adapters_template(settings.USE_TZ, settings.TIME_ZONE)
    for model in apps.get_models():
        # Compiled and dropped: what stays is what Django keeps of columns, relations and the SQL compiler.
        str(model._base_manager.order_by("pk")[:1].query)
