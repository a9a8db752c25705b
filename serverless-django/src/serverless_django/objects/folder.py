"""A folder as a Django storage with the interface of `S3Storage`, for commands and tests without S3."""

from datetime import timedelta

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from serverless_django.objects.presigned import PresignedPost, PresignedPut, put_headers


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
