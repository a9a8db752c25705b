"""Counts of the launcher become a table of functions and queues."""

from tests.demo.totals import Totals

COUNTS = {
    "api_gateway invocations": 120,
    "api_gateway cold starts": 3,
    "sqs invocations": 60,
    "App-QueuelikesQueue1A2B": 2,
    "App-QueuelikesDeadLetters3C4D": 1,
}


def test_dead_letters_are_told_from_messages_that_wait():
    totals = Totals.of(COUNTS)

    assert (totals.waiting, totals.dead) == (2, 1)


def test_what_ran_before_does_not_count():
    later = COUNTS | {"sqs invocations": 75, "sqs errors": 1, "s3 invocations": 4}

    ran = Totals.of(later).since(Totals.of(COUNTS)).functions

    assert ran["sqs"] == {"invocations": 15, "cold starts": 0, "errors": 1, "messages": 0}
    assert ran["s3"]["invocations"] == 4
    assert "api_gateway" not in ran


def test_the_table_has_a_row_for_each_function():
    lines = str(Totals.of(COUNTS)).splitlines()

    assert lines[1].split() == ["api_gateway", "120", "3", "0", "0"]
    assert lines[-1] == "messages waiting 2, dead letters 1"
