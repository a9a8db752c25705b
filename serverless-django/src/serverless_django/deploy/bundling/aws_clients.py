"""What boto3's clients read to be made, for the services that are called, without what only a person reads.

They are parsed whole each time a process makes its first client: the S3 model is nine tenths documentation.
"""

import gzip
import json
import re
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

AWS_SERVICES = ("s3", "secretsmanager", "sqs", "sts")
"""Services that the library calls."""

_CLIENT = re.compile(r"""\b(?:client|resource)\(\s*+(?:service_name\s*+=\s*+)?["']([a-z0-9-]++)["']""")


def services_called_in(sources: Iterable[str]) -> tuple[str, ...]:
    """Return the services whose clients `sources` make by name, as `boto3.client("sesv2")` does, sorted."""
    return tuple(sorted({name for source in sources for name in _CLIENT.findall(source)}))


def prune_clients(folder: Path, services: Collection[str]) -> None:
    """Delete from the packages in `folder` the clients of all but `services`, and shorten what describes these."""
    for path in folder.glob("boto*/data/*"):
        if path.is_dir() and path.name not in services:
            shutil.rmtree(path)
    prefixes = set(services)
    for path in folder.glob("botocore/data/*/*/service-2.json.gz"):
        model = _without_documentation(json.loads(gzip.decompress(path.read_bytes())))
        prefixes.add(model["metadata"]["endpointPrefix"])
        # Without a time in its header: the same lock gives the same bytes.
        path.write_bytes(gzip.compress(_compact(model), mtime=0))
    for path in folder.glob("botocore/data/endpoints.json"):
        endpoints = json.loads(path.read_bytes())
        for partition in endpoints["partitions"]:
            partition["services"] = {key: item for key, item in partition["services"].items() if key in prefixes}
        path.write_bytes(_compact(endpoints))


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


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
