"""An SQS body → a call, with its arguments left as they are until the task that takes them is known."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from lambda_app.contract.task_message import FORMAT_VERSION, InvalidTaskMessageError, TaskMessage

LIST, OBJECT = b"[{"
"""The bytes with which they open."""


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`TaskMessage` as it is read: in half a microsecond, checked by type."""

    id: str
    task: str
    enqueued_at: Annotated[datetime, msgspec.Meta(tz=True)]
    args: msgspec.Raw
    kwargs: msgspec.Raw
    version: Annotated[int, msgspec.Meta(ge=1, le=FORMAT_VERSION)]
    priority: int = 0
    request_id: str = ""
    trace: str = ""

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return msgspec.json.decode(self.args), msgspec.json.decode(self.kwargs)


_decoder = msgspec.json.Decoder(Envelope)


def read_envelope(body: str) -> Envelope:
    """Raise InvalidTaskMessageError, which says what is wrong, if `body` is no call."""
    try:
        envelope = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise _explained(body, error) from error
    # Raw arguments are not checked by type: a list opens with a bracket, an object with a brace.
    if memoryview(envelope.args)[0] != LIST or memoryview(envelope.kwargs)[0] != OBJECT:
        raise _explained(body, None)
    return envelope


def envelope_of(message: TaskMessage) -> Envelope:
    """Raise InvalidTaskMessageError if the message's time is none."""
    return read_envelope(message.encode())


def _explained(body: str, error: Exception | None) -> InvalidTaskMessageError:
    try:
        message = TaskMessage.decode(body)
    except InvalidTaskMessageError as explained:
        return explained
    return InvalidTaskMessageError(
        f"message {message.id} has enqueued_at {message.enqueued_at!r}, which is no ISO 8601 time with a zone"
        if "enqueued_at" in str(error)
        else f"not a task message: {error}"
    )
