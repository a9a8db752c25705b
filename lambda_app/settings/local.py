"""For `make manage`, `make check` and pytest, on this machine."""

from lambda_app.settings.base import *  # noqa: F403
from serverless_django.settings import local

# Whatever passes its budget of queries fails, in a test and in a shell alike.
BUDGET_BREACHES = "refuse"

local(globals())
