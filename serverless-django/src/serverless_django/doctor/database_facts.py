"""PostgreSQL's catalogue and statistics → facts: tables, indexes, parameters, and the plans of recorded statements."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import Error, connection, transaction

from serverless_django.doctor.facts import Index, SentStatement, Table
from serverless_django.observability.plans import Node, is_explainable, read_plan
from serverless_django.observability.recordings import Recording, Statement, shape_of

PAGE = re.compile(r"\bLIMIT (%s|\d+) OFFSET (%s|\d+)\s*\Z", re.IGNORECASE)

TABLES = """
    SELECT c.relname, c.reltuples, coalesce(s.n_dead_tup, 0), coalesce(s.idx_scan, 0)
    FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""

INDEXES = """
    SELECT t.relname, i.relname, x.indisunique, coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
        coalesce(s.idx_scan, 0), coalesce((v.most_common_freqs)[1], 0),
        ARRAY(SELECT pg_get_indexdef(i.oid, n, true) || CASE WHEN pg_index_column_has_property(i.oid, n, 'desc')
              THEN ' DESC' ELSE '' END FROM generate_series(1, x.indnkeyatts) AS n)
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = i.oid
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
    LEFT JOIN pg_stats v ON v.tablename = t.relname AND v.attname = a.attname AND v.schemaname = 'public'
    WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
"""

PARAMETERS = """
    SELECT name, setting::float * CASE unit WHEN '8kB' THEN 8192 WHEN 'kB' THEN 1024 WHEN 'MB' THEN 1048576 ELSE 1 END
    FROM pg_settings
    WHERE name IN ('shared_buffers', 'work_mem', 'max_connections', 'random_page_cost', 'log_min_duration_statement')
    UNION ALL
    SELECT 'pg_stat_statements', (setting LIKE '%pg_stat_statements%')::int
    FROM pg_settings WHERE name = 'shared_preload_libraries'
"""


def read_database() -> dict[str, Any]:
    """Return what the rules ask of the catalogue, by the names of Facts; nothing if it is not PostgreSQL."""
    if connection.vendor != "postgresql":
        return {}
    tables = [Table(name=name, rows=rows, dead_rows=dead, scans=scans) for name, rows, dead, scans in _rows(TABLES)]
    return {
        "tables": {table.name: table for table in tables},
        "indexes": tuple(_index(*row) for row in _rows(INDEXES)),
        "parameters": dict(_rows(PARAMETERS)),
    }


def sent_statements(recordings: Iterable[Recording]) -> tuple[SentStatement, ...]:
    """Group the statements of `recordings` by route, shape and line, and explain one of each group."""
    return tuple(sent for recording in recordings for sent in _sent(recording))


def _sent(recording: Recording) -> list[SentStatement]:
    groups: dict[Any, list[Statement]] = defaultdict(list)
    for statement in recording.statements:
        site = statement.site
        groups[shape_of(statement.sql), site and (site.file, site.line)].append(statement)
    return [_group(str(recording.name), statements) for statements in groups.values()]


def _group(route: str, statements: list[Statement]) -> SentStatement:
    last = statements[-1]
    limit, offset = _page_of(last)
    return SentStatement(
        route=route,
        sql=last.sql,
        site=str(last.site or ""),
        advice=last.site.advice if last.site else "",
        times=len(statements),
        limit=limit,
        offset=offset,
        slowest_ms=max(statement.ms for statement in statements),
        plan=_plan(last),
    )


def _page_of(statement: Statement) -> tuple[int, int]:
    """Return limit and offset, which Django sends as the last values."""
    found = PAGE.search(statement.sql)
    if not found:
        return 0, 0
    last = list(statement.params or ())[-2:]
    values = [last.pop() if text == "%s" and last else text for text in reversed(found.groups())]
    offset, limit = (int(value) if str(value).isdigit() else 0 for value in values)
    return limit, offset


def _plan(statement: Statement) -> Node | None:
    if connection.vendor != "postgresql" or not is_explainable(statement.sql):
        return None
    try:
        with transaction.atomic():
            return read_plan(connection, statement.sql, statement.params)
    except Error:
        # Of a table that is gone, or with values that only its own transaction knew.
        return None


def _index(
    table: str, name: str, is_unique: bool, condition: str, scans: int, share: float, columns: list[str]
) -> Index:
    return Index(
        table=table, name=name, columns=tuple(columns), is_unique=is_unique, condition=condition,
        scans=scans, most_common_share=share,
    )  # fmt: skip


def _rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
