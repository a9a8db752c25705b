"""Figures are written in one form, shown against their goals, and a miss is never overlooked."""

import json

import pytest

from tests.figures import Figure, InvalidGoalError, print_figures, write_figures


@pytest.mark.parametrize(
    ("value", "goal", "is_met"),
    [
        (1.0, "<= 1.0", True),
        (1.01, "<= 1.0", False),
        (2, ">=2", True),
        (1, ">= 2", False),
        (0, "== 0", True),
        (1, "== 0", False),
        (0.9, "< 1", True),
        (1, "< 1", False),
        (2, "> 1", True),
        (-1, "> -1", False),
        (99, "", True),
    ],
)
def test_a_goal_is_an_operator_and_a_number(value, goal, is_met):
    assert Figure("key", value, goal).is_met is is_met


@pytest.mark.parametrize("goal", ["1.0", "<= ", "about 3", "<= 1 s"])
def test_a_goal_that_cannot_be_read_is_refused(goal, tmp_path):
    with pytest.raises(InvalidGoalError, match="write an operator and a number, as"):
        write_figures("bench", {"ms": 1}, {"ms": goal}, folder=tmp_path)


def test_a_goal_for_what_was_not_measured_is_refused(tmp_path):
    with pytest.raises(InvalidGoalError, match="goals without a figure: p99; measured are p50"):
        write_figures("bench", {"p50": 1}, {"p99": "<= 1"}, folder=tmp_path)


def test_what_is_written_is_figures_goals_and_environment(tmp_path):
    assert write_figures("bench", {"p50": 1.5, "runs": 3}, {"p50": "<= 2"}, folder=tmp_path / "new")

    record = json.loads((tmp_path / "new" / "bench.json").read_text())
    assert record["figures"] == {"p50": 1.5, "runs": 3}
    assert record["goals"] == {"p50": "<= 2"}
    assert {"python", "system", "cores", "measured_at"} <= set(record["environment"])


def test_a_miss_is_marked_and_fails(tmp_path, capsys):
    write_figures("good", {"ms": 1}, {"ms": "<= 2"}, folder=tmp_path)
    write_figures("slow", {"ms": 3}, {"ms": "<= 2"}, folder=tmp_path)
    capsys.readouterr()

    assert print_figures(tmp_path) == 1

    marks = [line.split()[-1] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert marks == ["met", "MISSED"]


def test_with_every_goal_met_all_is_well(tmp_path):
    assert write_figures("good", {"ms": 1, "runs": 1}, {"ms": "<= 2"}, folder=tmp_path) is True
    assert print_figures(tmp_path) == 0


def test_before_the_first_measurement_there_is_a_hint(tmp_path, capsys):
    assert print_figures(tmp_path / "none") == 0
    assert "make demo" in capsys.readouterr().out
