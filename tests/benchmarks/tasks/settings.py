"""The deployed behaviour on a PostgreSQL of the benchmark's own, with its one model and its one bulk task."""

from lambda_app.settings.base import *  # noqa: F403
from lambda_app.settings.base import INSTALLED_APPS
from serverless_django.settings import local

INSTALLED_APPS = [*INSTALLED_APPS, "tests.benchmarks.tasks"]
BUDGET_BREACHES = "ignore"
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"handlers": [], "level": "CRITICAL"}}

# AWS_ENDPOINT_URL is set: tasks go to SQS.
local(globals())
