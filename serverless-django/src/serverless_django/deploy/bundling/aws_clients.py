"""What boto3's clients read to be made, for the services that are called, without what only a person reads.

They are parsed whole each time a process makes its first client: the S3 model is nine tenths documentation.
"""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

AWS_SERVICES = ("s3", "secretsmanager", "sqs", "sts")
"""Services whose boto3 clients are deployed; add one here to call it."""


def prune_clients(folder: Path) -> None:
    """Delete from the packages in `folder` the clients of other services, and shorten what describes these."""
    for path in folder.glob("boto*/data/*"):
        if path.is_dir() and path.name not in AWS_SERVICES:
            shutil.rmtree(path)
    for path in folder.glob("botocore/data/*/*/service-2.json.gz"):
        # Without a time in its header: the same lock gives the same bytes.
        path.write_bytes(gzip.compress(_changed(gzip.decompress(path.read_bytes()), _without_documentation), mtime=0))
    for path in folder.glob("botocore/data/endpoints.json"):
        path.write_bytes(_changed(path.read_bytes(), _of_our_services))


def _changed(text: bytes, change: Callable[[Any], Any]) -> bytes:
    return json.dumps(change(json.loads(text)), separators=(",", ":")).encode()


def _without_documentation(value: Any) -> Any:
    """Empty what is said of each operation and shape: botocore reads some of it as if it could not be missing."""
    if isinstance(value, list):
        return [_without_documentation(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: "" if key == "documentation" and isinstance(item, str) else _without_documentation(item)
        for key, item in value.items()
    }


def _of_our_services(endpoints: dict[str, Any]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        partition["services"] = {name: item for name, item in partition["services"].items() if name in AWS_SERVICES}
    return endpoints
