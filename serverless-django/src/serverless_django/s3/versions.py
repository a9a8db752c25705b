"""What an event calls a version of an object → the condition under which S3 hands out that version, or none."""

from typing import Any

from botocore.exceptions import ClientError
from django.core.files.base import File

GONE = frozenset({"NoSuchKey", "NoSuchVersion", "PreconditionFailed", "404", "412"})
"""Gone, or another object took its place: both stay so, however often one asks."""

VERSION_ID, ETAG = "id:", "etag:"


class VersionFile(File):  # type: ignore[type-arg]
    """An object that is read once, from its beginning; `size` is known before."""

    def __init__(self, reply: Any, name: str) -> None:
        super().__init__(reply["Body"], name)
        self.size = reply["ContentLength"]


def open_version(client: Any, bucket_name: str, key: str, version: str) -> VersionFile:
    """Open the `version` of the object `key` in the bucket `bucket_name` with `client`, boto3's for S3.

    One request checks the version and reads it, so the object cannot change in between.

    Raise FileNotFoundError if the object was deleted or replaced by another version.
    """
    try:
        return VersionFile(client.get_object(Bucket=bucket_name, Key=key, **_condition(version)), key)
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            raise FileNotFoundError(f"{key!r} has no {version or 'object'} in bucket {bucket_name}") from error
        raise


def _condition(version: str) -> dict[str, str]:
    if version.startswith(VERSION_ID):
        return {"VersionId": version.removeprefix(VERSION_ID)}
    if version.startswith(ETAG):
        return {"IfMatch": f'"{version.removeprefix(ETAG)}"'}
    return {}
