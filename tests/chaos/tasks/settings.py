"""The deployed behaviour on the servers of a chaos run, with the bank's tasks declared beside the feed's."""

import os
from dataclasses import replace
from datetime import timedelta

from lambda_app import topology
from serverless_django.contract.resources import Queue, TaskPolicy

# Before anything reads it: the bank's bulk tasks are declared as an app's would be.
topology.TOPOLOGY = replace(
    topology.TOPOLOGY,
    queues=(*topology.TOPOLOGY.queues, Queue(name="statements", fifo=True, max_attempts=6)),
    policies=(
        TaskPolicy(task="tests.chaos.tasks.bank.transfer_all", bulk=True),
        TaskPolicy(task="tests.chaos.tasks.bank.note_all", bulk=True),
        TaskPolicy(task="tests.chaos.tasks.bank.write_line", group_by="name", retry_after=timedelta(milliseconds=500)),
    ),
)

from lambda_app.settings.local import *  # noqa: E402, F403
from lambda_app.settings.local import DATABASES, TASK_QUEUE_NAMES  # noqa: E402

DATABASES["default"]["OPTIONS"] = {"sslmode": os.environ.get("PGSSLMODE", "prefer")}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"handlers": [], "level": os.environ.get("CHAOS_LOG", "CRITICAL")},
}
# The bank takes as many statements as it likes.
BUDGET_BREACHES = "report"
_endpoint = os.environ["AWS_ENDPOINT_URL"]
TASKS = {
    "default": {
        "BACKEND": "serverless_django.tasks.backend.SqsBackend",
        "QUEUES": TASK_QUEUE_NAMES,
        "OPTIONS": {
            "queue_urls": {
                name: f"{_endpoint}/000000000000/{name}{'.fifo' * (name in topology.TOPOLOGY.fifo_queues)}"
                for name in TASK_QUEUE_NAMES
            }
        },
    }
}
