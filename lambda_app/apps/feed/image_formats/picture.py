"""What every format's reader returns, and the limits of its size."""

from dataclasses import dataclass

from lambda_app.apps.feed.errors import RejectedImageError

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"

DAMAGED = "the image is damaged and cannot be read"
AMBIGUOUS = f"{DAMAGED}: it says twice how large it is"

MAX_SIDE = 8_000
MAX_PIXELS = {JPEG: 25_000_000, PNG: 25_000_000, WEBP: 16_000_000}
"""A few kilobytes can decode to gigabytes.  WebP gets less: its decoder holds four copies of the picture at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as its file says that it is; its decoder may still find it damaged."""

    content_type: str
    width: int
    height: int
    data: bytes
    """A file of the same format with the picture and no metadata."""

    exif: bytes = b""
    """May be damaged."""

    profile: bytes = b""
    """An ICC profile.  May be damaged."""

    is_animated: bool = False


def check_size(content_type: str, size: tuple[int, int]) -> None:
    """Raise RejectedImageError if a picture of `size` is empty or larger than decoding may take memory for."""
    limit = MAX_PIXELS[content_type]
    width, height = size
    if not width or not height:
        raise RejectedImageError(DAMAGED)
    if width * height > limit or max(size) > MAX_SIDE:
        kind = content_type.removeprefix("image/").upper()
        raise RejectedImageError(
            f"a {kind} may have {limit // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side; "
            f"this one has {width:,} x {height:,}"
        )
