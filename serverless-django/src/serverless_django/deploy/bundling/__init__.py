"""A project's uv.lock and sources, and this library → the one folder that every function runs, built without Docker.

The same lock and the same sources give the same bytes, whatever the folder they lie in.
"""

import fnmatch
import hashlib
import inspect
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path

from botocore.session import Session

import serverless_django
from serverless_django.deploy.bundling.aws_clients import services_called_in
from serverless_django.deploy.bundling.pruning import OPTIONAL_CONTRIB, SUFFIXES_NOT_RUN, prune_packages
from serverless_django.deploy.bundling.tools import (
    PYTHON_VERSION,
    BundlingError,
    compile_packages,
    compile_source,
    install_packages,
)
from serverless_django.deploy.project import Project, imported

# Lambda's Python runs on Amazon Linux 2023 (glibc 2.34); psycopg publishes no arm64 wheel for
# a glibc before 2.27, so manylinux2014 would find none.
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}

MAX_UNZIPPED_BYTES = 262_144_000
"""What Lambda takes, layers included."""

LIBRARY = Path(serverless_django.__file__).parent
LIBRARY_NOT_DEPLOYED = tuple(f"{LIBRARY.name}/{name}/*" for name in ("cli", "deploy", "local", "testing"))
"""Parts of the library that only a developer's machine runs."""

_FOLDERS_KEPT = 4


@dataclass(frozen=True, slots=True, order=True)
class SourceFile:
    """A module or data file that is deployed as it is."""

    name: str
    """Path in the bundle, such as "lambda_app/urls.py"."""

    path: Path


def build_bundle(project: Project, *, architecture: str) -> Path:
    """Return the folder with the bundle of `project` for `architecture`, a key of PLATFORMS.

    What was built before is found again by its key.  Raise BundlingError if a tool fails, a
    dependency has no wheel for the platform, or the result is larger than Lambda takes.
    """
    files = source_files(project)
    texts = _texts_of_project(files)
    services = tuple(sorted({*services_called_in(texts), *_known_services(project.aws_services)}))
    packages = _packages(project.root, architecture, contrib=_named_contrib(texts), services=services)
    key = _digest([packages.name.encode(), *_contents(files), *_hook_source(project)])
    bundle = project.root / ".build" / "bundles" / f"{architecture}-{key}"
    if not bundle.exists():
        _build_folder(bundle, lambda work: _fill_bundle(project, packages, work))
        sys.stderr.write(f"bundle for {architecture}: {describe_size(bundle)}\n")
    for folder in (packages, bundle):
        _forget_others(folder)
    return bundle


def _hook_source(project: Project) -> Iterator[bytes]:
    if project.bundle_hook:
        yield inspect.getsource(sys.modules[imported(project.bundle_hook).__module__]).encode()


def source_folders(project: Project) -> dict[str, Path]:
    """Return the folders whose files are deployed as they are: the project's, and the library's own."""
    return {name: project.root / name for name in project.source} | {LIBRARY.name: LIBRARY}


def source_files(project: Project) -> list[SourceFile]:
    """Return the deployed files of `source_folders`, sorted by name."""
    not_deployed = (*project.not_deployed, *LIBRARY_NOT_DEPLOYED)
    found = (
        SourceFile(path.relative_to(folder.parent).as_posix(), path)
        for folder in source_folders(project).values()
        for path in folder.rglob("*")
        if path.is_file()
    )
    return sorted(file for file in found if _is_deployed(file.name, not_deployed))


def copy_source(project: Project, target: Path) -> None:
    """Put the deployed sources of `project` into `target`, compiled, in place of what is there."""
    fresh, old = target / ".source.new", target / ".source.old"
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    for file in source_files(project):
        copy = fresh / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, copy)
    compile_source(fresh)
    _set_modes(fresh)
    old.mkdir()
    # Two renames for each folder: a process that starts now finds the old code or the new, never half of it.
    for folder in fresh.iterdir():
        if (target / folder.name).exists():
            (target / folder.name).rename(old / folder.name)
        folder.rename(target / folder.name)
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)


def describe_size(bundle: Path) -> str:
    """Return the sizes of the folder `bundle`, such as "12.3 MB zipped, 49.0 MB unzipped"."""
    return f"{zipped_size(bundle) / 1e6:.1f} MB zipped, {_unzipped_size(bundle) / 1e6:.1f} MB unzipped"


def zipped_size(bundle: Path) -> int:
    """Return the bytes that an upload of `bundle` takes."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in bundle.rglob("*"):
            file.write(path, path.relative_to(bundle))
    return archive.tell()


def _is_deployed(name: str, not_deployed: Iterable[str]) -> bool:
    parts = name.split("/")
    if "__pycache__" in parts or any(part.startswith(".") for part in parts) or name.endswith(SUFFIXES_NOT_RUN):
        return False
    return not any(fnmatch.fnmatchcase(name, pattern) for pattern in not_deployed)


def _contents(files: Iterable[SourceFile]) -> Iterator[bytes]:
    for file in files:
        yield from (file.name.encode(), file.path.read_bytes())


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:20]


def _texts_of_project(files: Iterable[SourceFile]) -> list[str]:
    # The library's own files name apps of Django to judge projects that use them, not to use them.
    yours = (file for file in files if file.name.endswith(".py") and not file.path.is_relative_to(LIBRARY))
    return [file.path.read_text() for file in yours]


def _known_services(names: tuple[str, ...]) -> tuple[str, ...]:
    known = Session().get_available_services()
    if unknown := next((name for name in names if name not in known), None):
        close = ", ".join(get_close_matches(unknown, known)) or "the names that boto3.client takes"
        raise BundlingError(f"aws_services has {unknown!r}, which boto3 does not know; write {close}")
    return names


def _named_contrib(texts: Iterable[str]) -> tuple[str, ...]:
    text = "\n".join(texts)
    return tuple(name for name in OPTIONAL_CONTRIB if f"django.contrib.{name}" in text)


def _packages(root: Path, architecture: str, **kept: tuple[str, ...]) -> Path:
    # The rules themselves are part of the key, so that a changed rule never meets an old folder.
    rules = [SourceFile(path.name, path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    key = _digest(
        [
            *_contents(rules),
            (root / "uv.lock").read_bytes(),
            repr((PLATFORMS[architecture], PYTHON_VERSION, kept)).encode(),
        ]
    )
    packages = root / ".build" / "packages" / f"{architecture}-{key}"
    if not packages.exists():
        _build_folder(packages, lambda work: _fill_packages(root, work, PLATFORMS[architecture], **kept))
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


def _fill_packages(root: Path, work: Path, platform: str, **kept: tuple[str, ...]) -> None:
    install_packages(root, work, platform=platform)
    prune_packages(work, **kept)
    compile_packages(work)
    _set_modes(work)


def _fill_bundle(project: Project, packages: Path, work: Path) -> None:
    shutil.copytree(packages, work, copy_function=os.link, dirs_exist_ok=True)
    copy_source(project, work)
    if project.bundle_hook:
        imported(project.bundle_hook)(work)
    if (size := _unzipped_size(work)) > MAX_UNZIPPED_BYTES:
        raise BundlingError(
            f"bundle has {size:,} bytes unzipped, Lambda takes at most {MAX_UNZIPPED_BYTES:,}; "
            "drop a dependency or move its work to its own function"
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
