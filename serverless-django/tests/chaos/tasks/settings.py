"""The deployed behaviour on the servers of a chaos run, with the bank's queue declared beside the project's."""

import os
from dataclasses import replace

from lambda_app.settings.base import *  # noqa: F403
from lambda_app.topology import TOPOLOGY
from serverless_django.contract.resources import Queue
from serverless_django.settings import local

SERVERLESS = {
    "TOPOLOGY": replace(TOPOLOGY, queues=(*TOPOLOGY.queues, Queue(name="statements", fifo=True, max_attempts=6)))
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"handlers": [], "level": os.environ.get("CHAOS_LOG", "CRITICAL")},
}
# The bank takes as many statements as it likes.
BUDGET_BREACHES = "report"

# AWS_ENDPOINT_URL is set: tasks go to SQS.
local(globals())
DATABASES["default"]["OPTIONS"] = {"sslmode": os.environ.get("PGSSLMODE", "prefer")}  # noqa: F405
