"""The benchmark's application with, if their variables are set, a cache and another answer to a broken budget."""

import logging
import os

from tests.benchmarks.http.settings import *  # noqa: F403

# What is over its budget on a busy machine is in the table.
logging.getLogger("serverless_django.observability").setLevel(logging.ERROR)

BUDGET_BREACHES = os.environ.get("BUDGET_BREACHES", "report")

if "CACHE_URL" in os.environ:
    CACHES = {
        "default": {
            "BACKEND": "serverless_django.caching.valkey.ValkeyCache",
            "LOCATION": os.environ["CACHE_URL"],
            "KEY_PREFIX": "benchmark",
        }
    }
