"""JPEG: segments, each with a marker and a length, then scans up to a mark at the end; what follows is another file."""

import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.image_formats.picture import AMBIGUOUS, DAMAGED, JPEG, Picture

MAX_SCANS = 50
"""A progressive JPEG has some ten.  Each one is a walk over the whole picture, however few bytes it has."""

START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA

# Every marker from C0 to CF starts a frame, but for Huffman tables, a reserved one, and arithmetic tables.
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD})
"""Huffman, arithmetic and quantization tables, and the interval of restarts."""

WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8), START_OF_IMAGE, END_OF_IMAGE})
SKIPPED = WITHOUT_LENGTH - {START_OF_IMAGE} | {*range(0xE0, 0xF0), 0xDC, 0xFE}
"""Applications' data, the number of lines and comments.  Readers do not agree how long a segment of another kind is."""

EXIF, ICC = 0xE1, 0xE2
COLORS = {(0xE0, b"JFIF\0"): 14, (0xEE, b"Adobe"): 12}
"""How long these two segments are at least, which tell in which colours the picture was stored."""

# In a scan FF 00 stands for the byte FF; before a marker there may be any number of FF.
_MARKER = re.compile(rb"\xff([\x01-\xfe])")


@dataclass(slots=True)
class _Header:
    """What stands before the first scan."""

    picture: bytearray = field(default_factory=lambda: bytearray(b"\xff\xd8"))
    size: tuple[int, int] | None = None
    exif: bytes = b""
    profile: dict[bytes, bytes] = field(default_factory=dict)

    def take(self, marker: int, content: bytes) -> None:
        if marker in START_OF_FRAME:
            self._take_frame(marker, content)
        elif marker in TABLES:
            self._keep(marker, content)
        elif len(content) >= COLORS.get((marker, content[:5]), sys.maxsize):
            self._keep(marker, content[:14])
        elif marker == EXIF and content.startswith(b"Exif\0\0"):
            self.exif = self.exif or content
        elif marker == ICC and content.startswith(b"ICC_PROFILE\0"):
            # In parts of 64 KB, each with its number.
            self.profile.setdefault(content[12:13], content[14:])
        elif marker not in SKIPPED:
            raise RejectedImageError(DAMAGED)

    def _take_frame(self, marker: int, content: bytes) -> None:
        if self.size is not None:
            raise RejectedImageError(AMBIGUOUS)
        height, width = struct.unpack_from(">HH", content, 1)
        self.size = width, height
        self._keep(marker, content)

    def _keep(self, marker: int, content: bytes) -> None:
        self.picture += struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def read_jpeg(data: bytes) -> Picture:
    header, scan, scans, end = _Header(), 0, 0, len(data)
    for marker, start, stop in _segments(data):
        if marker == START_OF_SCAN:
            scan, scans = scan or start, scans + 1
        elif marker == END_OF_IMAGE:
            end = stop
        elif scans and marker in START_OF_FRAME:
            raise RejectedImageError(AMBIGUOUS)
        elif not scans:
            header.take(marker, data[start + 4 : stop])
    if header.size is None or not scans:
        raise RejectedImageError(DAMAGED)
    if scans > MAX_SCANS:
        raise RejectedImageError(f"the JPEG has more than {MAX_SCANS} scans; save it as a plain one")
    return Picture(
        content_type=JPEG,
        width=header.size[0],
        height=header.size[1],
        data=bytes(header.picture + data[scan:end]),
        exif=header.exif,
        profile=b"".join(header.profile[number] for number in sorted(header.profile)),
    )


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker of each segment, where it begins and where it ends, up to the end of the image."""
    place, is_header = 2, True
    while found := _MARKER.search(data, place):
        marker, start = found[1][0], found.start()
        if is_header and b"\xff\0" in data[place:start]:
            # Some readers skip it, for others it is a segment with whatever they find inside.
            raise RejectedImageError(DAMAGED)
        place = found.end()
        if marker not in WITHOUT_LENGTH:
            place += max(2, struct.unpack_from(">H", data, place)[0])
            is_header = is_header and marker != START_OF_SCAN
        yield marker, start, place
        if marker == END_OF_IMAGE:
            return
