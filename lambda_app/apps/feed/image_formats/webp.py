"""WebP: RIFF chunks.  One holds the picture; its transparency may be in another, and a third says the size again."""

import struct
from collections.abc import Iterator

from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.image_formats.picture import AMBIGUOUS, DAMAGED, WEBP, Picture, check_size

CANVAS, ALPHA, LOSSY, LOSSLESS = b"VP8X", b"ALPH", b"VP8 ", b"VP8L"
USED = (CANVAS, ALPHA, LOSSY, LOSSLESS, b"EXIF", b"ICCP")
HAS_ALPHA, HAS_ANIMATION = 0x10, 0x02


def read_webp(data: bytes) -> Picture:
    found: dict[bytes, bytes] = {}
    for name, content in _chunks(data):
        if name in (LOSSY, LOSSLESS) and (LOSSY in found or LOSSLESS in found):
            raise RejectedImageError(AMBIGUOUS)
        if name in USED:
            found.setdefault(name, content)
    canvas = found.get(CANVAS)
    width, height = _picture_size(found) if canvas is None else _canvas_size(canvas)
    is_animated = bool(canvas and canvas[0] & HAS_ANIMATION)
    if canvas is not None and not is_animated and _picture_size(found) != (width, height):
        # Too large says more than damaged.
        check_size(WEBP, (width, height))
        raise RejectedImageError(DAMAGED)
    return Picture(
        content_type=WEBP,
        width=width,
        height=height,
        data=_picture_alone(found, canvas),
        exif=found.get(b"EXIF", b""),
        profile=found.get(b"ICCP", b""),
        is_animated=is_animated,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    end = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    place = 12
    while place + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, place)
        yield name, data[place + 8 : min(end, place + 8 + length)]
        place += 8 + length + length % 2


def _canvas_size(content: bytes) -> tuple[int, int]:
    _, width, height = struct.unpack_from("<I3s3s", content)
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


def _picture_size(found: dict[bytes, bytes]) -> tuple[int, int]:
    """Return what the picture itself says, 0 x 0 if there is none."""
    if (content := found.get(LOSSY, b""))[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    if (content := found.get(LOSSLESS, b"")).startswith(b"\x2f"):
        bits = struct.unpack_from("<I", content, 1)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _picture_alone(found: dict[bytes, bytes], canvas: bytes | None) -> bytes:
    name = LOSSY if LOSSY in found else LOSSLESS
    chunks = _chunk(name, found.get(name, b""))
    if canvas is not None and name == LOSSY and ALPHA in found:
        chunks = _chunk(CANVAS, struct.pack("<I", HAS_ALPHA) + canvas[4:10]) + _chunk(ALPHA, found[ALPHA]) + chunks
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
