"""uv.lock and lambda_app/ → the one folder that every function runs, built without Docker.

The same lock and the same sources give the same bytes, whatever the folder they lie in.
"""

import hashlib
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

from serverless_django.deploy.bundling.pruning import OPTIONAL_CONTRIB, SUFFIXES_NOT_RUN, prune_packages
from serverless_django.deploy.bundling.tools import BundlingError, compile_packages, compile_source, install_packages

# Lambda's Python 3.13 runs on Amazon Linux 2023 (glibc 2.34); psycopg publishes no arm64 wheel for
# a glibc before 2.27, so manylinux2014 would find none.
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}

MAX_UNZIPPED_BYTES = 262_144_000
"""What Lambda takes, layers included."""

SOURCE = "lambda_app"
PLATFORM = "serverless-django/src/serverless_django"
NOT_DEPLOYED = ("lambda_app/manage.py", "lambda_app/settings/local.py")
"""Files that only a developer's machine runs."""

_FOLDERS_KEPT = 4


def build_bundle(root: Path, *, architecture: str) -> Path:
    """Return the folder with the bundle of `root` for `architecture`, a key of PLATFORMS.

    What was built before is found again by its key.  Raise BundlingError if a tool fails, a
    dependency has no wheel for the platform, or the result is larger than Lambda takes.
    """
    files = source_files(root)
    packages = _packages(root, architecture, contrib=_named_contrib(root, files))
    key = _digest([packages.name.encode(), *_contents(root, files)])
    bundle = root / ".build" / "bundles" / f"{architecture}-{key}"
    if not bundle.exists():
        _build_folder(bundle, lambda work: _fill_bundle(root, packages, work))
        sys.stderr.write(f"bundle for {architecture}: {describe_size(bundle)}\n")
    for folder in (packages, bundle):
        _forget_others(folder)
    return bundle


def source_files(root: Path) -> list[Path]:
    """Return the deployed files of `root`/lambda_app, as sorted paths relative to `root`."""
    found = (path.relative_to(root) for path in (root / SOURCE).rglob("*") if path.is_file())
    return sorted(path for path in found if _is_deployed(path))


def copy_source(root: Path, target: Path) -> None:
    """Put the deployed part of `root`/lambda_app into `target`, compiled, in place of what is there."""
    fresh, old = target / f".{SOURCE}.new", target / f".{SOURCE}.old"
    shutil.rmtree(fresh, ignore_errors=True)
    for path in source_files(root):
        copy = fresh / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, copy)
    compile_source(fresh)
    _set_modes(fresh)
    # Two renames: a process that starts meanwhile finds the old code or the new, never half of it.
    if (target / SOURCE).exists():
        (target / SOURCE).rename(old)
    (fresh / SOURCE).rename(target / SOURCE)
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)


def describe_size(bundle: Path) -> str:
    return f"{zipped_size(bundle) / 1e6:.1f} MB zipped, {_unzipped_size(bundle) / 1e6:.1f} MB unzipped"


def zipped_size(bundle: Path) -> int:
    """Return the bytes that an upload of `bundle` takes."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in bundle.rglob("*"):
            file.write(path, path.relative_to(bundle))
    return archive.tell()


def _is_deployed(path: Path) -> bool:
    if "__pycache__" in path.parts or any(part.startswith(".") for part in path.parts):
        return False
    return path.as_posix() not in NOT_DEPLOYED and path.suffix not in SUFFIXES_NOT_RUN


def _contents(root: Path, files: Iterable[Path]) -> list[bytes]:
    return [part for path in files for part in (path.as_posix().encode(), (root / path).read_bytes())]


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:20]


def _named_contrib(root: Path, files: Iterable[Path]) -> tuple[str, ...]:
    # The platform's own files name apps of Django to judge projects that use them, not to use them.
    yours = (path for path in files if path.suffix == ".py" and not path.is_relative_to(PLATFORM))
    text = b"".join((root / path).read_bytes() for path in yours)
    return tuple(name for name in OPTIONAL_CONTRIB if f"django.contrib.{name}".encode() in text)


def _packages(root: Path, architecture: str, *, contrib: tuple[str, ...]) -> Path:
    # The rules themselves are part of the key, so that a changed rule never meets an old folder.
    folder = Path(__file__).parent
    rules = _contents(folder, sorted(path.relative_to(folder) for path in folder.glob("*.py")))
    key = _digest([*rules, (root / "uv.lock").read_bytes(), repr((PLATFORMS[architecture], contrib)).encode()])
    packages = root / ".build" / "packages" / f"{architecture}-{key}"
    if not packages.exists():
        _build_folder(packages, lambda work: _fill_packages(root, work, PLATFORMS[architecture], contrib))
    return packages


def _build_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    work = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        fill(work)
        work.rename(folder)
    except OSError:
        # Another synth that ran at the same time was first; what it built is the same.
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fill_packages(root: Path, work: Path, platform: str, contrib: tuple[str, ...]) -> None:
    install_packages(root, work, platform=platform)
    prune_packages(work, contrib=contrib)
    compile_packages(work)
    _set_modes(work)


def _fill_bundle(root: Path, packages: Path, work: Path) -> None:
    shutil.copytree(packages, work, copy_function=os.link, dirs_exist_ok=True)
    copy_source(root, work)
    if (size := _unzipped_size(work)) > MAX_UNZIPPED_BYTES:
        raise BundlingError(
            f"bundle has {size:,} bytes unzipped, Lambda takes at most {MAX_UNZIPPED_BYTES:,}; "
            "drop a dependency or move its work to a function of its own"
        )


def _forget_others(folder: Path) -> None:
    """Delete all but the few folders beside `folder` that were used last."""
    folder.touch()
    used_last = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in used_last[_FOLDERS_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _set_modes(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _unzipped_size(bundle: Path) -> int:
    return sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
