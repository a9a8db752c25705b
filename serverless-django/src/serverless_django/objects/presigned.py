"""What a client needs to upload an object itself: the answers of a storage that signs."""

from typing import TypedDict


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
