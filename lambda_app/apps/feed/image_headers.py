"""The first bytes of an upload → its format and size, before any decoder is trusted with it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from lambda_app.apps.feed.errors import RejectedImageError

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"

MAX_SIDE = 8_000
MAX_PIXELS = {JPEG: 25_000_000, PNG: 25_000_000, WEBP: 16_000_000}
"""A few kilobytes can decode to gigabytes.  WebP gets less: its decoder holds four copies of the picture at once."""

MAX_SCANS = 50
"""A progressive JPEG has some ten.  Each one is a walk over the whole picture, however few bytes it has."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
START_OF_SCAN = b"\xff\xda"

# Every marker from C0 to CF starts a frame, but for Huffman tables, a reserved one, and arithmetic tables.
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What a file says of itself; its decoder may still find it damaged."""

    content_type: str
    width: int
    height: int
    frames: int = 1


def check_header(data: bytes, *, content_type: str) -> None:
    """Raise RejectedImageError unless `data` says that it is a still image of this type and within the bounds."""
    header = read_header(data)
    if header.content_type != content_type:
        raise RejectedImageError(f"the file was announced as {content_type} but is {header.content_type}")
    _check_size(header)
    if header.frames != 1:
        raise RejectedImageError("the image is animated; only still photos can be posted")
    if header.content_type == JPEG and data.count(START_OF_SCAN) > MAX_SCANS:
        raise RejectedImageError(f"the JPEG has more than {MAX_SCANS} scans; save it as a plain one")


def read_header(data: bytes) -> ImageHeader:
    """Raise RejectedImageError if `data` starts as no image on the list, or ends before its size."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(data)
        if data.startswith(PNG_SIGNATURE):
            return _read_png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _read_webp(data)
    except (struct.error, IndexError) as error:
        raise RejectedImageError("the image is damaged and cannot be read") from error
    raise RejectedImageError(f"the file is not a JPEG, PNG or WebP image{_other_format(data)}")


def _check_size(header: ImageHeader) -> None:
    limit = MAX_PIXELS[header.content_type]
    if not header.width or not header.height:
        raise RejectedImageError("the image is damaged and cannot be read")
    if header.width * header.height > limit or max(header.width, header.height) > MAX_SIDE:
        kind = header.content_type.removeprefix("image/").upper()
        raise RejectedImageError(
            f"a {kind} may have {limit // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side; "
            f"this one has {header.width:,} x {header.height:,}"
        )


def _read_jpeg(data: bytes) -> ImageHeader:
    for marker, start in _jpeg_segments(data):
        if marker in START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, start + 3)
            return ImageHeader(content_type=JPEG, width=width, height=height)
    raise RejectedImageError("the image is damaged and cannot be read")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker and the place of each segment before the first scan."""
    place = 2
    while data[place] == 0xFF:
        while data[place] == 0xFF:  # any number of them may fill the space before a marker
            place += 1
        marker, place = data[place], place + 1
        if marker in WITHOUT_LENGTH:
            continue
        if marker == START_OF_SCAN[1]:
            return
        yield marker, place
        place += max(2, struct.unpack_from(">H", data, place)[0])


def _read_png(data: bytes) -> ImageHeader:
    frames, size = 1, None
    for name, start in _png_chunks(data):
        if name == b"IHDR" and size is None:
            size = struct.unpack_from(">II", data, start)
        elif name == b"acTL":
            frames = struct.unpack_from(">I", data, start)[0]
        elif name == b"IDAT":
            break
    if size is None:
        raise RejectedImageError("the image is damaged and cannot be read")
    return ImageHeader(content_type=PNG, width=size[0], height=size[1], frames=frames)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    place = len(PNG_SIGNATURE)
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, place + 8
        # Four bytes of checksum follow.
        place += 12 + length


def _read_webp(data: bytes) -> ImageHeader:
    kind, start = data[12:16], 20
    if kind == b"VP8 " and data[start + 3 : start + 6] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, start + 6))
        return ImageHeader(content_type=WEBP, width=width, height=height)
    if kind == b"VP8L" and data[start] == 0x2F:
        bits = struct.unpack_from("<I", data, start + 1)[0]
        return ImageHeader(content_type=WEBP, width=(bits & 0x3FFF) + 1, height=(bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8X":
        flags, *sides = struct.unpack_from("<I3s3s", data, start)
        width, height = (int.from_bytes(side, "little") + 1 for side in sides)
        return ImageHeader(content_type=WEBP, width=width, height=height, frames=0 if flags & 2 else 1)
    raise RejectedImageError("the image is damaged and cannot be read")


def _other_format(data: bytes) -> str:
    if b"<svg" in data[:1000].lower():
        return ", but an SVG drawing"
    return next((f", but {name}" for place, magic, name in OTHER_FORMATS if data.startswith(magic, place)), "")
