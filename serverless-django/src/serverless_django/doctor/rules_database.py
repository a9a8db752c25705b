"""The catalogue of PostgreSQL and its plans: indexes that are missing, idle or double, dead rows, parameters."""

from collections.abc import Iterator
from itertools import combinations

from serverless_django.doctor.facts import Facts, Index
from serverless_django.doctor.findings import rule
from serverless_django.observability.plans import whole_scans

BIG = 5_000
"""Rows from which on reading a table whole is a fault."""

ENOUGH_SCANS = 10_000
"""Of a table, before an index of its that had none counts as idle."""

DEAD_SHARE = 0.2
COMMON_SHARE = 0.9

type Found = Iterator[tuple[str, str]]


@rule("indexes")
def missing_index(facts: Facts) -> Found:
    for sent in facts.statements:
        for scan in whole_scans(sent.plan, partial=_partial(facts)) if sent.plan else ():
            table = facts.tables.get(scan.relation)
            if scan.condition and table is not None and table.rows >= BIG:
                yield (
                    f"{scan}, one of {table.rows:,.0f} rows, in {sent.route} {sent.site}",
                    "add an index on the columns of the condition, or filter by those that have one",
                )


@rule("pages")
def whole_table(facts: Facts) -> Found:
    for sent in facts.statements:
        for scan in whole_scans(sent.plan, partial=_partial(facts)) if sent.plan else ():
            table = facts.tables.get(scan.relation)
            if not scan.condition and table is not None and table.rows >= BIG and not _stops_early(sent.plan):
                yield (
                    f"{scan}, {table.rows:,.0f} rows, in {sent.route} {sent.site}",
                    "filter, take a page, or keep a counter instead of counting",
                )


@rule("indexes")
def double_index(facts: Facts) -> Found:
    for one, other in combinations(sorted(facts.indexes, key=lambda index: len(index.columns)), 2):
        if _is_covered(one, other):
            yield (
                f"{one.name} on {one.table} ({', '.join(one.columns)}) answers nothing that {other.name} does not",
                "drop it: each write pays for both",
            )


@rule("indexes")
def idle_index(facts: Facts) -> Found:
    for index in facts.indexes:
        table = facts.tables.get(index.table)
        is_asked = table is not None and table.rows >= BIG and table.scans >= ENOUGH_SCANS
        if is_asked and not (index.scans or index.is_unique or index.condition):
            yield f"{index.name} on {index.table} was never used since statistics began", "drop it, or find its query"


@rule("indexes")
def index_of_few_values(facts: Facts) -> Found:
    for index in facts.indexes:
        table = facts.tables.get(index.table)
        is_big = table is not None and table.rows >= BIG
        if is_big and len(index.columns) == 1 and not index.condition and index.most_common_share > COMMON_SHARE:
            yield (
                f"{index.name} on {index.table}: {index.most_common_share:.0%} of all rows have the same value",
                "give the index a condition that leaves those out",
            )


@rule("primary keys")
def random_primary_key(facts: Facts) -> Found:
    for model in facts.random_keys:
        yield (
            f"{model} has random UUIDs for keys: each insert touches another page, and order tells nothing",
            "use UUIDv7, which are in the order of their making",
        )


@rule("maintenance")
def dead_rows(facts: Facts) -> Found:
    for table in facts.tables.values():
        if table.rows >= BIG and table.dead_rows > DEAD_SHARE * table.rows:
            yield (
                f"{table.name} has {table.dead_rows:,.0f} dead rows beside {table.rows:,.0f}",
                "lower its autovacuum_vacuum_scale_factor, and look for transactions that stay open",
            )


@rule("parameters")
def parameters_against_memory(facts: Facts) -> Found:
    """The rules of thumb of pgtune, for a server that serves many short requests."""
    memory = facts.memory_mb * 1024**2
    if not memory:
        return
    buffers, work, connections = (
        facts.parameters.get(name, 0) for name in ("shared_buffers", "work_mem", "max_connections")
    )
    if not 0.15 * memory <= buffers <= 0.45 * memory:
        yield f"shared_buffers is {buffers / memory:.0%} of the memory", "set it to a quarter"
    if work * connections > memory - buffers:
        yield "work_mem times max_connections is more than the memory that is left", "lower either"


@rule("parameters")
def planner_for_disks(facts: Facts) -> Found:
    if facts.memory_mb and facts.parameters.get("random_page_cost", 0) > 2:
        yield "random_page_cost is that of a spinning disk", "set it to 1.1"


@rule("parameters")
def no_slow_log(facts: Facts) -> Found:
    is_logged = facts.parameters.get("log_min_duration_statement", 0) >= 0
    if facts.memory_mb and not is_logged and not facts.parameters.get("pg_stat_statements"):
        yield "no slow statement is counted or logged", "load pg_stat_statements; a log would hold their values"


def _is_covered(one: Index, other: Index) -> bool:
    """Tell whether `other`, of as many columns or more, answers what `one` does."""
    same_rows = (one.table, one.condition) == (other.table, other.condition)
    return same_rows and not one.is_unique and other.columns[: len(one.columns)] == one.columns


def _partial(facts: Facts) -> frozenset[str]:
    return frozenset(index.name for index in facts.indexes if index.condition)


def _stops_early(plan: object) -> bool:
    return isinstance(plan, dict) and plan.get("Node Type") == "Limit"
