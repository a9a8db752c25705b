"""The bytes of an upload → the picture in them, and apart from it the little of its metadata that is used.

A decoder is handed the picture alone: what a camera, an editor or an attacker wrote beside it, damaged or not, decides
nothing.  Each file has one reading: a file that says two things of its size is refused.
"""

import struct

from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.image_formats.jpeg import read_jpeg
from lambda_app.apps.feed.image_formats.picture import DAMAGED, JPEG, PNG, WEBP, Picture, check_size
from lambda_app.apps.feed.image_formats.png import PNG_SIGNATURE, read_png
from lambda_app.apps.feed.image_formats.webp import read_webp

__all__ = ["JPEG", "PNG", "WEBP", "Picture", "check_size", "read_picture"]

OTHER_FORMATS = (
    (0, b"GIF8", "a GIF"),
    (0, b"%PDF", "a PDF document"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftyphe", "a HEIC image"),
    (4, b"ftypmif1", "a HEIC image"),
    (4, b"ftyp", "a video"),
    (0, b"PK\x03\x04", "a ZIP archive"),
)


def read_picture(data: bytes, *, content_type: str) -> Picture:
    """Return the picture in `data`, not decoded yet.

    Raise RejectedImageError unless it is one still picture of this type and within the limits of its size.
    """
    picture = _read(data)
    if picture.content_type != content_type:
        raise RejectedImageError(f"the file was announced as {content_type} but is {picture.content_type}")
    check_size(content_type, (picture.width, picture.height))
    if picture.is_animated:
        raise RejectedImageError("the image is animated; only still photos can be posted")
    return picture


def _read(data: bytes) -> Picture:
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return read_jpeg(data)
        if data.startswith(PNG_SIGNATURE):
            return read_png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return read_webp(data)
    except (struct.error, IndexError) as error:
        raise RejectedImageError(DAMAGED) from error
    raise RejectedImageError(f"the file is not a JPEG, PNG or WebP image{_other_format(data)}")


def _other_format(data: bytes) -> str:
    if b"<svg" in data[:1000].lower():
        return ", but an SVG drawing"
    return next((f", but {name}" for place, magic, name in OTHER_FORMATS if data.startswith(magic, place)), "")
