"""What django-storages does with a bucket, set up for Lambda; loading it loads boto3."""

from datetime import timedelta
from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage

from lambda_app.serverless.objects.presigned import PresignedPost
from lambda_app.serverless.objects.versions import VersionFile, open_version


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
        """Raise TriggeringWriteError if the object would set off a task: that belongs to uploads alone."""
        for prefix in self.trigger_prefixes:
            if (name or "").startswith(prefix):
                raise TriggeringWriteError(
                    f"{name!r} in bucket {self.bucket_name} would call the task of trigger {prefix!r} again; "
                    "save what a task makes to another bucket"
                )
        return str(super().save(name, content, max_length))

    def presigned_post(self, name: str, *, content_type: str, max_bytes: int, expires_in: timedelta) -> PresignedPost:
        """Return the `url` and form `fields` with which a client uploads `name`, without our seeing the bytes.

        S3 takes exactly this key and content type, 1 to `max_bytes` bytes, until `expires_in` has passed.
        """
        fixed = {"Content-Type": content_type}
        post = self.connection.meta.client.generate_presigned_post(
            self.bucket_name,
            self._normalize_name(name),
            Fields=fixed,
            Conditions=[fixed, ["content-length-range", 1, max_bytes]],
            ExpiresIn=int(expires_in.total_seconds()),
        )
        return {"url": post["url"], "fields": post["fields"]}

    def open_version(self, name: str, version: str) -> VersionFile:
        """Open `name` if it still is the `version` that an event announced; "" is whatever is there now.

        Raise FileNotFoundError if it is gone, or another object took its place.
        """
        return open_version(self.connection.meta.client, self.bucket_name, self._normalize_name(name), version)
