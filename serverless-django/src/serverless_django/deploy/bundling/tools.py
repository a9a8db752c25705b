"""The programs that a bundle is made with: uv, and the compiler of this Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Of the functions: that of this process, which the project is locked and tested for."""


class BundlingError(RuntimeError):
    """The bundle cannot be built, or Lambda would not take it."""


def install_packages(root: Path, target: Path, *, platform: str) -> None:
    """Install what the lock of `root` deploys into `target`, as wheels for `platform`, with their hashes checked."""
    uv = _find_uv(root)
    # The CDK CLI asks every program it starts for colours, which no requirement begins with.
    locked = _run(
        *(uv, "--color", "never", "export", "--quiet", "--frozen", "--no-dev"),
        # The project and this library are copied as they are: the same for a wheel and for a folder that is edited.
        *("--no-emit-workspace", "--no-emit-package", "serverless-django"),
        cwd=root,
    )
    _run(
        *(uv, "pip", "install", "--quiet", "--target", str(target), "--requirements", "-"),
        *("--python-platform", platform, "--python-version", PYTHON_VERSION, "--only-binary", ":all:"),
        *("--no-deps", "--require-hashes", "--link-mode", "copy"),
        cwd=root,
        stdin=locked,
    )


def compile_packages(folder: Path) -> None:
    """Replace every module of `folder` by its bytecode, less docstrings: it halves their part of the zip."""
    _compile("packages", folder)


def compile_source(folder: Path) -> None:
    """Put its bytecode beside every module of `folder`."""
    _compile("source", folder)


def _compile(mode: str, folder: Path) -> None:
    program = str(Path(__file__).with_name("bytecode.py"))
    # Without the columns that tracebacks underline, a third of bytecode: file, function and line stay.
    _run(sys.executable, "-W", "ignore", program, mode, str(folder), cwd=folder, PYTHONNODEBUGRANGES="1")


def _find_uv(root: Path) -> str:
    installed = root / ".tools" / "bin" / "uv"
    uv = os.environ.get("UV") or shutil.which("uv") or (str(installed) if installed.exists() else None)
    if uv is None:
        raise BundlingError(f"uv is neither on the PATH nor at {installed.relative_to(root)}; run `make install`")
    return uv


def _run(*command: str, cwd: Path, stdin: str = "", **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, input=stdin, text=True, capture_output=True, check=False
    )
    if done.returncode:
        output = (done.stderr or done.stdout).strip()
        raise BundlingError(f"{' '.join(command[:3])} ended with {done.returncode}: {output}")
    return done.stdout
