"""`python -m local.migrations`: the SQL of every migration, held by squawk to what old code and big tables survive."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import django
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from psycopg import sql

from local.source import ROOT

APPS = ("feed", "serverless")
SERVER_VERSION = 17
"""Of `cdk/components/database.py`; told to Django and to squawk, because no server is asked."""

SQUAWK = Path(sys.executable).with_name("squawk")

EXEMPT = {
    ("feed", "0002_view_partitions"): "of the first release: no code is older, and no table is big",
    ("feed", "0003_photo_attempts"): "the same",
    ("feed", "0004_sweep_in_order_of_check"): "indexes only, concurrently; squawk takes every file for a transaction",
}
"""Migrations that are not held to the rules, and why.  For one statement write "-- squawk-ignore RULE" above it."""

EXCLUDED = {
    "prefer-robust-stmts": "a migration is a transaction: it is there whole or not at all",
    "require-timeout-settings": "migration_session sets them",
    "prefer-text-field": "a length is part of the model",
    "prefer-bigint-over-int": "a counter's range is the model's business",
    "prefer-bigint-over-smallint": "the same",
    "prefer-identity": "Django has made identity columns since 4.1",
}
"""Rules that do not apply here, and why."""


def main() -> int:
    """Print squawk's findings and return its exit code: not 0 if one was found."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lambda_app.settings.local")
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        return lint(list(write_sql(Path(folder))))


def lint(files: list[Path]) -> int:
    command = [
        str(SQUAWK),
        "--assume-in-transaction",
        f"--pg-version={SERVER_VERSION}.0",
        f"--exclude={','.join(EXCLUDED)}",
    ]
    finished = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False, cwd=ROOT)
    if finished.returncode:
        sys.stdout.write(finished.stdout + finished.stderr)
    return finished.returncode


def write_sql(folder: Path) -> Iterator[Path]:
    """Write one file for each migration of ours, without a database."""
    # The two things for which Django would ask a server.
    connection.__dict__["pg_version"] = SERVER_VERSION * 10_000
    connection.ops.compose_sql = _compose  # type: ignore[attr-defined]
    loader = MigrationLoader(None)
    for app, name in sorted(loader.graph.nodes):
        if app in APPS and (app, name) not in EXEMPT:
            file = folder / f"{app}_{name}.sql"
            file.write_text(sql_of(loader, loader.graph.nodes[app, name]))
            yield file


def sql_of(loader: MigrationLoader, migration: Migration) -> str:
    state = loader.project_state((migration.app_label, migration.name), at_end=False)
    # Not atomic: that would ask a server for a transaction.
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    return "\n".join(map(str, editor.collected_sql)) + "\n"


def _compose(text: str, params: Sequence[Any]) -> str:
    return text % tuple(sql.Literal(value).as_string(None) for value in params)


if __name__ == "__main__":
    raise SystemExit(main())
