"""Closes connections before a SnapStart snapshot; after a restore, renews random seeds, credentials and secrets.

One snapshot becomes many environments, hours or days later: they would share connections that are
long dead, "random" numbers, and credentials that have expired.
"""

import json
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import connections

from serverless_django.secrets import FALLBACKS, SECRET_KEY, load_secrets

CREDENTIAL_CACHES = (
    ("serverless_django.presigning", "session"),
    ("serverless_django.tasks.sqs", "client"),
)
"""Functions, cached, whose value holds credentials: module and name."""

RANDOM_BYTES = 64


def register_hooks() -> None:
    """Tell Lambda's runtime client what to do around a snapshot, if it is one that takes snapshots."""
    try:
        from snapshot_restore_py import register_after_restore, register_before_snapshot
    except ImportError:
        # The package is a part of the managed runtime, not of the bundle.
        return
    register_before_snapshot(prepare_snapshot)
    register_after_restore(renew)


def prepare_snapshot() -> None:
    """Close every connection to a database or a cache: the server will have forgotten it."""
    connections.close_all()
    for cache in caches.all(initialized_only=True):
        # Only this library's cache has the method; an isinstance check would import its module at each cold start.
        if disconnect := getattr(cache, "disconnect", None):
            disconnect()


def renew() -> None:
    """Make this environment differ from its siblings, and drop what may have expired."""
    _reseed()
    _forget_credentials()
    _renew_secrets()


def _reseed() -> None:
    # `secrets`, uuid4 and uuid7 ask the kernel each time, which Lambda reseeds itself.
    random.seed()
    if ssl := sys.modules.get("ssl"):
        ssl.RAND_add(random.SystemRandom().randbytes(RANDOM_BYTES), RANDOM_BYTES)


def _forget_credentials() -> None:
    """Drop sessions and clients, without importing modules that are not loaded."""
    for cached in _loaded_caches():
        cached.cache_clear()
    if boto3 := sys.modules.get("boto3"):
        boto3.DEFAULT_SESSION = None  # type: ignore[attr-defined]
    if storage := sys.modules.get("django.core.files.storage"):
        # Each keeps its own client.
        storage.storages._storages.clear()


def _renew_secrets() -> None:
    """Fetch the stage's secrets again: they may have changed since the snapshot was taken."""
    load_secrets()
    if SECRET_KEY in os.environ:
        settings.SECRET_KEY = os.environ[SECRET_KEY]
        settings.SECRET_KEY_FALLBACKS = json.loads(os.environ.get(FALLBACKS, "[]"))


def _loaded_caches() -> Iterator[Any]:
    for module, name in CREDENTIAL_CACHES:
        if module in sys.modules:
            yield getattr(sys.modules[module], name)
