"""PNG: chunks, each with a length, a name and a checksum.  Four of them are the picture, a fifth its transparency."""

import struct
import zlib
from collections.abc import Iterator

from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.image_formats.picture import AMBIGUOUS, DAMAGED, PNG, Picture

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

ONCE = (b"PLTE", b"tRNS", b"acTL", b"eXIf", b"iCCP")
"""Of these chunks the first counts."""

TRANSPARENCY_BYTES = {b"\0": 2, b"\2": 6, b"\3": 1}
"""What transparency takes at least, by colour type; other types have an alpha channel instead."""

MAX_PROFILE_BYTES = 4 * 1024**2


def read_png(data: bytes) -> Picture:
    picture, header, found = bytearray(PNG_SIGNATURE), b"", dict[bytes, bytes]()
    for name, chunk in _chunks(data):
        if not header and name != b"IHDR":
            raise RejectedImageError(DAMAGED)
        if header and name == b"IHDR":
            raise RejectedImageError(AMBIGUOUS)
        header = header or chunk
        if name in (b"IHDR", b"IDAT") or (name not in found and _shows_pixels(name, chunk, header)):
            picture += chunk
        if name in ONCE:
            found.setdefault(name, chunk)
    width, height = struct.unpack_from(">II", header, 8)
    return Picture(
        content_type=PNG,
        width=width,
        height=height,
        data=bytes(picture),
        exif=found.get(b"eXIf", b"")[8:],
        profile=_inflated_profile(found.get(b"iCCP", b"")[8:]),
        is_animated=_is_animated(found.get(b"acTL", b"")),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name of each chunk, and the chunk from its length to its checksum, up to the end of the picture."""
    place = len(PNG_SIGNATURE)
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        if name == b"IEND" or not name.isalpha():
            return
        yield name, data[place : place + 12 + length]
        place += 12 + length


def _shows_pixels(name: bytes, chunk: bytes, header: bytes) -> bool:
    """Return whether this is the palette, or a transparency that fits the colours of `header` and is not damaged."""
    least = TRANSPARENCY_BYTES.get(header[17:18])
    is_transparency = name == b"tRNS" and least is not None and len(chunk) - 12 >= least and _is_whole(chunk)
    return name == b"PLTE" or is_transparency


def _is_animated(chunk: bytes) -> bool:
    return len(chunk) == 20 and _is_whole(chunk) and struct.unpack_from(">I", chunk, 8)[0] > 1


def _is_whole(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]).to_bytes(4) == chunk[-4:]


def _inflated_profile(content: bytes) -> bytes:
    """Return the ICC profile behind its name, or nothing if it is damaged or too large."""
    compressed = content.partition(b"\0")[2][1:]
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(compressed, MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
    return profile if inflater.eof else b""
