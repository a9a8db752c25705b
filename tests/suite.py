"""`make test`: a fast member of each kind of test, in five minutes on two cores; `make test-nightly` has them all."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.figures import write_figures

PROJECT = Path(__file__).resolve().parents[1]
LIBRARY = PROJECT / "serverless-django"
OWNERS = tuple(folder for folder in (LIBRARY, PROJECT) if (folder / "tests").exists())
WORKERS = 2
ALONE = ("tests/chaos", "tests/e2e", "tests/wheel")
"""Folders whose tests start whole systems, one by one, beside the others: they wait more than they work."""

GOALS = {"suite_s": "<= 300"}
NO_TESTS = 5
"""How pytest ends if it has collected nothing."""


def main() -> int:
    """Run every part, write the figures, and return 0 if every test has passed, else 1.

    A slow machine does not fail: the goal of `suite_s` is printed, and is not the result.
    """
    started = time.monotonic()
    if len(sys.argv) > 1:
        results = [run(*_chosen(sys.argv[1:]))]
    else:
        with ThreadPoolExecutor() as aside:
            alone = aside.submit(lambda: [run(*part, is_captured=True) for part in _alone()])
            results = [run(*part) for part in _together()] + alone.result()
    codes, tests = zip(*results, strict=True)
    write_figures("test", {"suite_s": round(time.monotonic() - started, 1), "tests": sum(tests)}, GOALS)
    return 0 if all(code in (0, NO_TESTS) for code in codes) and any(tests) else 1


def _together() -> Iterator[tuple[Path, list[str]]]:
    for folder in OWNERS:
        yield folder, ["-n", str(WORKERS), *(f"--ignore={name}" for name in ALONE)]


def _alone() -> Iterator[tuple[Path, list[str]]]:
    for folder in OWNERS:
        if names := [name for name in ALONE if (folder / name).exists()]:
            yield folder, names


def _chosen(arguments: list[str]) -> tuple[Path, list[str]]:
    """Return where tests that are named by their paths run: those of the library in its folder."""
    prefix = f"{LIBRARY.name}/"
    if any(argument.startswith(prefix) for argument in arguments):
        return LIBRARY, [argument.removeprefix(prefix) for argument in arguments]
    return PROJECT, arguments


def run(
    folder: Path, arguments: list[str], *, python: str = sys.executable, is_captured: bool = False
) -> tuple[int, int]:
    """Run pytest with `arguments` in `folder`, by the interpreter `python`, and print its output.

    Print it when pytest ends if `is_captured`, so that two runs do not mix.  Return pytest's exit code, and how many
    tests it ran.
    """
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.xml"
        # xunit1: tests record properties, which the default form has no place for.
        command = [python, "-m", "pytest", "-q", "-m", "not nightly", "--durations=10", "-o",
                   "junit_family=xunit1", f"--junitxml={report}", *arguments]  # fmt: skip
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if is_captured else {}
        done = subprocess.run(command, cwd=folder, check=False, text=True, **output)
        print(done.stdout or "", end="", flush=True)
        suite = ET.parse(report).getroot().find("testsuite") if report.exists() else None  # noqa: S314 (our own file)
    return done.returncode, int(suite.attrib["tests"]) if suite is not None else 0


if __name__ == "__main__":
    sys.exit(main())
