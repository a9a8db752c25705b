"""What the tests of the library and those of the project share: `from tests.shared import *` in a conftest."""

from collections import Counter
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

# The same examples at every run, and no folder of them: a failure here is a failure everywhere.
hypothesis.settings.register_profile("suite", max_examples=50, deadline=None, database=None, derandomize=True)
hypothesis.settings.load_profile("suite")

TOGETHER = "tests/infrastructure"
SEEN = pytest.StashKey[Counter[str]]()


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Give a worker whole files, and one worker the folder whose files share a synth of each stage.

    Groups by the marker `xdist_group` have no effect under pytest 9.2: its nodes keep no id that xdist could mark.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER if file.startswith(f"{TOGETHER}/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Let pytest-xdist share the tests out as `ByFile` says."""
    return ByFile(config, log)


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
def no_account_by_accident(no_aws_account):
    """No test may reach an account by accident."""
