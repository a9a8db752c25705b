"""A short run of `make chaos-tasks`: every effect once, whatever is killed; and a yardstick that shows it can fail."""

import time

import pytest

from tests.chaos.tasks import books
from tests.chaos.tasks.broker import Mischief
from tests.chaos.tasks.run import BANK, POISON_COUNT, SET_ASIDE_COUNT, Plan, message_of, run
from tests.chaos.tasks.world import Nursery, enumerate_crash_points, running_world


@pytest.fixture(scope="module")
def world():
    mischief = Mischief(seed=7, duplicates=0.05, forgotten=0.02, max_delay_seconds=0.2, speed=20)
    with running_world(mischief) as world:
        yield world


@pytest.fixture(scope="module")
def calm():
    with running_world(Mischief()) as world:
        yield world


@pytest.mark.nightly
def test_every_effect_happens_exactly_once(world):
    outcome = run(Plan(messages=1_500, kills=15, crashes=2, seed=7), world)

    assert outcome.orders == 1_500
    assert (outcome.lost, outcome.doubled, outcome.books_differ, outcome.outbox_left) == (0, 0, 0, 0)
    assert (outcome.healthy_dead, outcome.poison_dead) == (0, POISON_COUNT)
    assert outcome.set_aside == SET_ASIDE_COUNT
    assert (outcome.kills, outcome.crashes) == (15, 2)
    assert min(outcome.duplicates, outcome.forgotten) > 0


@pytest.mark.parametrize("task", ["transfer_one", "transfer_all"])
@pytest.mark.parametrize("guilty", [("kills",), ("exits",), ("leaves",), ("kills", "exits", "kills")], ids=", ".join)
@pytest.mark.daily(1)
def test_of_calls_whose_worker_ends_the_guilty_alone_are_buried_and_all_others_run(calm, task, guilty):
    calm.broker.clear()
    calm.execute(books.CLEAR)
    keys = [f"k{number}" for number in range(9)]
    for place, kind in enumerate(guilty):
        keys.insert(4 * place + 2, f"poison-{kind}-{place}")
    for key in keys:
        transfer = {"key": key, "account": 1, "amount": 1}
        fields = transfer if task == "transfer_one" else {"transfers": [transfer]}
        calm.broker.send("default", message_of(f"{BANK}.{task}", **fields))

    deliveries = work_until_dead(calm, len(guilty))

    assert (
        sorted(key for (key,) in calm.execute("SELECT key FROM bank_ledger")) == sorted(keys)[: len(keys) - len(guilty)]
    )
    assert all("poison" in message.body for message in calm.broker.receive("default-dead", 10))
    # Far from the queue's own limit, which buries without asking.
    assert deliveries <= 5 + 3 * len(guilty)


def work_until_dead(world, count):
    """Let one worker after the other take the whole queue, as if each timeout had passed; return how many began."""
    deadline, deliveries = time.monotonic() + 60, 0
    with Nursery(world) as nursery:
        while len(world.broker.dead()) < count and time.monotonic() < deadline:
            world.broker.show_all()
            worker, deliveries = nursery.start("once default 20"), deliveries + 1
            while worker.is_alive():
                time.sleep(0.01)
    return deliveries


@pytest.mark.nightly
def test_without_receipts_the_same_faults_do_harm(world):
    outcome = run(Plan(messages=200, kills=10, crashes=1, seed=7, kind="naive"), world)

    assert outcome.lost + outcome.doubled > 0
    assert outcome.books_differ


@pytest.mark.parametrize("fault", ["kill", "cut"])
@pytest.mark.nightly
def test_no_boundary_of_input_and_output_loses_or_doubles_an_effect(calm, fault):
    found = enumerate_crash_points(calm, "ours", fault)

    assert found["violations"] == []
    # Each stage has at least a statement, a commit and a call of SQS, before and after.
    assert set(found["points"]) == {"enqueue", "relay", "worker", "bulk worker"}
    assert min(found["points"].values()) >= 6


@pytest.mark.nightly
def test_the_same_boundaries_show_what_a_worker_without_receipts_does(calm):
    assert enumerate_crash_points(calm, "naive", "kill")["violations"]
