"""What every test of this repository shares; servers come from the plugin of serverless_django.testing."""

from pathlib import Path

import hypothesis
import pytest

from serverless_django.testing import LambdaContext

__all__ = ["EVENTS", "LambdaContext"]

# The same examples at every run, and no folder of them: a failure here is a failure everywhere.
hypothesis.settings.register_profile("suite", max_examples=50, deadline=None, database=None, derandomize=True)
hypothesis.settings.load_profile("suite")

EVENTS = Path(__file__).parent.parent / "events"


@pytest.fixture(autouse=True)
def _no_aws_account(no_aws_account):
    """No test may reach an account by accident."""
