"""Calls that the library makes within a test, against those that functions were recorded to make on a laptop."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType

import serverless_django

RECORD = Path(__file__).with_name("recorded_calls.json")
"""Written by `make record-calls`."""

SOURCE = Path(serverless_django.__file__).parent
OPERATORS = tuple(str(SOURCE / name) for name in ("cli", "deploy", "local", "testing"))
"""What a developer or an operator runs: these calls need the rights of that person, not of a function."""

ROLES: Mapping[str, str] = {"api_gateway": "Web", "management": "Migration", "s3": "Objects", "sqs": "Queue"}
"""How the logical id of a role begins, by the handler of its function."""

S3_ACTIONS: Mapping[str, str] = {"HeadObject": "GetObject", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket"}
"""Operations that policies know by another name."""

SECRETS = "secretsmanager:BatchGetSecretValue"
"""Of projects with secrets, which the recorded one has not; tests/wheel/test_extended.py sees that it is granted."""

RECORDED = frozenset((role, action) for role, action in json.loads(RECORD.read_text())) | {
    (role, SECRETS) for role in ROLES.values()
}


def unrecorded(service: str, operation: str) -> str:
    """Return what is wrong with the call that the caller is about to make; empty if it is recorded or not ours."""
    frames = list(_frames())
    if not any(path.startswith(str(SOURCE)) and not path.startswith(OPERATORS) for path in frames):
        return ""
    action = action_of(service, operation)
    handlers = {Path(path).stem for path in frames if Path(path).parent.name == "handlers"}
    roles = [ROLES[name] for name in handlers if name in ROLES] or list(ROLES.values())
    if any((role, action) in RECORDED for role in roles):
        return ""
    return f"no function of {' or '.join(roles)} was seen to call {action}; `make record-calls`, and grant it"


def write_record(calls: Iterable[tuple[str, str]]) -> None:
    """Keep each (role, action) of `calls` once, a role by how its logical id begins."""
    known = {(start, action) for role, action in calls for start in ROLES.values() if role.startswith(start)}
    RECORD.write_text("[\n  " + ",\n  ".join(json.dumps(call) for call in sorted(known)) + "\n]\n")


def action_of(service: str, operation: str) -> str:
    if service == "s3":
        return f"s3:{S3_ACTIONS.get(operation, operation)}"
    return f"{service}:{operation.removesuffix('Batch')}"


def _frames() -> Iterator[str]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back
