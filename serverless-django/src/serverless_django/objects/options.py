"""A bucket of topology → the OPTIONS of its storage."""

from typing import Any

from serverless_django.contract.resources import Bucket, Topology

FOR_EVER = "public, max-age=31536000, immutable"


def storage_options(topology: Topology, bucket: Bucket, *, name: str, domain: str = "") -> dict[str, Any]:
    """Return what differs from a plain private bucket; `name` is its name in S3, `domain` that of a CDN before it."""
    options: dict[str, Any] = {"bucket_name": name}
    if prefixes := topology.trigger_prefixes(bucket.name):
        options["trigger_prefixes"] = prefixes
    if bucket.immutable:
        # As an attachment: who is led to the object itself saves it, and so runs nothing that it might hold.
        options["object_parameters"] = {"CacheControl": FOR_EVER, "ContentDisposition": "attachment"}
    if domain:
        options["custom_domain"] = domain
    return options
