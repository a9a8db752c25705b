"""The last table of each benchmark, from which `make plots` draws docs/performance/NAME.svg."""

import json
from collections.abc import Mapping
from typing import Any

from tests.figures import BENCH, environment

TABLES = BENCH / "tables"
"""Beside the figures, not among them: everything in .bench itself is judged against goals."""

type Table = Mapping[str, Mapping[str, float]]


def write_table(name: str, table: Table) -> None:
    TABLES.mkdir(parents=True, exist_ok=True)
    record = {"table": table, "environment": environment()}
    (TABLES / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")


def read_record(name: str) -> dict[str, Any]:
    """Return the `table`, and the `environment` that it was measured in."""
    record: dict[str, Any] = json.loads((TABLES / f"{name}.json").read_text())
    return record
