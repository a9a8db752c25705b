"""Statements that were recorded while routes and tasks ran: how often, how many rows, in which way."""

import re
from collections import Counter
from collections.abc import Iterator

from serverless_django.doctor.facts import Facts, SentStatement
from serverless_django.doctor.findings import rule
from serverless_django.observability.recordings import shape_of

REPEATS = 2
QUERIES = 10
MANY_ROWS = 1_000
WIDE = 20
SLOW_MS = 30
"""What the slow log of the database has as well."""

_WILDCARD = re.compile(r"\bLIKE\b", re.IGNORECASE)
_WRAPPED = re.compile(r"\b(UPPER|LOWER)\([^)]*\)\s+LIKE\b|::text\s+LIKE\b", re.IGNORECASE)
_AGGREGATE = re.compile(r"\A\s*SELECT\s+(COUNT|SUM|MIN|MAX|AVG|EXISTS|1\b|%s AS)", re.IGNORECASE)
_SELECTED = re.compile(r"\A\s*SELECT\s+(?:DISTINCT\s+)?(.*?)\sFROM\s", re.IGNORECASE | re.DOTALL)

type Found = Iterator[tuple[str, str]]


@rule("select_related and prefetch_related")
def n_plus_one(facts: Facts) -> Found:
    for sent in _reads(facts):
        if sent.times > REPEATS:
            advice = sent.advice or "read all rows at once, with __in or a join"
            yield f"{sent.times} times the same query, {_where(sent)}", advice


@rule("bulk writes")
def row_by_row(facts: Facts) -> Found:
    for sent in facts.statements:
        if sent.times > REPEATS and not _is_read(sent):
            yield (
                f"{sent.times} times the same statement, {_where(sent)}",
                "write all rows at once, with bulk_create(), bulk_update() or filter().update()",
            )


@rule("queries")
def many_queries(facts: Facts) -> Found:
    counts: Counter[str] = Counter()
    for sent in facts.statements:
        counts[sent.route] += sent.times
    for route, count in counts.items():
        if count > QUERIES:
            yield f"{route} sends {count} statements, at most {QUERIES}", "give it a budget, and follow its report"


@rule("queries")
def slow_statement(facts: Facts) -> Found:
    for sent in facts.statements:
        if sent.slowest_ms > SLOW_MS:
            yield f"{sent.slowest_ms:,.0f} ms, {_where(sent)}", "EXPLAIN (ANALYZE, BUFFERS) it"


@rule("pages")
def unbounded_query(facts: Facts) -> Found:
    for sent in _reads(facts):
        rows = sent.plan["Plan Rows"] if sent.plan else 0
        if rows > MANY_ROWS:
            yield f"some {rows:,.0f} rows at once, {_where(sent)}", "answer a page at a time: [:n]"


@rule("pages")
def pages_by_offset(facts: Facts) -> Found:
    for sent in _reads(facts):
        # One row at a known place is no page.
        if sent.offset and sent.limit != 1:
            yield (
                f"OFFSET reads and throws away all pages before, {_where(sent)}",
                "ask for what comes after the last row of the page before: filter(id__lt=last)[:n]",
            )


@rule("only and values")
def wide_rows(facts: Facts) -> Found:
    for sent in _reads(facts):
        selected = _SELECTED.match(sent.sql)
        columns = selected[1].count('"."') if selected else 0
        if columns > WIDE:
            yield f"{columns} columns of each row, {_where(sent)}", "name those that are used, with values() or only()"


@rule("indexes")
def pattern_without_index(facts: Facts) -> Found:
    for sent in _reads(facts):
        if _WILDCARD.search(sent.sql) and _WRAPPED.search(sent.sql) and _scans(sent):
            yield (
                f"LIKE on an expression reads every row, {_where(sent)}",
                "use __startswith with an index of text_pattern_ops, or a trigram index (pg_trgm)",
            )


@rule("indexes")
def order_at_random(facts: Facts) -> Found:
    for sent in _reads(facts):
        if re.search(r"ORDER BY RANDOM\(\)", sent.sql, re.IGNORECASE):
            yield f"ORDER BY RANDOM() sorts every row, {_where(sent)}", "pick random keys, and read those"


def _reads(facts: Facts) -> list[SentStatement]:
    return [sent for sent in facts.statements if _is_read(sent)]


def _is_read(sent: SentStatement) -> bool:
    return sent.sql.lstrip("( \n").upper().startswith(("SELECT", "WITH"))


def _scans(sent: SentStatement) -> bool:
    from serverless_django.observability.plans import whole_scans

    return sent.plan is not None and bool(whole_scans(sent.plan))


def _where(sent: SentStatement) -> str:
    place = f" at {sent.site}" if sent.site else ""
    return f"in {sent.route}{place}: {shape_of(sent.sql)[:160]}"
