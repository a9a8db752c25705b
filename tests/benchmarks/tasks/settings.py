"""The deployed behaviour on a PostgreSQL of the benchmark's own, with its one model and its one bulk task."""

import os
from dataclasses import replace

from lambda_app import topology
from serverless_django.contract.resources import TaskPolicy

# Before anything reads it: the task is declared as an app's would be.
topology.TOPOLOGY = replace(
    topology.TOPOLOGY, policies=(TaskPolicy(task="tests.benchmarks.tasks.tasks.insert_readings", bulk=True),)
)

from lambda_app.settings.local import *  # noqa: E402, F403
from lambda_app.settings.local import INSTALLED_APPS, TASK_QUEUE_NAMES  # noqa: E402

INSTALLED_APPS = [*INSTALLED_APPS, "tests.benchmarks.tasks"]
BUDGET_BREACHES = "ignore"
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"handlers": [], "level": "CRITICAL"}}
_endpoint = os.environ["AWS_ENDPOINT_URL"]
TASKS = {
    "default": {
        "BACKEND": "serverless_django.tasks.backend.SqsBackend",
        "QUEUES": TASK_QUEUE_NAMES,
        "OPTIONS": {"queue_urls": {name: f"{_endpoint}/000000000000/{name}" for name in TASK_QUEUE_NAMES}},
    }
}
