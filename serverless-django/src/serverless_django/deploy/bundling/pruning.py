"""What a function never runs is not deployed: the laptop runs the same bundle, so that a rule too many shows there."""

import shutil
import struct
from collections.abc import Iterable
from pathlib import Path

from serverless_django.deploy.bundling.aws_clients import AWS_SERVICES, prune_clients

LOCALES = ("en",)
"""Languages whose translations and formats are deployed; add one here to serve it."""

PROJECT_COMMANDS = ("*messages", "runserver", "startapp", "startproject", "test", "testserver")
DATA_COMMANDS = (
    "createcachetable",
    "dbshell",
    "dumpdata",
    "inspectdb",
    "loaddata",
    "optimizemigration",
    "sendtestemail",
    "shell",
    "squashmigrations",
)
"""What the management function does not allow; a developer runs them.

Not makemigrations, which a system check before `migrate` loads.
"""

IMAGE_FORMATS = ("Bmp", "Gif", "Jpeg", "Mpo", "Png", "Ppm", "Tiff", "WebP")
"""What Pillow reads here and what that needs: every other format is a parser that an upload could reach."""

OPTIONAL_CONTRIB = (
    "admin",
    "admindocs",
    "auth",
    "contenttypes",
    "flatpages",
    "gis",
    "humanize",
    "messages",
    "postgres",
    "redirects",
    "sessions",
    "sitemaps",
    "sites",
    "syndication",
)
"""Apps of Django that are deployed only if a file of lambda_app/ names them.

Not staticfiles, which django-storages imports.
"""

PARTS_NOT_RUN = (
    "bin",
    *(f"boto3/{name}" for name in ("dynamodb", "ec2", "examples")),
    # Its own web framework, with a copy of Swagger; we have Django.
    "aws_lambda_powertools/event_handler",
    # Commands that write, translate or serve a project.
    *(f"django/core/management/commands/{name}.py" for name in (*PROJECT_COMMANDS, *DATA_COMMANDS)),
    *("django/conf/app_template", "django/conf/project_template", "django/forms/jinja2"),
    # These need packages or services that are not deployed, or do what Django, django-ninja and our tasks do.
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/batch",
    "aws_lambda_powertools/utilities/circuit_breaker*",
    "aws_lambda_powertools/utilities/data_classes",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/idempotency",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parameters",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "aws_lambda_powertools/utilities/validation",
    # Of zstd we compress responses: not archives, and not under PyPy.
    *(f"backports/zstd/{name}" for name in ("_cffi", "tarfile.py", "zipfile")),
    "botocore/data/*/*/examples-1.json",
    # What AUTH_PASSWORD_VALIDATORS can compare with; members here have tokens.
    "django/contrib/auth/common-passwords.txt.gz",
    *(f"django/db/backends/{name}" for name in ("mysql", "oracle", "sqlite3")),
    "pydantic/mypy.py",
    *(f"storages/backends/{name}*.py" for name in ("apache", "azure", "dropbox", "ftp", "gcloud", "sftp")),
    # Zones come from the system; this is the copy for systems without.
    "dateutil/zoneinfo/*.gz",
    # The docs page is Swagger's.
    "ninja/static/ninja/redoc*",
    # AVIF and text in pictures: delete the lines to read the one or draw the other.
    *("PIL/_avif.*", "pillow.libs/libavif-*"),
    *("PIL/_imagingft.*", "pillow.libs/libbrotli*", "pillow.libs/libfreetype-*", "pillow.libs/libharfbuzz-*"),
    "pillow.libs/libpng*",
    # What draws, and what needs a screen, a printer or a format that is not read.
    *(f"PIL/Image{name}.py" for name in ("Draw*", "Font", "Grab", "Math", "Morph", "Qt", "Show", "Text", "Tk")),
    *(
        f"PIL/{name}.py"
        for name in ("*FontFile", "GdImageFile", "Jpeg2KImagePlugin", "PSDraw", "PdfParser", "WalImageFile")
    ),
    *(f"PIL/_imaging{name}.*" for name in ("math", "morph", "tk")),
    "urllib3/contrib/emscripten",
    # Commands of server modules, which their clients load when first used.
    *(f"valkey/commands/{name}" for name in ("bf", "graph", "json", "search", "timeseries")),
    # Lists of what wheels were built from.
    "*.dist-info/sboms",
    # The API of pydantic 1, and the slow twin of psycopg's C module.
    "pydantic/v1",
    "psycopg/pq/pq_ctypes.py",
)
"""Parts of packages, as patterns of paths in the bundle."""

# Facts about the machine that installed; METADATA and entry points stay, programs read them.
INSTALLER_FILES = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json")
SUFFIXES_NOT_RUN = (".c", ".h", ".map", ".po", ".pxd", ".pyi", ".pyx")


def prune_packages(folder: Path, *, contrib: Iterable[str], services: Iterable[str] = ()) -> None:
    """Delete from the packages in `folder` what no function runs.

    Keep the apps of Django that `contrib` names, and the AWS clients that the library or `services` name.
    """
    for path in _parts_not_run(folder, contrib):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            # It may have lain in a folder that has gone.
            path.unlink(missing_ok=True)
    prune_clients(folder, {*AWS_SERVICES, *services})
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.suffix in SUFFIXES_NOT_RUN or path.name in INSTALLER_FILES:
            path.unlink()
        elif path.name == "METADATA":
            _keep_headers(path)
        elif ".so" in path.name:
            _blank_debug_sections(path)


def _parts_not_run(folder: Path, contrib: Iterable[str]) -> list[Path]:
    return [
        *(path for pattern in PARTS_NOT_RUN for path in folder.glob(pattern)),
        *(folder / "django" / "contrib" / name for name in OPTIONAL_CONTRIB if name not in contrib),
        *(path for path in folder.glob("PIL/*ImagePlugin.py") if not path.name.startswith(IMAGE_FORMATS)),
        *(path for path in folder.glob("**/locale/*") if path.is_dir() and path.name not in LOCALES),
        *(path for path in folder.glob("**/tests") if path.is_dir()),
    ]


def _keep_headers(path: Path) -> None:
    """Drop the package's README, which follows the fields that `importlib.metadata` reads."""
    path.write_bytes(path.read_bytes().split(b"\n\n", 1)[0] + b"\n")


def _blank_debug_sections(path: Path) -> None:
    """Fill the sections of an ELF file that only a debugger reads with zeros, which zip to nothing.

    `strip` would remove them, but knows only the processor of the machine that it runs on.
    """
    data = bytearray(path.read_bytes())
    table, (size, count, names) = struct.unpack_from("<Q", data, 40)[0], struct.unpack_from("<HHH", data, 58)
    sections = [struct.unpack_from("<IIQQQQ", data, table + number * size) for number in range(count)]
    for name, _, _, _, offset, length in sections:
        start = sections[names][4] + name
        if data[start : data.index(0, start)].startswith((b".debug", b".symtab", b".strtab")):
            data[offset : offset + length] = bytes(length)
    path.write_bytes(data)
