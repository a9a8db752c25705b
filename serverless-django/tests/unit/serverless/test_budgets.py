"""Each limit of a budget fires past its number and not at it."""

from dataclasses import fields

import pytest

from serverless_django.budgets import Budget, InvalidBudgetError
from serverless_django.observability.budgets import breaches_of, budget_of, is_within, report_of
from serverless_django.observability.recordings import MAX_STATEMENTS, Recording, advice_for, shape_of
from serverless_django.postgresql.call_sites import Site

MS = 1_000_000
BUDGET = Budget(queries=3, repeats=2, sql_ms=50, slowest_query_ms=20, response_ms=100, response_bytes=1_000)


@pytest.fixture
def record():
    """Make a recording of statements that took so many milliseconds."""
    recordings = []

    def record(*milliseconds, sql="SELECT {}"):
        recording = Recording("GET /books")
        recordings.append(recording)
        for number, ms in enumerate(milliseconds):
            recording.add(sql.format("abc"[number % 3]), None, int(ms * MS))
        return recording

    yield record
    for recording in reversed(recordings):
        recording.stop()


def limits_passed(recording, **measured):
    return [breach.limit for breach in breaches_of(recording, BUDGET, **measured)]


@pytest.mark.parametrize(
    ("limit", "within", "over"),
    [
        ("queries", [1] * 3, [1] * 4),
        ("sql_ms", [20, 20, 10], [20, 20, 11]),
        ("slowest_query_ms", [20], [20.1]),
    ],
)
def test_a_limit_of_queries_fires_past_its_number_and_not_at_it(record, limit, within, over):
    assert limits_passed(record(*within)) == []
    assert limits_passed(record(*over)) == [limit]


@pytest.mark.parametrize(
    ("limit", "measure", "most"), [("response_ms", "elapsed_ms", 100), ("response_bytes", "response_bytes", 1_000)]
)
def test_a_limit_of_the_response_fires_past_its_number_and_not_at_it(record, limit, measure, most):
    assert limits_passed(record(), **{measure: most}) == []
    assert limits_passed(record(), **{measure: most + 1}) == [limit]


def test_a_statement_is_repeated_whatever_its_values_and_the_length_of_its_lists(record):
    twice, thrice = (
        record(1, 1, sql="SELECT x FROM y WHERE z = %s"),
        record(1, 1, 1, sql="SELECT x FROM y WHERE z = %s"),
    )

    assert limits_passed(twice) == []
    assert limits_passed(thrice) == ["repeats"]
    assert shape_of("SELECT 1 WHERE x IN (%s, %s)") == shape_of("SELECT 2 WHERE x IN (%s)")


def test_every_limit_has_a_breach_that_names_it(record):
    recording = record(*[30] * 4, sql="SELECT 1")

    passed = limits_passed(recording, elapsed_ms=101, response_bytes=1_001)

    assert sorted(passed) == sorted(field.name for field in fields(Budget))


@pytest.mark.parametrize(
    "measured", [{"elapsed_ms": 101, "response_bytes": 0}, {"elapsed_ms": 0, "response_bytes": 1_001}]
)
def test_the_quick_look_sees_a_slow_or_large_response(record, measured):
    assert not is_within(record(1), BUDGET, **measured)


@pytest.mark.parametrize("milliseconds", [[1] * 4, [21], [18, 18, 18]])
def test_the_quick_look_sees_what_the_statements_cost(record, milliseconds):
    assert not is_within(record(*milliseconds), BUDGET, elapsed_ms=0, response_bytes=0)


def test_the_quick_look_lets_a_cheap_request_pass(record):
    assert is_within(record(1, 1), BUDGET, elapsed_ms=100, response_bytes=1_000)


def test_a_savepoint_is_no_query(record):
    recording = record(1, sql="SAVEPOINT x")

    assert recording.count == 0


def test_a_runaway_request_keeps_its_count_and_not_every_statement(record):
    recording = record(*[0] * (MAX_STATEMENTS + 5))

    assert (recording.count, len(recording.statements)) == (MAX_STATEMENTS + 5, MAX_STATEMENTS)


def test_the_report_names_the_statement_its_line_and_the_way_out(record):
    recording = record(1, 1, 1, sql="INSERT INTO x VALUES (%s)")

    report = report_of(recording, breaches_of(recording, BUDGET))

    assert "GET /books is over its budget" in report
    assert "repeats: 3, at most 2; row by row: insert all rows at once, with bulk_create()" in report


def test_what_a_route_declares_takes_the_place_of_the_default(settings):
    settings.BUDGET_DEFAULT = {"queries": 7, "repeats": 4}

    budget = budget_of({"queries": 2})

    assert (budget.queries, budget.repeats, budget.response_ms) == (2, 4, 100)


@pytest.mark.parametrize("declared", [{"querys": 2}, {"queries": "2"}, {"queries": True}])
def test_a_budget_that_cannot_be_meant_is_refused(declared):
    with pytest.raises(InvalidBudgetError, match=f"{next(iter(declared))}"):
        budget_of(declared)


@pytest.mark.parametrize(
    ("sql", "advice"),
    [
        ("SELECT 1", "N+1"),
        ("INSERT INTO x", "bulk_create"),
        ("UPDATE x", "bulk_update"),
        ("DELETE FROM x", "filter"),
        ("LOCK x", "send it once"),
    ],
)
def test_the_advice_fits_the_kind_of_statement(sql, advice):
    assert advice in advice_for(sql, Site("views.py", 1, "view"))
