"""A bucket of topology → the OPTIONS of its storage."""

from collections.abc import Mapping
from typing import Any

from lambda_app.topology import TOPOLOGY

FOR_EVER = "public, max-age=31536000, immutable"


def storage_options(bucket: str, *, names: Mapping[str, str], domains: Mapping[str, str]) -> dict[str, Any]:
    """Return what differs from a plain private bucket; `names` and `domains` are those of Environment."""
    declaration = next(item for item in TOPOLOGY.buckets if item.name == bucket)
    options: dict[str, Any] = {"bucket_name": names[bucket]}
    if prefixes := TOPOLOGY.trigger_prefixes(bucket):
        options["trigger_prefixes"] = prefixes
    if declaration.immutable:
        # As an attachment: who is led to the object itself saves it, and so runs nothing that it might hold.
        options["object_parameters"] = {"CacheControl": FOR_EVER, "ContentDisposition": "attachment"}
    if domain := domains.get(bucket):
        options["custom_domain"] = domain
    return options
