"""uv.lock and lambda_app/ → the one folder that every function runs, built without Docker.

The same lock and the same sources give the same bytes, whatever the folder they lie in.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

PYTHON_VERSION = "3.13"

# Lambda's Python 3.13 runs on Amazon Linux 2023 (glibc 2.34); psycopg publishes no arm64 wheel for
# a glibc before 2.27, so manylinux2014 would find none.
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}

MAX_UNZIPPED_BYTES = 262_144_000
"""What Lambda takes, layers included."""

SOURCE = "lambda_app"
NOT_DEPLOYED = ("lambda_app/manage.py", "lambda_app/settings/local.py")
"""Files that only a developer's machine runs."""

LOCALES = ("en",)
"""Languages whose translations and formats are deployed; add one here to serve it."""

AWS_SERVICES = ("s3", "secretsmanager", "sqs", "sts")
"""Services whose boto3 clients are deployed; add one here to call it."""

OPTIONAL_CONTRIB = ("admin", "admindocs", "gis")
"""Apps of Django that are deployed only if a file of lambda_app/ names them."""

# Facts about the machine that installed; METADATA and entry points stay, programs read them.
_INSTALLER_FILES = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json")
_SUFFIXES_NOT_RUN = (".c", ".h", ".map", ".po", ".pxd", ".pyi", ".pyx")
_BUNDLES_KEPT = 4


class BundlingError(RuntimeError):
    """The bundle cannot be built, or Lambda would not take it."""


def source_files(root: Path) -> list[Path]:
    """Return the deployed files of `root`/lambda_app, as sorted paths relative to `root`."""
    found = (path.relative_to(root) for path in (root / SOURCE).rglob("*") if path.is_file())
    return sorted(path for path in found if _is_deployed(path))


def _is_deployed(path: Path) -> bool:
    if "__pycache__" in path.parts or any(part.startswith(".") for part in path.parts):
        return False
    return path.as_posix() not in NOT_DEPLOYED and path.suffix not in _SUFFIXES_NOT_RUN


def copy_source(root: Path, target: Path) -> None:
    """Put the deployed part of `root`/lambda_app into `target`, compiled, in place of what is there."""
    fresh, old = target / f".{SOURCE}.new", target / f".{SOURCE}.old"
    shutil.rmtree(fresh, ignore_errors=True)
    for path in source_files(root):
        copy = fresh / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, copy)
    _compile(fresh)
    _set_modes(fresh)
    # Two renames: a process that starts meanwhile finds the old code or the new, never half of it.
    if (target / SOURCE).exists():
        (target / SOURCE).rename(old)
    (fresh / SOURCE).rename(target / SOURCE)
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)


def build_bundle(root: Path, *, architecture: str) -> Path:
    """Return the folder with the bundle of `root` for `architecture`, a key of PLATFORMS.

    Raise BundlingError if a tool fails, a dependency has no wheel for the platform, or the
    result is larger than Lambda takes.
    """
    files = source_files(root)
    packages = _packages(root, architecture, contrib=_named_contrib(root, files))
    key = _digest(
        [packages.name.encode(), *(part for path in files for part in (str(path).encode(), _read(root, path)))]
    )
    bundle = root / ".build" / "bundles" / f"{architecture}-{key}"
    if not bundle.exists():
        _build_folder(bundle, lambda work: _fill_bundle(root, packages, work))
        _forget_old_bundles(bundle)
        sys.stderr.write(f"bundle for {architecture}: {describe_size(bundle)}\n")
    bundle.touch()
    return bundle


def describe_size(bundle: Path) -> str:
    return f"{zipped_size(bundle) / 1e6:.1f} MB zipped, {_unzipped_size(bundle) / 1e6:.1f} MB unzipped"


def zipped_size(bundle: Path) -> int:
    """Return the bytes that an upload of `bundle` takes."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in bundle.rglob("*"):
            file.write(path, path.relative_to(bundle))
    return archive.tell()


def _read(root: Path, path: Path) -> bytes:
    return (root / path).read_bytes()


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:20]


def _named_contrib(root: Path, files: Iterable[Path]) -> tuple[str, ...]:
    text = b"".join(_read(root, path) for path in files if path.suffix == ".py")
    return tuple(name for name in OPTIONAL_CONTRIB if f"django.contrib.{name}".encode() in text)


def _packages(root: Path, architecture: str, *, contrib: tuple[str, ...]) -> Path:
    # The rules of this file are part of the key, so that a changed rule never meets an old folder.
    rules = Path(__file__).read_bytes()
    key = _digest([rules, (root / "uv.lock").read_bytes(), repr((PLATFORMS[architecture], contrib)).encode()])
    packages = root / ".build" / "packages" / f"{architecture}-{key}"
    if not packages.exists():
        _build_folder(packages, lambda work: _install(root, work, PLATFORMS[architecture], contrib))
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


def _install(root: Path, work: Path, platform: str, contrib: tuple[str, ...]) -> None:
    uv = _find_uv(root)
    # The CDK CLI asks every program it starts for colours, which no requirement begins with.
    locked = _run(uv, "--color", "never", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", cwd=root)
    _run(
        *(uv, "pip", "install", "--quiet", "--target", str(work), "--requirements", "-"),
        *("--python-platform", platform, "--python-version", PYTHON_VERSION, "--only-binary", ":all:"),
        *("--no-deps", "--require-hashes", "--link-mode", "copy"),
        cwd=root,
        stdin=locked,
    )
    _prune(work, contrib)
    _compile(work)
    _set_modes(work)


def _fill_bundle(root: Path, packages: Path, work: Path) -> None:
    shutil.copytree(packages, work, copy_function=os.link, dirs_exist_ok=True)
    copy_source(root, work)
    if (size := _unzipped_size(work)) > MAX_UNZIPPED_BYTES:
        raise BundlingError(
            f"bundle has {size:,} bytes unzipped, Lambda takes at most {MAX_UNZIPPED_BYTES:,}; "
            "drop a dependency or move its work to a function of its own"
        )


def _forget_old_bundles(newest: Path) -> None:
    bundles = sorted(newest.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for bundle in bundles[_BUNDLES_KEPT:]:
        shutil.rmtree(bundle, ignore_errors=True)


def _prune(work: Path, contrib: tuple[str, ...]) -> None:
    for folder in _folders_not_run(work, contrib):
        shutil.rmtree(folder, ignore_errors=True)  # it may lie in one that has gone
    for path in [path for path in work.rglob("*") if path.is_file()]:
        if path.suffix in _SUFFIXES_NOT_RUN or path.name in _INSTALLER_FILES:
            path.unlink()


def _folders_not_run(work: Path, contrib: tuple[str, ...]) -> list[Path]:
    return [
        *work.glob("bin"),
        *work.glob("boto3/examples"),
        *(path for path in work.glob("boto3/data/*") if path.is_dir() and path.name not in AWS_SERVICES),
        *(path for path in work.glob("botocore/data/*") if path.is_dir() and path.name not in AWS_SERVICES),
        *(work / "django" / "contrib" / name for name in OPTIONAL_CONTRIB if name not in contrib),
        *(path for path in work.glob("**/locale/*") if path.is_dir() and path.name not in LOCALES),
        *(path for path in work.glob("**/tests") if path.is_dir()),
    ]


def _compile(folder: Path) -> None:
    # Unchecked hashes: the zip has no times and /var/task cannot be written, so bytecode
    # that is checked against its source's time would be thrown away at every cold start.
    if sys.version_info[:2] != tuple(int(part) for part in PYTHON_VERSION.split(".")):
        raise BundlingError(
            f"bytecode for Python {PYTHON_VERSION} needs Python {PYTHON_VERSION}; this is {sys.version}"
        )
    _run(
        *(sys.executable, "-m", "compileall", "-q", "-f", "-j", "2", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(folder), "-p", "/var/task", str(folder)),
        cwd=folder,
    )


def _set_modes(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _unzipped_size(bundle: Path) -> int:
    return sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())


def _find_uv(root: Path) -> str:
    installed = root / ".tools" / "bin" / "uv"
    uv = shutil.which("uv") or (str(installed) if installed.exists() else None)
    if uv is None:
        raise BundlingError(f"uv is neither on the PATH nor at {installed.relative_to(root)}; run `make install`")
    return uv


def _run(*command: str, cwd: Path, stdin: str = "") -> str:
    # Sets and strings would be written to bytecode in another order at every run otherwise.
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=cwd, env=environment, input=stdin, text=True, capture_output=True, check=False)
    if done.returncode:
        raise BundlingError(
            f"{' '.join(command[:3])} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}"
        )
    return done.stdout
