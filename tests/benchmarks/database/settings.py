"""The deployed application, on the database backend and the connections of one variant, through TLS and the pooler."""

import os
from typing import Any

from lambda_app.settings.base import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.http.urls"
ALLOWED_HOSTS = ["localhost"]
LOGGING_CONFIG = None
TASKS = {"default": {"BACKEND": "serverless_django.tasks.in_process.DummyBackend", "QUEUES": []}}
BUCKET_NAMES = {"media": "media"}

OURS: dict[str, Any] = {
    "ENGINE": "serverless_django.postgresql",
    "CONN_MAX_AGE": None,
    "OPTIONS": {"iam": True, "pinning_statements": "report"},
}
STOCK: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql", "USER": "stock", "PASSWORD": "benchmark"}
"""As Django's documentation and defaults have it: a connection for each request, and a password."""

LASTING: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None}
"""Nothing but a connection that stays: no look at it, no guard, no bound."""

_variant = {"ours": OURS, "stock": STOCK, "lasting": LASTING}[os.environ["VARIANT"]]
_tls = {"sslmode": "verify-full", "sslrootcert": os.environ["CA"]} if os.environ.get("CA") else {"sslmode": "disable"}

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": "app",
        "NAME": "app",
        "DISABLE_SERVER_SIDE_CURSORS": True,
        **_variant,
        # Two cores carry every environment, the pooler and the server here: a storm must be able to wait for them.
        "OPTIONS": {**_variant.get("OPTIONS", {}), **_tls, "connect_timeout": 25},
    }
}
