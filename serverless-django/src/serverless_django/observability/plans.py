"""A statement → how PostgreSQL would run it, and each place where it would read a table or an index from end to end."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

type Node = Mapping[str, Any]

EXPLAINABLE = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "(SELECT")


@dataclass(frozen=True, slots=True)
class WholeScan:
    """A relation that is read whole, however few of its rows are wanted."""

    relation: str
    condition: str
    """What the rows are filtered by, one after the other; empty if all are wanted."""

    index: str = ""
    """The index that is walked from end to end in place of the table."""

    def __str__(self) -> str:
        way = f"all of index {self.index}" if self.index else "all of the table"
        return f"{self.relation}: reads {way}" + (f" to find {self.condition}" if self.condition else "")


def read_plan(connection: BaseDatabaseWrapper, sql: str, params: Any = None, *, analyze: bool = False) -> Node:
    """Return PostgreSQL's plan of the statement `sql` with `params`, asked over `connection`.

    With `analyze` the statement runs, and the rows of each node are counted.
    """
    options = "ANALYZE, TIMING OFF, FORMAT JSON" if analyze else "FORMAT JSON"
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}) {sql}", params)
        (document,) = cursor.fetchone()
    plans = json.loads(document) if isinstance(document, str) else document
    plan: Node = plans[0]["Plan"]
    return plan


def is_explainable(sql: str) -> bool:
    """Return whether PostgreSQL can explain the statement `sql`."""
    return sql.lstrip().upper().startswith(EXPLAINABLE)


def nodes_of(plan: Node) -> Iterator[Node]:
    """Yield every node of `plan`, parents before their children."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


def read_partial_indexes(connection: BaseDatabaseWrapper) -> frozenset[str]:
    """Return the names of all partial indexes of the database of `connection`; to read a whole one may be intended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indpred IS NOT NULL")
        return frozenset(name for (name,) in cursor.fetchall())


def whole_scans(plan: Node, *, partial: frozenset[str] = frozenset()) -> list[WholeScan]:
    """Return each relation that `plan` reads from end to end: by a sequential scan, or by an index without a condition.

    `partial` are the names of partial indexes, which may be read whole.  PostgreSQL falls back to the second kind of
    scan where sequential scans are switched off.
    """
    return [
        WholeScan(node.get("Relation Name", ""), node.get("Filter", ""), node.get("Index Name", ""))
        for node in nodes_of(plan)
        if node["Node Type"] == "Seq Scan" or _walks_whole_index(node, partial)
    ]


def _walks_whole_index(node: Node, partial: frozenset[str]) -> bool:
    return "Index" in node["Node Type"] and not node.get("Index Cond") and node.get("Index Name") not in partial


def rows_read(plan: Node) -> int:
    """Return how many rows the scans of an analyzed plan looked at, those that a filter removed among them."""
    scans = [node for node in nodes_of(plan) if node["Node Type"].endswith("Scan")]
    return sum(round(_rows_each(node) * node["Actual Loops"]) for node in scans)


def _rows_each(node: Node) -> float:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float(node["Actual Rows"] + removed)
