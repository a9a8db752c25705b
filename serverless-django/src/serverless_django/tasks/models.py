"""The rows behind tasks: what is yet to be sent, what has been done, what failed, and results that were asked for."""

from django.db import models
from django.db.models.functions import Now
from django.tasks import TaskResultStatus

from serverless_django.contract.task_message import ERROR_LENGTH, TASK_PATH_LENGTH


class DeferredCall(models.Model):
    """The outbox: a call that was committed and that SQS has not accepted yet."""

    id = models.UUIDField(primary_key=True, editable=False)
    """The id of the message."""

    queue = models.CharField(max_length=31)
    message_group = models.CharField(max_length=128, default="", db_default="")
    body = models.TextField()
    priority = models.SmallIntegerField(default=0, db_default=0)
    run_after = models.DateTimeField(null=True)
    send_after = models.DateTimeField()
    """Time before which no process sends the call.  A sender first moves it on, so that no other sends it, too."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    position = models.BigIntegerField(default=0, db_default=0, editable=False)
    """Of a FIFO group's call: its place in the order of commits, given by a trigger at the commit."""

    class Meta:
        db_table = "serverless_outbox"
        indexes = [
            models.Index(fields=["send_after"], name="outbox_next_to_send"),
            models.Index(
                fields=["queue", "message_group", "position"],
                condition=~models.Q(message_group=""),
                name="outbox_groups_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"call {self.id} for queue {self.queue}"


class Receipt(models.Model):
    """Written in the transaction of the effect: who finds it there has nothing left to do.

    A ring of eight partitions, one for each week of the message's own time; purging empties a
    partition at once and leaves nothing to vacuum.
    """

    pk = models.CompositePrimaryKey("week", "id")
    week = models.SmallIntegerField()
    id = models.UUIDField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "serverless_receipt"

    def __str__(self) -> str:
        return f"receipt {self.id}"


class FailedCall(models.Model):
    """A call whose task has failed and may succeed yet; the row goes with its success or its death."""

    id = models.UUIDField(primary_key=True, editable=False)
    task = models.CharField(max_length=TASK_PATH_LENGTH)
    attempts = models.PositiveSmallIntegerField()
    error = models.CharField(max_length=ERROR_LENGTH)
    failed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "serverless_failed_call"

    def __str__(self) -> str:
        return f"{self.task} failed {self.attempts} times: {self.error}"


class StoredResult(models.Model):
    """The result of a call whose task keeps results."""

    id = models.UUIDField(primary_key=True, editable=False)
    task = models.CharField(max_length=TASK_PATH_LENGTH)
    queue = models.CharField(max_length=31)
    priority = models.SmallIntegerField()
    status = models.CharField(max_length=10, choices=TaskResultStatus)
    args = models.JSONField()
    kwargs = models.JSONField()
    return_value = models.JSONField(null=True)
    errors = models.JSONField(default=list)
    worker_ids = models.JSONField(default=list)
    enqueued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    last_attempted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "serverless_result"
        indexes = [models.Index(fields=["enqueued_at"], name="result_oldest_first")]

    def __str__(self) -> str:
        return f"{self.status} {self.task} {self.id}"
