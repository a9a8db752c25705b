"""Programs from Debian's packages, unpacked into a folder of ours: no root, nothing installed."""

import fcntl
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PATIENCE_SECONDS = 300


def unpack(folder: Path, packages: Sequence[str]) -> None:
    """Download and unpack `packages` side by side into `folder`; leave it empty where Debian's client is not there."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        # On a new machine two processes may ask for it at once: the second one waits, and finds it there.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder.is_dir() and any(folder.iterdir())):
            _download(folder, packages)


def _download(folder: Path, packages: Sequence[str]) -> None:
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for command in (["apt-get", "download", *packages], ["apt-get", "update"], ["apt-get", "download", *packages]):
        if list(draft.glob(f"{packages[0]}_*.deb")):
            break
        subprocess.run(command, cwd=draft, capture_output=True, check=False, timeout=PATIENCE_SECONDS)
    for package in draft.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, draft], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
