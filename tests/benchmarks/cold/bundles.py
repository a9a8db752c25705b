"""The same application bundled in several ways, each as it lies on Lambda after CDK's zip: all dates are of 1980."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from cdk.app import PROJECT
from serverless_django.deploy.bundling import PLATFORMS, build_bundle, pruning, source_files, tools
from tests.interleaved import ROOT

FOLDER = ROOT / ".build" / "cold"
HERE = Path(__file__).parent
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
ZIP_TIMESTAMP = 315_532_800
"""What CDK gives every file of an asset, so that the same content has the same hash."""


def make_bundles() -> Mapping[str, Path]:
    """Return the folders to start functions from, by variant."""
    plain = _packages("plain", lambda target: tools.install_packages(ROOT, target, platform=PLATFORMS[ARCHITECTURE]))
    pruned = _packages("pruned", lambda target: _prune(plain, target))
    shutil.rmtree(FOLDER / "deployed", ignore_errors=True)
    return {
        "no bytecode": _deploy("no-bytecode", plain),
        "timestamp": _deploy("timestamp", plain, compiled="timestamp"),
        "unchecked-hash": _deploy("unchecked-hash", plain, compiled="unchecked-hash"),
        "pruned": _deploy("pruned", pruned, compiled="unchecked-hash"),
        "ours": _unzip(build_bundle(PROJECT, architecture=ARCHITECTURE), FOLDER / "deployed" / "ours"),
    }


def _packages(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the folder of packages `name`; made once for each lock and each version of the pruning rules."""
    rules = [ROOT / "uv.lock", Path(pruning.__file__)]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in rules)).hexdigest()[:12]
    target = FOLDER / "packages" / f"{name}-{key}"
    if not target.exists():
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        fill(draft)
        draft.rename(target)
    return target


def _prune(plain: Path, target: Path) -> None:
    shutil.copytree(plain, target, dirs_exist_ok=True)
    pruning.prune_packages(target, contrib=())


def _deploy(name: str, packages: Path, *, compiled: str = "") -> Path:
    work = FOLDER / "deployed" / f"{name}.zipped"
    shutil.copytree(packages, work)
    for file in source_files(PROJECT):
        (work / file.name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, work / file.name)
    if compiled:
        _compile(work, invalidation_mode=compiled)
    target = _unzip(work, FOLDER / "deployed" / name)
    shutil.rmtree(work)
    return target


def _compile(folder: Path, *, invalidation_mode: str) -> None:
    # Some wheels carry templates of modules that are no Python; they make the exit status 1.
    command = [sys.executable, "-W", "ignore", "-m", "compileall", "-qq", "-j", "0"]
    subprocess.run([*command, "--invalidation-mode", invalidation_mode, folder], check=False)


def _unzip(folder: Path, target: Path) -> Path:
    """Zip `folder` as CDK does and unzip it as Lambda does, with the handlers to compare beside it."""
    archive = target.with_suffix(".zip")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            file.writestr(zipfile.ZipInfo(str(path.relative_to(folder)), ZIP_TIME), path.read_bytes())
    with zipfile.ZipFile(archive) as file:
        file.extractall(target)
    archive.unlink()
    for name in ("stock_handler", "floor_handler"):
        shutil.copyfile(HERE / f"{name}.py", target / f"{name}.py")
    for path in target.rglob("*"):
        os.utime(path, (ZIP_TIMESTAMP, ZIP_TIMESTAMP))
    return target
