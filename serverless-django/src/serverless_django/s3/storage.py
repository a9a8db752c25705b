"""A bucket of topology as a Django storage: its URLs are signed here, all else is django-storages', loaded late."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypedDict

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.utils.functional import LazyObject, empty

from serverless_django.presigning import UNSIGNED, find_signer, utc_now
from serverless_django.s3.addresses import NoPlainAddressError, address_at, address_of_object


class PresignedPut(TypedDict):
    """A request: PUT the bytes to `url` with exactly these `headers`."""

    url: str
    headers: dict[str, str]


class PresignedPost(TypedDict):
    """An HTML form: POST `fields`, then the file as "file", to `url`."""

    url: str
    fields: dict[str, str]


def put_headers(*, content_type: str, size: int) -> dict[str, str]:
    """Return the headers of an upload of `size` bytes of `content_type` that S3 accepts once.

    They are signed, so a client can neither change nor omit one.
    """
    return {"Content-Type": content_type, "Content-Length": str(size), "If-None-Match": "*"}


URL_LIFETIME_SECONDS = 3600
PLAIN_OPTIONS = {"bucket_name", "custom_domain", "object_parameters", "trigger_prefixes"}


class S3Storage(LazyObject):  # type: ignore[type-arg]
    """`BucketStorage`, which it becomes when an object is read or written, or a form is asked for.

    A function that only shows links never loads boto3, and signs sixty of them in a millisecond.
    """

    def __init__(self, **options: Any) -> None:
        # Around LazyObject's own attributes, which belong to what it becomes.
        self.__dict__["_options"] = options
        super().__init__()

    def url(
        self,
        name: str,
        parameters: dict[str, str] | None = None,
        expire: int | None = None,
        http_method: str | None = None,
    ) -> str:
        """Return a URL with which anyone can GET `name` for `expire` seconds, or at least half of that.

        `parameters` are further ones of S3's GetObject, `http_method` another method than GET.  The URL stays the same
        for the first half of its time, so that a client finds in its cache what it has read.  At a CDN, the option
        `custom_domain`, the URL is not signed and never changes.

        Raise SuspiciousOperation if `name` has a segment "." or "..", which clients resolve.
        """
        if self._is_plain and not parameters and http_method is None:
            try:
                return _link(self.__dict__["_options"], name, expire or URL_LIFETIME_SECONDS)
            except NoPlainAddressError:
                pass
        if self._wrapped is empty:
            self._setup()
        url: str = self._wrapped.url(name, parameters=parameters, expire=expire, http_method=http_method)
        return url

    @cached_property
    def _is_plain(self) -> bool:
        """Whether nothing else is set that a URL could depend on: prefixes and lifetimes are django-storages'."""
        return set(self.__dict__["_options"]) <= PLAIN_OPTIONS and not any(n.startswith("AWS_") for n in dir(settings))

    def _setup(self) -> None:
        from serverless_django.s3.bucket import BucketStorage

        self._wrapped: Any = BucketStorage(**self.__dict__["_options"])


def _link(options: Mapping[str, Any], name: str, expires_in_seconds: int) -> str:
    if domain := options.get("custom_domain"):
        return address_at(domain, name)
    return _presign(options["bucket_name"], name, expires_in_seconds)


def _presign(bucket: str, name: str, expires_in_seconds: int) -> str:
    signer = find_signer()
    url = address_of_object(bucket, name, region=signer.region)
    now = _beginning(utc_now(), expires_in_seconds // 2)
    return signer.presign(
        url, service="s3", expires_in_seconds=expires_in_seconds, now=now, payload_hash=UNSIGNED, parameters={}
    )


def _beginning(moment: datetime, period_seconds: int) -> datetime:
    """Return when the current one of equal periods began."""
    return datetime.fromtimestamp(int(moment.timestamp()) // max(1, period_seconds) * max(1, period_seconds), UTC)


class FolderStorage(FileSystemStorage):
    """Nothing listens at the URLs: who wants to upload saves under the key."""

    def presigned_put(self, name: str, *, content_type: str, size: int, expires_in: timedelta) -> PresignedPut:
        """Return the request for `name` that `S3Storage.presigned_put` would, but unsigned.

        `content_type`, `size` in bytes and `expires_in` are not enforced by a folder.
        """
        return {"url": self.url(name), "headers": put_headers(content_type=content_type, size=size)}

    def presigned_post(self, name: str, *, content_type: str, max_bytes: int, expires_in: timedelta) -> PresignedPost:
        """Return the form for `name` that `S3Storage.presigned_post` would, but unsigned.

        `content_type`, `max_bytes` and `expires_in` are not enforced by a folder.
        """
        return {"url": self.url(""), "fields": {"key": name, "Content-Type": content_type}}

    def open_version(self, name: str, version: str) -> File:  # type: ignore[type-arg]
        """Open `name`; a folder keeps one version."""
        return self.open(name)
