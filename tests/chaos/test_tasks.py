"""A short run of `make chaos-tasks`: every effect once, whatever is killed; and a yardstick that shows it can fail."""

import pytest

from tests.chaos.tasks.broker import Mischief
from tests.chaos.tasks.run import POISON_COUNT, Plan, run
from tests.chaos.tasks.world import running_world


@pytest.fixture(scope="module")
def world():
    mischief = Mischief(seed=7, duplicates=0.05, forgotten=0.02, max_delay_seconds=0.2, speed=20)
    with running_world(mischief) as world:
        yield world


def test_every_effect_happens_exactly_once(world):
    outcome = run(Plan(messages=1_500, kills=15, crashes=2, seed=7), world)

    assert (outcome.lost, outcome.doubled, outcome.books_differ, outcome.outbox_left) == (0, 0, 0, 0)
    assert (outcome.healthy_dead, outcome.poison_dead) == (0, POISON_COUNT)
    assert (outcome.kills, outcome.crashes) == (15, 2)
    assert min(outcome.duplicates, outcome.forgotten) > 0


def test_without_receipts_the_same_faults_do_harm(world):
    outcome = run(Plan(messages=200, kills=10, crashes=1, seed=7, kind="naive"), world)

    assert outcome.lost + outcome.doubled > 0
    assert outcome.books_differ
