"""Each request that MiniStack judges → one line for each role, action and resource: what the functions really call.

With AUTH=true MiniStack refuses what no policy of the deployed template allows, as AWS does.  Imported by
`serverless_django.local.ministack_glue`, which asserts the version.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.services import sts

CALLS = Path(os.environ["STATE_DIR"]).parent / "calls.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a role did, or tried to do, however often."""

    role: str
    action: str
    """As policies name it, such as "s3:PutObject"."""

    resource: str
    allowed: bool


_seen: set[Call] = set()
_judge = iam_evaluator.enforce
_pin_origin = iam_evaluator.pin_request_origin


def _judge_and_note(access_key: str, action: str, service: str, *more: Any, **named: Any) -> Any:
    # SQS has no actions for its batches: a caller that may send one message may send ten.
    action = action.removesuffix("Batch") if service == "sqs" else action
    denied = _judge(access_key, action, service, *more, **named)
    session = sts._sessions.get(access_key)
    if session is not None:
        role, resource = str(session["Arn"]).split("/")[1], _without_key(str(named.get("resource_arn", "*")))
        _note(Call(role=role, action=action, resource=resource, allowed=denied is None))
    return denied


def _without_key(arn: str) -> str:
    """Cut the key of an object to its folder: there are many, and no policy names one."""
    bucket, slash, key = arn.partition("/")
    return f"{bucket}/{key.partition('/')[0]}/*" if slash and arn.startswith("arn:aws:s3:::") else arn


def _note(call: Call) -> None:
    if call not in _seen:
        _seen.add(call)
        with CALLS.open("a") as file:
            file.write(json.dumps(asdict(call)) + "\n")


def _pin_origin_behind_tls(source_ip: str, secure_transport: bool) -> None:
    # The laptop's AWS speaks HTTP on an address that no other machine reaches; the policies ask for TLS.
    _pin_origin(source_ip, True)


iam_evaluator.enforce = _judge_and_note
app.pin_request_origin = _pin_origin_behind_tls
