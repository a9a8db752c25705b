"""What every test of the library shares; servers come from the plugin of serverless_django.testing."""

import json

import pytest

from tests.fresh_process import EVENTS
from tests.shared import *  # noqa: F403


@pytest.fixture
def event():
    """Return a reader of the sample project's events: `event("sqs/like")`."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text())
