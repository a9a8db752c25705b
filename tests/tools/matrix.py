"""`make test-matrix`: the library's suite on each version of Python and Django that it supports."""

import os
import subprocess
import sys
from pathlib import Path

from tests.figures import write_figures
from tests.suite import ALONE, LIBRARY, NO_TESTS, PROJECT, WORKERS, run

PYTHONS = ("3.13", "3.14")
DJANGOS = ("6.0.10", "6.1.3")


def main() -> int:
    """Run the suite on every pair, write the figures, and return 0 if every test passed on each, else 1.

    Python 3.13 must be there.  A newer one that is not installed is named and left out.
    """
    figures: dict[str, float] = {}
    goals = {}
    for python in PYTHONS:
        interpreter = _find(python)
        if interpreter is None:
            print(f"Python {python} is not installed, so nothing was run on it")
            continue
        for django in DJANGOS:
            name = f"python_{python}_django_{django}"
            code, tests = run(LIBRARY, _arguments(), python=_install(name, interpreter, django))
            print(f"{name}: {'passed' if code in (0, NO_TESTS) else 'FAILED'}, {tests} tests")
            figures |= {f"{name}_tests": tests, f"{name}_exit_code": code}
            goals[f"{name}_exit_code"] = "== 0"
    return 0 if write_figures("matrix", figures, goals) and figures else 1


def _arguments() -> list[str]:
    return ["-n", str(WORKERS), *(f"--ignore={name}" for name in ALONE)]


def _find(python: str) -> str | None:
    found = _uv("python", "find", "--no-python-downloads", "--no-project", python)
    return found.stdout.strip() if found.returncode == 0 else None


def _install(name: str, interpreter: str, django: str) -> str:
    """Install what is locked, but for Django, into an environment called `name`, and return its interpreter."""
    environment = PROJECT / ".build" / "matrix" / name
    python = environment / "bin" / "python"
    sync = ("sync", "--frozen", "--quiet", "--python", interpreter)
    # The library is built by what the first call installs.
    for arguments in ((*sync, "--no-install-workspace"), sync):
        _uv(*arguments, environment=environment).check_returncode()
    _uv("pip", "install", "--quiet", "--python", str(python), f"django=={django}").check_returncode()
    return str(python)


def _uv(*arguments: str, environment: Path | None = None) -> subprocess.CompletedProcess[str]:
    variables = os.environ | ({"UV_PROJECT_ENVIRONMENT": str(environment)} if environment else {})
    uv = PROJECT / ".tools" / "bin" / "uv"
    command = [str(uv) if uv.exists() else "uv", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=variables, check=False, stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    sys.exit(main())
