"""A created object → calls of the tasks that topology names for it, run like any other."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from serverless_django.conf import bucket_names, topology
from serverless_django.contract.resources import ObjectTrigger, Topology
from serverless_django.contract.task_message import InvalidTaskMessageError, TaskMessage
from serverless_django.observability.logs import metric_fields
from serverless_django.s3.events import CreatedObject, InvalidObjectEventError, read_objects
from serverless_django.tasks.options import options_of
from serverless_django.tasks.registry import load_task
from serverless_django.tasks.wire import Envelope, envelope_of

logger = logging.getLogger(__name__)


def calls_in_body(body: str) -> list[Envelope | Exception]:
    """Return the calls that the S3 event in the SQS message `body` sets off, and why a record of it sets off none.

    Raise InvalidObjectEventError if it holds no event of S3.
    """
    try:
        event = json.loads(body)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidObjectEventError(f"not an event of S3: {body[:200]!r}") from error
    return calls_of_event(event)


def calls_of_event(event: Any) -> list[Envelope | Exception]:
    """Return a call for each task of every object that `event` announces, and an error for what cannot be read."""
    return [call for item in read_objects(event) for call in _calls_of(item)]


def _calls_of(item: CreatedObject | InvalidObjectEventError) -> Iterator[Envelope | Exception]:
    if isinstance(item, InvalidObjectEventError):
        yield item
        return
    for message in task_messages(item, topology(), bucket_names()):
        try:
            yield envelope_of(message)
        except ValueError as error:
            yield error


def task_messages(created: CreatedObject, topology: Topology, bucket_names: Mapping[str, str]) -> list[TaskMessage]:
    """Return the calls that `created` sets off; `bucket_names` gives the name in S3 of each bucket of `topology`."""
    messages = [_message(created, trigger) for trigger in _matching(created, topology, bucket_names)]
    if not messages:
        # Acknowledged: it would match no better the next time.
        logger.warning(
            "no trigger of lambda_app.topology for object %r of bucket %s",
            created.key,
            created.bucket,
            extra=metric_fields({"ObjectsWithoutTrigger": 1}, {"handler": "s3"}, by=[["handler"], []]),
        )
    for message in messages:
        # The lines that follow bear the id of the call: this one joins it to the object.
        names = {"object": f"{created.bucket}/{created.key}", "call": message.id, "task": message.task}
        logger.info("object %(object)s calls %(task)s", names, extra=names)
    return messages


def _matching(created: CreatedObject, topology: Topology, bucket_names: Mapping[str, str]) -> Iterator[ObjectTrigger]:
    for trigger in topology.object_triggers:
        if bucket_names.get(trigger.bucket) == created.bucket and created.key.startswith(trigger.prefix):
            yield trigger


def _message(created: CreatedObject, trigger: ObjectTrigger) -> TaskMessage:
    # The same event told twice gives the same id, whatever id SQS gave its messages.
    identity = json.dumps([created.bucket, created.key, created.version, created.sequencer, trigger.task])
    arguments = _arguments(created, trigger)
    is_bulk = _is_bulk(trigger.task)
    return TaskMessage(
        id=str(uuid5(NAMESPACE_URL, identity)),
        task=trigger.task,
        enqueued_at=created.created_at,
        args=[[arguments]] if is_bulk else (),
        kwargs={} if is_bulk else arguments,
    )


def _is_bulk(path: str) -> bool:
    try:
        return options_of(load_task(path))["bulk"]
    except InvalidTaskMessageError:
        # The call will fail with that reason, whatever its arguments.
        return False


def _arguments(created: CreatedObject, trigger: ObjectTrigger) -> dict[str, str]:
    version = {"version": created.version} if trigger.pass_version else {}
    return {"bucket": trigger.bucket, "key": created.key, **version}
