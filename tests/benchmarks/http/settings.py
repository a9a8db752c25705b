"""The deployed application with three views more, on a database without TLS: only what leads to Django differs."""

import os

from lambda_app.settings.base import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.http.urls"
ALLOWED_HOSTS = ["localhost"]
LOGGING_CONFIG = None

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": os.environ["PGUSER"],
        "NAME": os.environ["PGDATABASE"],
        "CONN_MAX_AGE": None,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        # PostgreSQL's log names the variant that a connection belongs to.
        "OPTIONS": {"application_name": os.environ.get("VARIANT", "benchmark")},
    }
}

TASKS = {"default": {"BACKEND": "serverless_django.tasks.in_process.DummyBackend", "QUEUES": []}}
BUCKET_NAMES = {"media": "media"}
# As deployed: signing its URLs is part of a feed page's price.
STORAGES = {
    "media": {
        "BACKEND": "serverless_django.s3.storage.S3Storage",
        "OPTIONS": {"bucket_name": "media"},
    }
}
