"""Image files put together by hand, so that they can be what no encoder would write."""

import random
import struct
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, 0 if mode in ("L", "P", "I;16") else "teal")


# --- PNG --------------------------------------------------------------------------------------------------------------


def png_chunk(name: bytes, data: bytes = b"", *, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(name + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def png_header(width: int, height: int, *, bits: int = 8, color: int = 6, interlaced: bool = False) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced))


def png(width: int, height: int, *before: bytes, pixel_bytes: int = 4, **header: Any) -> bytes:
    """Return a black picture; its rows of zeros are next to nothing in the file, and all of it in memory."""
    rows = adam7_sizes(width, height) if header.get("interlaced") else [(width, height)]
    size = sum((1 + columns * pixel_bytes) * lines for columns, lines in rows if columns)
    data = png_chunk(b"IDAT", deflated_zeros(size))
    return b"".join([PNG_SIGNATURE, png_header(width, height, **header), *before, data, png_chunk(b"IEND")])


def adam7_sizes(width: int, height: int) -> list[tuple[int, int]]:
    """Return columns and rows of the seven passes of an interlaced PNG."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    return [((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in passes]


def deflated_zeros(count: int) -> bytes:
    compressor, block = zlib.compressobj(1), bytes(1 << 20)
    parts = [compressor.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, compressor.compress(bytes(count & 0xFFFFF)), compressor.flush()])


def animated_png(frames: int) -> bytes:
    pixel = zlib.compress(bytes(5))
    control = [struct.pack(">IIIIIHHBB", number, 1, 1, 0, 0, 1, 10, 0, 0) for number in range(frames)]
    later = b"".join(png_chunk(b"fcTL", item) + png_chunk(b"fdAT", item[:4] + pixel) for item in control[1:])
    head = PNG_SIGNATURE + png_header(1, 1) + png_chunk(b"acTL", struct.pack(">II", frames, 0))
    return head + png_chunk(b"fcTL", control[0]) + png_chunk(b"IDAT", pixel) + later + png_chunk(b"IEND")


# --- JPEG -------------------------------------------------------------------------------------------------------------


def jpeg_segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(jpeg: bytes, segments: Iterable[bytes]) -> bytes:
    """Return `jpeg` with `segments` right at its beginning."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def jpeg_of_size(width: int, height: int) -> bytes:
    """Return a file that claims to be this large, and is a small picture."""
    jpeg = encode(picture(), "JPEG")
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def with_progressive_size(width: int, height: int) -> bytes:
    """Return a progressive JPEG that claims this size: its decoder holds all of its coefficients at once."""
    jpeg = encode(picture(), "JPEG", progressive=True)
    place = jpeg.index(b"\xff\xc2") + 5
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def frame_header(width: int, height: int) -> bytes:
    """Return the segment that says how large a grey JPEG is."""
    return jpeg_segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")


def with_scans(size: tuple[int, int], scans: int) -> bytes:
    """Return a progressive JPEG whose first scan is repeated until it has so many."""
    head, first, *others = encode(picture(size), "JPEG", progressive=True).split(START_OF_SCAN)
    more = [first] * (scans - 1 - len(others))
    return START_OF_SCAN.join([head, first, *more, *others])


# --- what stands beside pictures ------------------------------------------------------------------------------------


def film(size: int) -> bytes:
    """Return an MP4 file of noise, in which the bytes that begin a scan of a JPEG occur too."""
    data = random.Random(size).randbytes(size)
    return b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + struct.pack(">I4s", size + 8, b"mdat") + data


def exif_of_entries(entries: Iterable[tuple[int, int, int, int]], behind: bytes = b"") -> bytes:
    """Return EXIF with a directory of (tag, type, count, value) and what it may point to."""
    rows = [struct.pack("<HHII", *entry) for entry in entries]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4) + behind


# --- WebP -------------------------------------------------------------------------------------------------------------


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp_canvas(width: int, height: int, *, flags: int = 0x10) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff_chunk(b"VP8X", struct.pack("<I", flags) + sides)


def lossless_webp_header(width: int, height: int) -> bytes:
    sides = (width - 1) | (height - 1) << 14
    return riff(riff_chunk(b"VP8L", b"\x2f" + struct.pack("<I", sides) + bytes(99)))


def webp_frame(size: tuple[int, int] = (1, 1), **options: Any) -> bytes:
    """Return the chunk with the pixels of a still WebP."""
    return encode(picture(size), "WEBP", **{"lossless": True} | options)[12:]


def animated_webp(frames: int) -> bytes:
    frame = riff_chunk(b"ANMF", bytes(12) + b"\x0a\0\0\0" + webp_frame())
    return riff(webp_canvas(1, 1, flags=0x02), riff_chunk(b"ANIM", bytes(6)), *[frame] * frames)


def chunks_of_text(count: int, size: int) -> Iterator[bytes]:
    for number in range(count):
        yield png_chunk(b"zTXt", b"Comment%d\0\0" % number + deflated_zeros(size))
