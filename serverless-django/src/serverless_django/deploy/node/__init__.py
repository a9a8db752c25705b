"""Node's programs and packages that a deploy needs, installed once for each version of this library."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from serverless_django.deploy.project import Project

FILES = ("package.json", "package-lock.json", ".npmrc")


class NodeError(RuntimeError):
    """The packages of Node could not be installed."""


def user_cache() -> Path:
    """Return this user's folder for what may be made again at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "serverless-django"


def cdk_cli() -> Path:
    """Return the CDK's command line, installed if need be.  Raise NodeError if npm cannot install it."""
    return node_modules() / ".bin" / "cdk"


@cache
def node_modules() -> Path:
    """Return the folder with the packages of package-lock.json, installed if need be.

    Raise NodeError if npm cannot install them.
    """
    source = Path(__file__).parent
    key = hashlib.sha256(b"".join((source / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = user_cache() / f"node-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Two commands that start at once install it once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            sys.stderr.write("installing the CDK's command line, once for this version\n")
            _install(source, folder)
            (folder / "installed").touch()
    return folder / "node_modules"


def _install(source: Path, folder: Path) -> None:
    for name in FILES:
        shutil.copyfile(source / name, folder / name)
    npm = Path(sys.executable).with_name("npm")
    path = f"{npm.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(npm), "ci", "--silent"], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise NodeError(f"npm ci ended with {done.returncode} in {folder}: {(done.stderr or done.stdout)[-2000:]}")


def run_cdk(project: Project, stage: str, *arguments: str) -> int:
    """Run the CDK CLI in the project's root and return its exit code.

    Raise InvalidStageError if the project has no such stage, NodeError if the CLI cannot be installed.
    """
    project.stage(stage)
    command = [str(cdk_cli()), *arguments, "--context", f"stage={stage}"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(command, cwd=project.root, env=os.environ | {"PATH": path}, check=False).returncode
