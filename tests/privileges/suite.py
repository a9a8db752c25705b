"""Calls that lambda_app makes within a test, against those that its functions were recorded to make."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from tests.privileges.recording import read_record

SOURCE = str(Path(__file__).resolve().parents[2] / "lambda_app")
ROLES: Mapping[str, str] = {"api_gateway": "Web", "management": "Migration", "s3": "Objects", "sqs": "Queue"}
"""How the logical id of a role begins, by the handler of its function."""

S3_ACTIONS: Mapping[str, str] = {"HeadObject": "GetObject", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket"}
"""Operations that policies know by another name."""

RECORDED = frozenset((call.role, call.action) for call in read_record())


def unrecorded(service: str, operation: str) -> str:
    """Return what is wrong with the call that the caller is about to make; empty if it is recorded or not ours."""
    frames = list(_frames())
    if not any(path.startswith(SOURCE) for path in frames):
        return ""
    action = action_of(service, operation)
    handlers = {Path(path).stem for path in frames if Path(path).parent.name == "handlers"}
    prefixes = tuple(ROLES[name] for name in handlers if name in ROLES) or tuple(ROLES.values())
    if any(action == known and role.startswith(prefixes) for role, known in RECORDED):
        return ""
    return f"no function of {' or '.join(prefixes)} was seen to call {action}; `make record-calls`, and grant it"


def action_of(service: str, operation: str) -> str:
    if service == "s3":
        return f"s3:{S3_ACTIONS.get(operation, operation)}"
    return f"{service}:{operation.removesuffix('Batch')}"


def _frames() -> Iterator[str]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back
