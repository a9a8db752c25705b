"""The kinds of resource that `lambda_app.topology` may declare."""

import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations

from serverless_django.contract.schedule_expressions import is_possible

MAX_BATCH_TIMEOUT = timedelta(minutes=15)
"""The longest that a Lambda function may run."""

MAX_TASK_ATTEMPTS = 10
MAX_RETRY_AFTER = timedelta(minutes=15)
SPARE_RECEIVES = 10
"""Deliveries beyond `max_attempts` that faults of the infrastructure may use up: no message dies of an outage."""

MIN_TIME_PER_MESSAGE = timedelta(milliseconds=10)
"""What a message of a bulk task takes at the very least on a small function."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class InvalidTopologyError(ValueError):
    """A declaration is impossible, or two contradict each other."""


def _check_name(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidTopologyError(
            f"{kind} name {name!r} should be a lower-case letter, then up to 30 letters, digits and hyphens"
        )


def _unique(kind: str, names: list[str]) -> list[str]:
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidTopologyError(f"{kind} {repeated[0]!r} is declared twice")
    return names


def _check_reference(subject: str, kind: str, name: str, declared: list[str]) -> None:
    if name not in declared:
        raise InvalidTopologyError(f"{subject} names {kind} {name!r}; declared are {', '.join(declared)}")


def _check_loop(queue: "Queue", triggers: tuple["ObjectTrigger", ...]) -> None:
    for trigger in triggers:
        if trigger.bucket in queue.writes:
            raise InvalidTopologyError(
                f"queue {queue.name!r} writes bucket {trigger.bucket!r}, whose new objects set off tasks; "
                "a task would call itself, so let it write another bucket"
            )


def _check_overlap(triggers: tuple["ObjectTrigger", ...]) -> None:
    for one, other in permutations(triggers, 2):
        if one.bucket == other.bucket and other.prefix.startswith(one.prefix):
            raise InvalidTopologyError(
                f"object triggers {one.prefix!r} and {other.prefix!r} of bucket {one.bucket!r} overlap; "
                "an object under both would be delivered twice, so give each its own prefix"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """An SQS queue, its dead letters, and the function that drains them."""

    name: str
    batch_size: int = 10
    """Messages that one invocation takes at most; over 10 needs a `batch_window`."""

    batch_window: timedelta = timedelta(0)
    """How long Lambda may gather messages to fill a batch."""

    batch_timeout: timedelta = timedelta(seconds=60)
    """The longest that one batch may run."""

    max_attempts: int = 3
    """Failures of its task before a message goes to the dead letters; an outage of the database is none.

    This and the next three are defaults for the tasks that are declared for this queue, those of third-party
    apps, too; a task may say otherwise in its `@task(...)`.
    """

    retry_after: timedelta = timedelta(seconds=5)
    """Wait after the first failure, up to 15 minutes; doubled after each further one."""

    transactional: bool = True
    """Run each task in one transaction with its receipt.  False: a task may run twice, and must be safe to repeat."""

    keep_result: bool = False
    """Keep status, return value and errors for `task.get_result(id)`; not of tasks that are bulk or direct."""

    max_concurrency: int = 5
    """Batches run at once, and so database connections held by this queue; Lambda takes 2 to 1,000."""

    reads: tuple[str, ...] = ()
    """Buckets whose objects its tasks read."""

    writes: tuple[str, ...] = ()
    """Buckets whose objects its tasks read, put and delete."""

    memory_mb: int = 512
    fifo: bool = False
    """Keep the order of the messages of one group, which `@task(group_by=...)` names; at most 10 in a batch."""

    def __post_init__(self) -> None:
        _check_name("queue", self.name)
        self._check_attempts()
        self._check_order()
        if not 1 <= self.batch_size <= 10_000:
            raise InvalidTopologyError(
                f"queue {self.name!r} has batch_size {self.batch_size}; Lambda takes 1 to 10,000"
            )
        if self.batch_size > 10 and self.batch_window < timedelta(seconds=1):
            raise InvalidTopologyError(
                f"queue {self.name!r} has batch_size {self.batch_size}; over 10 needs a batch_window of at least 1 s"
            )
        if not 2 <= self.max_concurrency <= 1000:
            raise InvalidTopologyError(
                f"queue {self.name!r} has max_concurrency {self.max_concurrency}; Lambda takes 2 to 1,000"
            )
        if not timedelta(seconds=1) <= self.batch_timeout <= MAX_BATCH_TIMEOUT:
            raise InvalidTopologyError(
                f"queue {self.name!r} has batch_timeout {self.batch_timeout}; Lambda takes 1 s to 15 min"
            )
        if self.batch_size * MIN_TIME_PER_MESSAGE > self.batch_timeout:
            raise InvalidTopologyError(
                f"queue {self.name!r} has batch_size {self.batch_size} and batch_timeout {self.batch_timeout}, "
                f"less than {MIN_TIME_PER_MESSAGE.microseconds // 1000} ms for each message; take fewer, or more time"
            )

    def _check_attempts(self) -> None:
        if not 1 <= self.max_attempts <= MAX_TASK_ATTEMPTS:
            raise InvalidTopologyError(
                f"queue {self.name!r} has max_attempts {self.max_attempts}; possible are 1 to {MAX_TASK_ATTEMPTS}"
            )
        if not timedelta(0) < self.retry_after <= MAX_RETRY_AFTER:
            raise InvalidTopologyError(
                f"queue {self.name!r} has retry_after {self.retry_after}; possible is more than 0, "
                f"and up to {MAX_RETRY_AFTER}"
            )

    def _check_order(self) -> None:
        if self.fifo and (self.batch_size > 10 or self.batch_window):
            raise InvalidTopologyError(
                f"queue {self.name!r} is FIFO with batch_size {self.batch_size} and batch_window {self.batch_window}; "
                "Lambda takes at most 10 from one, and knows no window there"
            )

    @property
    def max_receives(self) -> int:
        """Deliveries before SQS itself gives a message up, as for one that kills its worker each time."""
        # Behind a call that fails the rest of its group is delivered each time, and not tried.
        waits = self.batch_size if self.fifo else 1
        return waits * max(self.max_attempts, MAX_TASK_ATTEMPTS) + SPARE_RECEIVES

    @property
    def visibility_timeout(self) -> timedelta:
        """Six batch timeouts and the window, as AWS advises, so that no batch runs twice at once."""
        return 6 * self.batch_timeout + self.batch_window


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A private S3 bucket, which Django reads and writes as `storages[name]`."""

    name: str
    expires_after: timedelta | None = None
    """Objects are deleted when they are this old.  None: kept."""

    immutable: bool = False
    """No name is ever given to other bytes, so phones and CDNs may keep what they got."""

    served_by_name: bool = False
    """Where a stage has an edge, everyone who knows an object's name may read it there: no one may guess names."""

    def __post_init__(self) -> None:
        _check_name("bucket", self.name)
        if self.served_by_name and not self.immutable:
            raise InvalidTopologyError(
                f"bucket {self.name!r} is served by name, and the edge keeps what it served; set immutable=True, too"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTrigger:
    """Run `task` for every object created under `prefix` of `bucket`."""

    bucket: str
    prefix: str
    task: str
    """Dotted path of the task, called as `task(bucket=..., key=...)`, or if it is bulk with a list of such objects."""

    pass_version: bool = False
    """Also pass `version=`, which `storages[bucket].open_version(key, version)` takes: for what may be replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Send a call of `task`, without arguments, to `queue` at every moment of `expression`, in UTC.

    Each moment has one effect, however often it is sent.
    """

    name: str
    expression: str
    """"rate(5 minutes)" or "cron(0 3 * * ? *)", as EventBridge Scheduler takes it."""

    task: str
    queue: str = "default"
    skip_after: timedelta | None = None
    """A moment that is later than this when its turn comes is skipped.  None: each is caught up."""

    def __post_init__(self) -> None:
        _check_name("schedule", self.name)
        if not is_possible(self.expression):
            raise InvalidTopologyError(
                f"schedule {self.name!r} has expression {self.expression!r}, which EventBridge Scheduler refuses or "
                'which names no moment; write "rate(5 minutes)" or "cron(0 3 * * ? *)": six fields, one of the days "?"'
            )


SCHEDULE_ID_PREFIX = "schedule/"
"""A message of a schedule has the id "schedule/NAME/MOMENT", so that each moment has one receipt."""

PLATFORM_TASKS = "serverless_django.maintenance"
"""The module with the tasks that every deployment needs."""

# Not transactional: what the sweep leases must be committed before it sends.
HOUSEKEEPING = Queue(name="housekeeping", max_concurrency=2, transactional=False)
"""Carries the platform's own schedules, so that no queue of a project delays them or is too short for them."""

PLATFORM_SCHEDULES = (
    Schedule(
        name="sweep-outbox",
        expression="rate(1 minute)",
        task=f"{PLATFORM_TASKS}.sweep_outbox",
        queue=HOUSEKEEPING.name,
    ),
    Schedule(
        name="purge-receipts",
        expression="cron(17 2 * * ? *)",
        task=f"{PLATFORM_TASKS}.purge_receipts",
        queue=HOUSEKEEPING.name,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole deployment.  Raise InvalidTopologyError if its parts do not fit."""

    queues: tuple[Queue, ...]
    buckets: tuple[Bucket, ...] = ()
    object_triggers: tuple[ObjectTrigger, ...] = ()
    object_queue: Queue = Queue(name="objects")
    """Carries the events of every bucket to `handlers/s3.py`."""

    schedules: tuple[Schedule, ...] = ()
    commands: tuple[str, ...] = ()
    """Management commands of the project that an operator may run on a stage, beside those of the library."""

    authenticated_paths: tuple[str, ...] = ()
    """Routes of the HTTP API that need a valid token before Lambda is invoked, such as "/v1/{proxy+}"."""

    public_paths: tuple[str, ...] = ()
    """Routes under an authenticated path that need no token, such as "/v1/openapi.json"."""

    def __post_init__(self) -> None:
        if HOUSEKEEPING.name in {queue.name for queue in (*self.queues, self.object_queue)}:
            raise InvalidTopologyError(
                f"queue {HOUSEKEEPING.name!r} is the platform's own, for its schedules; give yours another name"
            )
        queues = _unique("queue", [queue.name for queue in self.every_queue])[: len(self.queues)]
        if self.object_queue.fifo:
            raise InvalidTopologyError(
                f"object queue {self.object_queue.name!r} is FIFO; EventBridge tells no group of an event; "
                "take fifo off, and let its tasks enqueue to a FIFO queue where order matters"
            )
        buckets = _unique("bucket", [bucket.name for bucket in self.buckets])
        _unique("schedule", [schedule.name for schedule in self.every_schedule])
        for schedule in self.schedules:
            _check_reference(f"schedule {schedule.name!r}", "queue", schedule.queue, queues)
        for trigger in self.object_triggers:
            _check_reference(f"object trigger {trigger.prefix!r}", "bucket", trigger.bucket, buckets)
        for queue in self.every_queue:
            for bucket in (*queue.reads, *queue.writes):
                _check_reference(f"queue {queue.name!r}", "bucket", bucket, buckets)
            _check_loop(queue, self.object_triggers)
        _check_overlap(self.object_triggers)

    @property
    def task_queues(self) -> tuple[Queue, ...]:
        """The declared ones and that of the platform: what tasks are sent to."""
        return (*self.queues, HOUSEKEEPING)

    @property
    def every_queue(self) -> tuple[Queue, ...]:
        """Those of tasks and that of objects: what is deployed."""
        return (*self.task_queues, self.object_queue)

    @property
    def every_schedule(self) -> tuple[Schedule, ...]:
        """The declared ones and those that the platform needs."""
        return (*self.schedules, *PLATFORM_SCHEDULES)

    def trigger_prefixes(self, bucket: str) -> tuple[str, ...]:
        """Return the prefixes of `bucket` under which a new object sets off a task; no task may write there."""
        return tuple(trigger.prefix for trigger in self.object_triggers if trigger.bucket == bucket)

    @property
    def fifo_queues(self) -> frozenset[str]:
        return frozenset(queue.name for queue in self.queues if queue.fifo)

    def queue_of(self, name: str) -> Queue:
        """Return the queue that is called `name`, or one with the defaults if there is none."""
        return next((queue for queue in self.task_queues if queue.name == name), Queue(name="default"))
