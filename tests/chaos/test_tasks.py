"""A short run of `make chaos-tasks`: every effect once, whatever is killed; and a yardstick that shows it can fail."""

import pytest

from tests.chaos.tasks.broker import Mischief
from tests.chaos.tasks.run import POISON_COUNT, Plan, run
from tests.chaos.tasks.world import enumerate_crash_points, running_world


@pytest.fixture(scope="module")
def world():
    mischief = Mischief(seed=7, duplicates=0.05, forgotten=0.02, max_delay_seconds=0.2, speed=20)
    with running_world(mischief) as world:
        yield world


@pytest.fixture(scope="module")
def calm():
    with running_world(Mischief()) as world:
        yield world


def test_every_effect_happens_exactly_once(world):
    outcome = run(Plan(messages=1_500, kills=15, crashes=2, seed=7), world)

    assert outcome.orders == 1_500
    assert (outcome.lost, outcome.doubled, outcome.books_differ, outcome.outbox_left) == (0, 0, 0, 0)
    assert (outcome.healthy_dead, outcome.poison_dead) == (0, POISON_COUNT)
    assert (outcome.kills, outcome.crashes) == (15, 2)
    assert min(outcome.duplicates, outcome.forgotten) > 0


def test_without_receipts_the_same_faults_do_harm(world):
    outcome = run(Plan(messages=200, kills=10, crashes=1, seed=7, kind="naive"), world)

    assert outcome.lost + outcome.doubled > 0
    assert outcome.books_differ


@pytest.mark.parametrize("fault", ["kill", "cut"])
def test_no_boundary_of_input_and_output_loses_or_doubles_an_effect(calm, fault):
    found = enumerate_crash_points(calm, "ours", fault)

    assert found["violations"] == []
    # Each stage has at least a statement, a commit and a call of SQS, before and after.
    assert set(found["points"]) == {"enqueue", "relay", "worker", "bulk worker"}
    assert min(found["points"].values()) >= 6


def test_the_same_boundaries_show_what_a_worker_without_receipts_does(calm):
    assert enumerate_crash_points(calm, "naive", "kill")["violations"]
