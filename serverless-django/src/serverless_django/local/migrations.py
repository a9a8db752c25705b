"""The SQL of every migration, held by squawk to what old code and big tables survive."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import django
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from serverless_django.deploy.project import Project
from serverless_django.local.offline import offline

SERVER_VERSION = 17
"""Of `deploy/components/database.py`; told to Django and to squawk, because no server is asked."""

CONCURRENT = "concurrent.sql"
"""How the name of a file ends whose migration is not atomic."""

SQUAWK = Path(sys.executable).with_name("squawk")

EXEMPTION = "not_linted_because"
"""Attribute of a migration that is not held to the rules: why.  For one statement: "-- squawk-ignore RULE" above it."""

EXCLUDED = {
    "prefer-robust-stmts": "a migration is a transaction: it is there whole or not at all",
    "require-timeout-settings": "migration_session sets them",
    "prefer-text-field": "a length is part of the model",
    "prefer-bigint-over-int": "a counter's range is the model's business",
    "prefer-bigint-over-smallint": "the same",
    "prefer-identity": "Django has made identity columns since 4.1",
}
"""Rules that do not apply here, and why."""


class UnwritableMigrationError(RuntimeError):
    """The SQL of a migration depends on rows or tables that only a server has."""


def lint_project(project: Project) -> int:
    """Print squawk's findings and return its exit code: not 0 if one was found."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", project.local_settings)
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return lint(list(write_sql(Path(folder), project.root)))
        except UnwritableMigrationError as error:
            sys.stdout.write(f"{error}\n")
            return 1


def lint(files: Sequence[Path]) -> int:
    """Hold `files` to the rules; those that end in CONCURRENT are not run in a transaction."""
    outside = [file for file in files if file.name.endswith(CONCURRENT)]
    inside = [file for file in files if file not in outside]
    return max(_squawk(inside, "--assume-in-transaction"), _squawk(outside))


def _squawk(files: list[Path], *options: str) -> int:
    if not files:
        return 0
    command = [str(SQUAWK), *options, f"--pg-version={SERVER_VERSION}.0", f"--exclude={','.join(EXCLUDED)}"]
    finished = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.stdout.write(finished.stdout + finished.stderr)
    return finished.returncode


def write_sql(folder: Path, root: Path) -> Iterator[Path]:
    """Write the SQL of each migration below `root`, for each database of the project, to a file in `folder`."""
    loader = MigrationLoader(None)
    migrations = [node for _, node in sorted(loader.graph.nodes.items()) if _is_linted(node, root)]
    for alias in connections:
        if connections[alias].vendor != "postgresql":
            continue
        for migration in migrations:
            state = loader.project_state((migration.app_label, migration.name), at_end=False)
            ending = "sql" if migration.atomic else CONCURRENT
            file = folder / f"{alias}_{migration.app_label}_{migration.name}.{ending}"
            with offline(alias, SERVER_VERSION) as connection:
                file.write_text(sql_of(migration, state, connection))
            yield file


def _is_linted(migration: Migration, root: Path) -> bool:
    if getattr(migration, EXEMPTION, ""):
        return False
    file = Path(sys.modules[migration.__module__].__file__ or "").resolve()
    return file.is_relative_to(root) and "site-packages" not in file.parts


def sql_of(migration: Migration, state: ProjectState, connection: BaseDatabaseWrapper) -> str:
    """Return the statements of `migration` for `connection`, after those that made `state`.

    Raise UnwritableMigrationError if they depend on what only a server has.
    """
    try:
        with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
            migration.apply(state, editor, collect_sql=True)
    except Exception as error:
        raise UnwritableMigrationError(
            f"The SQL of {migration.app_label}.{migration.name} cannot be written without a database: {error!r}. "
            f"Read it yourself, and write the reason into its class: {EXEMPTION} = '...'."
        ) from error
    return "\n".join(map(str, editor.collected_sql)) + "\n"
