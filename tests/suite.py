"""`make test`: a fast member of each kind of test, in five minutes on two cores; `make test-nightly` has them all."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from xdist.scheduler import LoadScopeScheduling

from serverless_django.local.figures import write_figures

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
ALONE = ("tests/chaos", "tests/e2e", "tests/wheel")
"""Folders whose tests start whole systems: they run after the others, one after the other."""

TOGETHER = "tests/infrastructure"
GOALS = {"suite_s": "<= 300"}
NO_TESTS = 5
"""How pytest ends if it has collected nothing."""


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


def main() -> int:
    """Run both parts, write the figures, and return 0 if every test has passed, else 1.

    A slow machine does not fail: the goal of `suite_s` is printed, and is not the result.
    """
    chosen, started = sys.argv[1:], time.monotonic()
    together = ["-n", str(WORKERS), "-p", "tests.suite", *(f"--ignore={folder}" for folder in ALONE)]
    parts = [chosen] if chosen else [together, list(ALONE)]
    codes, tests = zip(*map(_run, parts), strict=True)
    write_figures("test", {"suite_s": round(time.monotonic() - started, 1), "tests": sum(tests)}, GOALS)
    return 0 if all(code in (0, NO_TESTS) for code in codes) and any(tests) else 1


def _run(arguments: list[str]) -> tuple[int, int]:
    """Return how pytest ends, and how many tests it has run."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # xunit1: tests record properties, which the default form has no place for.
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not nightly", "--durations=10", "-o",
                   "junit_family=xunit1", f"--junitxml={report}", *arguments]  # fmt: skip
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        suite = ET.parse(report).getroot().find("testsuite") if report.exists() else None  # noqa: S314 (our own file)
    return code, int(suite.attrib["tests"]) if suite is not None else 0


if __name__ == "__main__":
    sys.exit(main())
