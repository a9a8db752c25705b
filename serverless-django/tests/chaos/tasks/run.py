"""One run: orders placed, transferred and noted by workers that are killed, on a database that crashes."""

import json
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from uuid6 import uuid7

from serverless_django.contract.task_message import TaskMessage
from tests.chaos.tasks import books
from tests.chaos.tasks.world import Nursery, Worker, World

PRODUCERS = 2
WORKERS = ("default 50", "default 50", "likes 200", "views 200", "statements.fifo 10", "statements.fifo 10")
YARDSTICK_WORKERS = ("default 10", "default 10", "views 10", "views 10")
SWEEP = "serverless_django.maintenance.sweep_outbox"
BANK = "tests.chaos.tasks.bank"
KINDS = ("raises", "kills", "exits", "leaves", "cancels", "lock", "cuts")
POISON_COUNT = 2 * len(KINDS) + 4
"""Each kind by itself and in bulk; a task and a message that are none, and both in FIFO groups with healthy calls."""

SET_ASIDE_COUNT = 5
STUCK_AFTER_SECONDS = 90.0
"""Without any progress for so long, a run ends with what it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    messages: int
    kills: int
    crashes: int
    seed: int
    kind: str = "ours"
    """Or the name of a yardstick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the books say when nothing moves any more."""

    orders: int
    """Placed: every one that was asked for, if the run came to its end."""

    lost: int
    """Orders without their transfer, transfers without their notice, and lines of statements that are not written."""

    doubled: int
    """Transfers, notices and lines beyond the first of each key."""

    out_of_order: int
    """Lines that were written behind a later one of their group, by the order of the commits that enqueued them."""

    books_differ: int
    """1 if the balances are not the sum of what every order asked for, once each."""

    healthy_dead: int
    """Dead letters without poison, before any redrive."""

    healthy_dead_after_redrive: int
    poison_dead: int
    """Of POISON_COUNT."""

    outbox_left: int
    set_aside: int
    """Calls for a removed queue that are kept, of SET_ASIDE_COUNT."""

    kills: int
    crashes: int
    deliveries: int
    duplicates: int
    forgotten: int
    seconds: float


@dataclass
class Run:
    plan: Plan
    world: World
    nursery: Nursery
    workers: dict[Worker, str] = field(default_factory=dict)
    kills: int = 0
    crashes: int = 0
    redriven: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.plan.seed)
        self._started = self._said = self._swept = time.monotonic()
        self._moved = (0, self._started)

    def complete(self) -> Outcome:
        self._start()
        while not self._is_over():
            self._restart()
            self._sweep()
            self._harm()
            self._say()
            time.sleep(0.01)
        dead_before = self._healthy_dead()
        self._redrive()
        outcome = self._outcome(dead_before)
        for worker in self.workers:
            worker.kill()
        return outcome

    def _start(self) -> None:
        self.world.broker.clear()
        self.world.broker.counts.clear()
        self.world.broker.max_receives = 20 if self.plan.kind == "ours" else 8
        self.world.execute(books.CLEAR)
        if self.plan.kind == "ours":
            self._poison()
        else:
            for number in range(POISON_COUNT):
                values = {"key": f"poison-raises-{number}", "account": 1, "amount": 1}
                self.world.broker.send("default", json.dumps(values))
        commands = [f"produce {first} {self.plan.messages} {PRODUCERS} {self.plan.kind}" for first in range(PRODUCERS)]
        queues = WORKERS if self.plan.kind == "ours" else YARDSTICK_WORKERS
        for command in (*commands, *(f"work {queue} {self.plan.kind}" for queue in queues)):
            self.workers[self.nursery.start(command)] = command

    def _poison(self) -> None:
        self.world.execute(books.PROMISE_TO_REMOVED_QUEUE)
        send = self.world.broker.send
        for kind in KINDS:
            values = {"key": f"poison-{kind}", "account": 1, "amount": 1}
            send("default", message_of(f"{BANK}.transfer_one", **values))
            send("likes", message_of(f"{BANK}.transfer_all", transfers=[values]))
        send("default", message_of(f"{BANK}.removed", key="poison-removed"))
        send("default", "poison that is no message")
        send("statements.fifo", message_of(f"{BANK}.write_line", name="poison", number=0), group="g1")
        send("statements.fifo", "poison that is no message, in a group", group="g2")

    def _restart(self) -> None:
        for worker, command in list(self.workers.items()):
            if not worker.is_alive():
                del self.workers[worker]
                if not self._has_finished(command):
                    self.workers[self.nursery.start(command)] = command

    def _has_finished(self, command: str) -> bool:
        if not command.startswith("produce"):
            return False
        placed = self._ask("SELECT count(DISTINCT key) FROM bank_order")
        return placed == self.plan.messages

    def _sweep(self) -> None:
        if self.plan.kind == "ours" and time.monotonic() - self._swept > 1:
            self._swept = time.monotonic()
            self.world.broker.send("default", message_of(SWEEP))

    def _harm(self) -> None:
        """Spread kills and crashes over the whole of the work."""
        share = self._progress() / (2 * self.plan.messages)
        if self.workers and self.kills < self.plan.kills * min(1.0, share * 1.05 + 0.01):
            self._random.choice(list(self.workers)).kill()
            self.kills += 1
        if self.crashes < self.plan.crashes * min(1.0, share * 1.05):
            self.world.crash_database()
            self.crashes += 1

    def _progress(self) -> int:
        """Return how many transfers, notices and lines are done, or were when the database last answered."""
        if time.monotonic() - self._moved[1] > 0.3 or self._moved[0] == 0:
            done = self._ask(books.WRITTEN)
            if done > self._moved[0]:
                self._moved = (done, time.monotonic())
        return self._moved[0]

    def _is_over(self) -> bool:
        if time.monotonic() - self._moved[1] > STUCK_AFTER_SECONDS:
            return True
        if any(command.startswith("produce") for command in self.workers.values()):
            return False
        return not self.world.broker.waiting(besides=SWEEP) and not self._ask(books.UNSENT)

    def _healthy_dead(self) -> int:
        return sum("poison" not in body and SWEEP not in body for body in self.world.broker.dead())

    def _redrive(self) -> None:
        for queue, messages in self.world.broker.take_dead().items():
            for message in messages:
                if "poison" in message.body:
                    self.world.broker.send(f"{queue}-dead", message.body)
                elif SWEEP not in message.body:
                    self.world.broker.send(queue, message.body, group=message.group)
                    self.redriven += 1
        deadline = time.monotonic() + 30
        while self.redriven and time.monotonic() < deadline and self.world.broker.waiting(besides=SWEEP):
            self._restart()
            time.sleep(0.05)

    def _outcome(self, dead_before: int) -> Outcome:
        ordered, transferred, noted = (
            self._ask(f"SELECT count(DISTINCT key) FROM {table}")  # noqa: S608
            for table in ("bank_order", "bank_ledger", "bank_notice")
        )
        rows = self._ask("SELECT (SELECT count(*) FROM bank_ledger) + (SELECT count(*) FROM bank_notice)")
        balance, asked = (
            self._ask("SELECT sum(balance) FROM bank_account"),
            self._ask("SELECT sum(amount) FROM bank_order"),
        )
        counts = self.world.broker.counts
        return Outcome(
            orders=ordered,
            lost=(ordered - transferred) + (transferred - noted) + self._ask(books.LINES_LOST),
            doubled=rows - transferred - noted + self._ask(books.LINES_DOUBLED),
            out_of_order=self._ask(books.OUT_OF_ORDER),
            books_differ=int(balance != asked),
            healthy_dead=dead_before,
            healthy_dead_after_redrive=self._healthy_dead(),
            poison_dead=len({body for body in self.world.broker.dead() if "poison" in body}),
            outbox_left=self._ask(books.UNSENT),
            set_aside=self._ask(books.SET_ASIDE),
            kills=self.kills,
            crashes=self.crashes,
            deliveries=counts["delivered"],
            duplicates=counts["duplicated"],
            forgotten=counts["forgotten"],
            seconds=round(time.monotonic() - self._started, 1),
        )

    def _ask(self, statement: str) -> int:
        try:
            return int(str(self.world.execute(statement)[0][0] or 0))
        except psycopg.OperationalError:
            return 0 if "outbox" not in statement else 1

    def _say(self) -> None:
        if time.monotonic() - self._said < 5:
            return
        self._said = time.monotonic()
        done = min(self._progress() // 2, self.plan.messages)
        print(
            f"  {self.plan.kind:<9} {self._said - self._started:6.0f} s  {done:>9,} of {self.plan.messages:,}"
            f"  killed {self.kills:>3}  crashed {self.crashes:>2}  waiting {self.world.broker.waiting():,}",
            file=sys.stderr,
            flush=True,
        )


def run(plan: Plan, world: World) -> Outcome:
    with Nursery(world) as nursery:
        return Run(plan, world, nursery).complete()


def figures(outcome: Outcome, *, prefix: str = "") -> Mapping[str, float]:
    return {f"{prefix}{name}": getattr(outcome, name) for name in outcome.__slots__}


def message_of(task: str, **kwargs: object) -> str:
    return TaskMessage(id=str(uuid7()), task=task, enqueued_at=datetime.now(UTC).isoformat(), kwargs=kwargs).encode()
