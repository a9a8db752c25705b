"""What django-storages does with a bucket, set up for Lambda and with every name as it is; loading it loads boto3.

A key of S3 is bytes and no path: `a//b`, `a/./b` and `a\\b` are three objects, of which django-storages would
make `a/b`.  So a name passes through it as hexadecimal digits, in which there is nothing to clean.
"""

from datetime import timedelta
from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage
from storages.utils import get_available_overwrite_name

from serverless_django.s3.addresses import check_segments
from serverless_django.s3.storage import PresignedPost, PresignedPut, put_headers
from serverless_django.s3.versions import VersionFile, open_version


class TriggeringWriteError(RuntimeError):
    """Code of ours writes where every object sets off a task: a loop, which only the bill would end."""


class BucketStorage(S3Storage):  # type: ignore[misc]
    def get_default_settings(self) -> dict[str, Any]:
        """Return private, version 4 signed and bounded in time, unless OPTIONS say otherwise."""
        config = Config(
            connect_timeout=2,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 3},
            signature_version="s3v4",
            # Names the region in presigned URLs: the global name redirects, and a signature does not survive that.
            s3={"addressing_style": "virtual"},
        )
        # Credentials are left to botocore, which renews them: a copy made now would expire in a long-lived environment.
        none = dict.fromkeys(("access_key", "secret_key", "security_token"))
        defaults: dict[str, Any] = super().get_default_settings()
        return defaults | none | {"client_config": config, "use_threads": True, "trigger_prefixes": ()}

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """Save `content` as `name` and return the name that was used, at most `max_length` characters long.

        Raise TriggeringWriteError if `name` is under the prefix of a trigger: the new object would call the task again.
        """
        for prefix in self.trigger_prefixes:
            if (name or "").startswith(prefix):
                raise TriggeringWriteError(
                    f"{name!r} in bucket {self.bucket_name} would call the task of trigger {prefix!r} again; "
                    "save what a task makes to another bucket"
                )
        return str(super().save(name, content, max_length))

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        if self.file_overwrite:
            return str(get_available_overwrite_name(name, max_length))
        return str(super(S3Storage, self).get_available_name(name, max_length))

    def delete(self, name: str) -> None:
        super().delete(_digits_of(name))

    def exists(self, name: str) -> bool:
        return bool(super().exists(_digits_of(name)))

    def size(self, name: str) -> int:
        return int(super().size(_digits_of(name)))

    def get_modified_time(self, name: str) -> Any:
        return super().get_modified_time(_digits_of(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        """Return the folders and the objects directly under `name`, without it."""
        path = self._key(name)
        if path and not path.endswith("/"):
            path += "/"
        paginator = self.connection.meta.client.get_paginator("list_objects")
        pages = list(paginator.paginate(Bucket=self.bucket_name, Delimiter="/", Prefix=path))
        folders = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ())]
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return [item.removeprefix(path)[:-1] for item in folders], [
            key.removeprefix(path) for key in keys if key != path
        ]

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Raise SuspiciousOperation if `name` has a segment "." or "..", which clients resolve."""
        check_segments(name)
        return str(super().url(_digits_of(name), *args, **kwargs))

    def presigned_put(self, name: str, *, content_type: str, size: int, expires_in: timedelta) -> PresignedPut:
        """Return the request with which a client uploads `name` once, `size` bytes that do not pass through us.

        Its headers are signed: until `expires_in` has passed S3 takes exactly this content type and number of bytes, if
        there is no object yet, and answers 412 if there is one.  So it makes one object and one event, however often
        it is sent.
        """
        headers = put_headers(content_type=content_type, size=size)
        parameters = {"ContentType": content_type, "ContentLength": size, "IfNoneMatch": headers["If-None-Match"]}
        url = self.connection.meta.client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self.bucket_name, "Key": self._key(name), **parameters},
            ExpiresIn=int(expires_in.total_seconds()),
        )
        return {"url": url, "headers": headers}

    def presigned_post(self, name: str, *, content_type: str, max_bytes: int, expires_in: timedelta) -> PresignedPost:
        """Return the `url` and form `fields` with which a client uploads `name`, without our seeing the bytes.

        S3 takes exactly this key and content type, 1 to `max_bytes` bytes, until `expires_in` has passed, and as often
        as the form is sent: each time the object is replaced, and its task is called again.
        """
        fixed = {"Content-Type": content_type}
        post = self.connection.meta.client.generate_presigned_post(
            self.bucket_name,
            self._key(name),
            Fields=fixed,
            Conditions=[fixed, ["content-length-range", 1, max_bytes]],
            ExpiresIn=int(expires_in.total_seconds()),
        )
        return {"url": post["url"], "fields": post["fields"]}

    def open_version(self, name: str, version: str) -> VersionFile:
        """Open `name` if it still is the `version` that an event announced; "" is whatever is there now.

        Raise FileNotFoundError if it is gone, or another object took its place.
        """
        return open_version(self.connection.meta.client, self.bucket_name, self._key(name), version)

    def _open(self, name: str, mode: str = "rb") -> Any:
        return super()._open(_digits_of(name), mode)

    def _save(self, name: str, content: Any) -> str:
        super()._save(_digits_of(name), content)
        return name

    def _normalize_name(self, digits: str) -> str:
        return self._key(bytes.fromhex(digits).decode())

    def _key(self, name: str) -> str:
        return f"{self.location.rstrip('/')}/{name}" if self.location else name


def _digits_of(name: str) -> str:
    return str(name).encode().hex()
