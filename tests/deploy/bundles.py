"""Two bundles of the same sources, built in different folders from a warm cache of wheels."""

import hashlib
import os
import shutil
import time
from pathlib import Path

from serverless_django.deploy.bundling import SOURCE, build_bundle, zipped_size
from tests.e2e.conftest import PROJECT

ARCHITECTURE = "arm64"


def measure_bundles(folder: Path) -> dict[str, float]:
    """Build twice below `folder`: the first fills the cache, the second is measured."""
    first, _ = _build(folder / "one")
    before = os.times()
    second, seconds = _build(folder / "other" / "deeper")
    spent = [after - then for after, then in zip(os.times()[:4], before[:4], strict=True)]
    different = {path for path, _ in _contents(first).items() ^ _contents(second).items()}
    return {
        "bundle_mb": zipped_size(second) / 1e6,
        "bundle_s": seconds,
        # What it would take on one core that does nothing else.
        "bundle_cpu_s": sum(spent),
        "bundle_differences": len(different),
    }


def _build(project: Path) -> tuple[Path, float]:
    shutil.copytree(PROJECT / SOURCE, project / SOURCE, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy2(PROJECT / name, project)
    # Where uv is, if it is not on the PATH.
    (project / ".tools").symlink_to(PROJECT / ".tools")
    started = time.monotonic()
    bundle = build_bundle(project, architecture=ARCHITECTURE)
    return bundle, time.monotonic() - started


def _contents(bundle: Path) -> dict[str, tuple[int, str]]:
    """Return mode and digest of each file."""
    return {
        path.relative_to(bundle).as_posix(): (path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in bundle.rglob("*")
        if path.is_file()
    }
