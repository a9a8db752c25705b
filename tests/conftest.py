"""What every test of this repository shares; servers come from the plugin of serverless_django.testing."""

from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from serverless_django.testing import LambdaContext

__all__ = ["EVENTS", "LambdaContext"]

# The same examples at every run, and no folder of them: a failure here is a failure everywhere.
hypothesis.settings.register_profile("suite", max_examples=50, deadline=None, database=None, derandomize=True)
hypothesis.settings.load_profile("suite")

SEEN = pytest.StashKey[Counter[str]]()
EVENTS = Path(__file__).parent.parent / "events"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave to the night what is beyond the first N parameters of a test that is marked `daily(N)`."""
    if daily := item.get_closest_marker("daily"):
        seen = item.config.stash.setdefault(SEEN, Counter())
        name = item.nodeid.partition("[")[0]
        seen[name] += 1
        if seen[name] > daily.args[0]:
            item.add_marker(pytest.mark.nightly)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Escape half surrogate pairs, which tests print on purpose: a worker of pytest-xdist cannot send them."""
    return _escaped((yield))


def _escaped(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {_escaped(key): _escaped(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(map(_escaped, value))
    return value


@pytest.fixture(autouse=True)
def _no_aws_account(no_aws_account):
    """No test may reach an account by accident."""
