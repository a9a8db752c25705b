"""What a client needs to upload an object itself: the answer of `storages[name].presigned_post()`."""

from typing import TypedDict


class PresignedPost(TypedDict):
    """An HTML form: POST `fields`, then the file as "file", to `url`."""

    url: str
    fields: dict[str, str]
