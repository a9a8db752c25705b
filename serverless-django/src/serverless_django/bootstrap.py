"""Django is started once per execution environment, while Lambda initialises it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import django

from serverless_django.observability.uncaught import log_what_python_prints
from serverless_django.secrets import load_secrets, provide_urls
from serverless_django.snapshots import register_hooks


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
