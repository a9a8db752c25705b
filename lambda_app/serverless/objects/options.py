"""A bucket of topology → the OPTIONS of its storage."""

from typing import Any

from lambda_app.contract.resources import Bucket

FOR_EVER = "public, max-age=31536000, immutable"


def storage_options(bucket: Bucket, *, bucket_name: str, domain: str = "") -> dict[str, Any]:
    """Return OPTIONS for the bucket called `bucket_name` in S3, served from `domain` if a CDN stands before it."""
    # A browser that is led to the object itself saves it, and so runs nothing that it might hold.
    parameters = {"ContentDisposition": "attachment"} | ({"CacheControl": FOR_EVER} if bucket.immutable else {})
    return {"bucket_name": bucket_name, "object_parameters": parameters, "custom_domain": domain or None}
