"""The kinds of resource that `lambda_app.topology` may declare."""

import re
from dataclasses import dataclass
from datetime import timedelta

MAX_BATCH_TIMEOUT = timedelta(minutes=15)
"""The longest that a Lambda function may run."""

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
    """Deliveries before a message goes to the dead letters."""

    max_concurrency: int = 5
    """Batches run at once, and so database connections held by this queue; Lambda takes 2 to 1,000."""

    memory_mb: int = 512

    def __post_init__(self) -> None:
        _check_name("queue", self.name)
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

    def __post_init__(self) -> None:
        _check_name("bucket", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTrigger:
    """Run `task` for every object created under `prefix` of `bucket`."""

    bucket: str
    prefix: str
    task: str
    """Dotted path of the task, called as `task(bucket=..., key=...)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Send a call of `task`, without arguments, to `queue` at every moment of `expression`, in UTC."""

    name: str
    expression: str
    """"rate(5 minutes)" or "cron(0 3 * * ? *)", as EventBridge Scheduler takes it."""

    task: str
    queue: str = "default"

    def __post_init__(self) -> None:
        _check_name("schedule", self.name)
        if not re.fullmatch(r"(rate|cron)\(.+\)", self.expression):
            raise InvalidTopologyError(
                f"schedule {self.name!r} has expression {self.expression!r}; "
                'write "rate(5 minutes)" or "cron(0 3 * * ? *)"'
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
    authenticated_paths: tuple[str, ...] = ()
    """Routes of the HTTP API that need a valid token before Lambda is invoked, such as "/v1/{proxy+}"."""

    public_paths: tuple[str, ...] = ()
    """Routes under an authenticated path that need no token, such as "/v1/openapi.json"."""

    def __post_init__(self) -> None:
        queues = _unique("queue", [queue.name for queue in (*self.queues, self.object_queue)])[:-1]
        buckets = _unique("bucket", [bucket.name for bucket in self.buckets])
        _unique("schedule", [schedule.name for schedule in self.schedules])
        for schedule in self.schedules:
            _check_reference(f"schedule {schedule.name!r}", "queue", schedule.queue, queues)
        for trigger in self.object_triggers:
            _check_reference(f"object trigger {trigger.prefix!r}", "bucket", trigger.bucket, buckets)
