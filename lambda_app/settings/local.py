"""For `uv run manage`, `make check` and pytest: whatever runs here, and nothing that must.

The database is that of libpq's variables (PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD).
With AWS_ENDPOINT_URL tasks and objects go to that AWS, otherwise they stay in the process and
a temporary folder.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from lambda_app.settings.base import *  # noqa: F403
from lambda_app.settings.base import TASK_QUEUE_NAMES
from lambda_app.topology import TOPOLOGY
from serverless_django.objects.options import storage_options

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]

DATABASES = {
    "default": {
        "ENGINE": "serverless_django.postgresql",
        "HOST": os.environ.get("PGHOST", ""),
        "PORT": os.environ.get("PGPORT", ""),
        "NAME": os.environ.get("PGDATABASE", "app"),
        "USER": os.environ.get("PGUSER", ""),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "CONN_MAX_AGE": None,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {"pinning_statements": "refuse", "connect_timeout": 3},
    }
}

_endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
_account_url = f"{_endpoint}/000000000000"
_folder = Path(tempfile.gettempdir()) / "serverless-django"

# Whatever passes its budget of queries fails, in a test and in a shell alike.
BUDGET_BREACHES = "refuse"

BUCKET_NAMES = {bucket.name: bucket.name for bucket in TOPOLOGY.buckets}


def _tasks() -> dict[str, Any]:
    if not _endpoint:
        return {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}
    urls = {name: f"{_account_url}/{name}" for name in TASK_QUEUE_NAMES}
    return {"BACKEND": "serverless_django.tasks.backend.SqsBackend", "OPTIONS": {"queue_urls": urls}}


def _storage(name: str) -> dict[str, Any]:
    if _endpoint:
        options = storage_options(name, names=BUCKET_NAMES, domains={})
        return {"BACKEND": "serverless_django.objects.storage.S3Storage", "OPTIONS": options}
    return {
        "BACKEND": "serverless_django.objects.folder.FolderStorage",
        "OPTIONS": {"location": _folder / name, "base_url": f"/objects/{name}/", "allow_overwrite": True},
    }


TASKS = {"default": {"QUEUES": TASK_QUEUE_NAMES, **_tasks()}}
STORAGES = {bucket.name: _storage(bucket.name) for bucket in TOPOLOGY.buckets}
