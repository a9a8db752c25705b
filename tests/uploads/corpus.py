"""What strangers upload: every kind of hostile file, and the odd but honest ones, each made when asked for."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from zipfile import ZipFile

from PIL import Image, PngImagePlugin

from tests.uploads import parts
from tests.uploads.parts import encode, picture, png, png_chunk

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"

SECRET = b"51.5007N-0.1246W"
SCRIPT = b"<script>alert(document.domain)</script>"

TOO_LARGE = "megapixels and 8,000 pixels a side; this one has"
DAMAGED = "the image is damaged and cannot be read"
NOT_LISTED = "the file is not a JPEG, PNG or WebP image"
ANIMATED = "the image is animated; only still photos can be posted"


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    content_type: str
    """What it was announced as."""

    make: Callable[[], bytes]
    reason: str = ""
    """Part of why it is refused.  Empty: it is rendered."""

    def __str__(self) -> str:
        return self.name


def zip_archive() -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("payload.html", SCRIPT)
    return buffer.getvalue()


def multi_picture_jpeg(count: int) -> bytes:
    return encode(picture(), "MPO", save_all=True, append_images=[picture()] * (count - 1))


def exif_of(size: int) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = (SECRET.decode() * (size // len(SECRET) + 1))[:size]
    return exif.tobytes()


def exif_with_entries(count: int) -> bytes:
    entries = struct.pack("<HHII", 0x0112, 3, 1, 6) * count
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", count) + entries + bytes(4)


def text_of(size: int) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode() * (size // len(SECRET)))
    return info


def flat(mode: str, size: tuple[int, int], kind: str, **options: object) -> Callable[[], bytes]:
    return lambda: encode(Image.new(mode, size), kind, **options)


BOMBS = (
    Sample("png-of-9000x9000", PNG, lambda: png(9_000, 9_000, pixel_bytes=3, color=2), TOO_LARGE),
    Sample("png-of-2-billion-pixels-a-side", PNG, lambda: png(1, 1)[:16] + b"\x7f\xff\xff\xff" * 2, TOO_LARGE),
    Sample("png-one-pixel-too-wide", PNG, lambda: png(8_001, 1), TOO_LARGE),
    Sample("png-one-row-too-many", PNG, lambda: png(5_000, 5_001), TOO_LARGE),
    Sample("jpeg-of-65500x65500", JPEG, lambda: parts.jpeg_of_size(65_500, 65_500), TOO_LARGE),
    Sample("webp-canvas-of-16384x16384", WEBP, lambda: parts.riff(parts.webp_canvas(16_384, 16_384)), TOO_LARGE),
    Sample("webp-lossless-of-16383x16383", WEBP, lambda: parts.lossless_webp_header(16_383, 16_383), TOO_LARGE),
    Sample("webp-of-17-megapixels", WEBP, lambda: parts.riff(parts.webp_canvas(4_250, 4_000)), "16 megapixels"),
    Sample("gif-of-65535x65535", JPEG, lambda: b"GIF89a\xff\xff\xff\xff\0\0\0", NOT_LISTED),
    Sample("tiff-of-9000x9000", JPEG, flat("1", (9_000, 9_000), "TIFF", compression="group4"), NOT_LISTED),
    Sample("jpeg-with-500-pictures-behind", JPEG, lambda: multi_picture_jpeg(501), "more than 50 scans"),
    Sample("jpeg-of-51-scans", JPEG, lambda: parts.with_scans((2_000, 2_000), 51), "more than 50 scans"),
)

ANIMATIONS = (
    Sample("apng-of-10000-frames", PNG, lambda: parts.animated_png(10_000), ANIMATED),
    Sample("webp-of-10000-frames", WEBP, lambda: parts.animated_webp(10_000), ANIMATED),
    Sample("gif-of-1000-frames", JPEG, flat("L", (2, 2), "GIF", save_all=True), NOT_LISTED),
)

BROKEN = (
    Sample("empty", JPEG, lambda: b"", NOT_LISTED),
    Sample("one-byte", JPEG, lambda: b"\xff", NOT_LISTED),
    Sample("jpeg-signature-alone", JPEG, lambda: b"\xff\xd8\xff", DAMAGED),
    Sample("jpeg-without-a-size", JPEG, lambda: b"\xff\xd8" + parts.jpeg_segment(0xE0, bytes(60_000)), DAMAGED),
    Sample("jpeg-of-0x0", JPEG, lambda: parts.jpeg_of_size(0, 0), DAMAGED),
    Sample("jpeg-without-pixels", JPEG, lambda: encode(picture(), "JPEG").split(b"\xff\xda")[0], DAMAGED),
    Sample("jpeg-cut-in-half", JPEG, lambda: _half(encode(Image.effect_noise((400, 400), 99), "JPEG")), DAMAGED),
    Sample("png-signature-alone", PNG, lambda: parts.PNG_SIGNATURE, DAMAGED),
    Sample("png-of-0x0", PNG, lambda: png(0, 0), DAMAGED),
    Sample("png-cut-in-half", PNG, lambda: _half(encode(Image.effect_noise((400, 400), 99), "PNG")), DAMAGED),
    Sample("png-without-pixels", PNG, lambda: png(9, 9).split(b"IDAT")[0][:-4] + png_chunk(b"IEND"), DAMAGED),
    Sample("png-with-a-wrong-checksum", PNG, lambda: png(9, 9, png_chunk(b"PLTE", bytes(3), checksum=1)), DAMAGED),
    Sample("png-of-an-impossible-depth", PNG, lambda: png(9, 9, bits=3), DAMAGED),
    Sample("webp-signature-alone", WEBP, lambda: b"RIFF\0\0\0\0WEBP", DAMAGED),
    Sample("webp-cut-in-half", WEBP, lambda: _half(encode(Image.effect_noise((400, 400), 99), "WEBP")), DAMAGED),
    Sample("webp-canvas-without-a-picture", WEBP, lambda: parts.riff(parts.webp_canvas(100, 100)), DAMAGED),
    Sample(
        "webp-picture-larger-than-its-canvas",
        WEBP,
        lambda: parts.riff(parts.webp_canvas(10, 10), parts.webp_frame((16_000, 1_000))),
        DAMAGED,
    ),
)

LIARS = (
    Sample("html-named-jpg", JPEG, lambda: b"<html>" + SCRIPT, NOT_LISTED),
    Sample("svg-with-a-script", PNG, lambda: b'<?xml version="1.0"?>\n<svg>' + SCRIPT + b"</svg>", "an SVG drawing"),
    Sample("zip-named-png", PNG, zip_archive, "a ZIP archive"),
    Sample("pdf-named-jpg", JPEG, lambda: b"%PDF-1.7\n", "a PDF document"),
    Sample("heic-named-jpg", JPEG, lambda: b"\0\0\0\x18ftypheic" + bytes(99), "a HEIC image"),
    Sample("avif-named-webp", WEBP, lambda: b"\0\0\0\x18ftypavif" + bytes(99), "an AVIF image"),
    Sample("video-named-jpg", JPEG, lambda: b"\0\0\0\x18ftypisom" + bytes(99), "a video"),
    Sample("program-named-png", PNG, lambda: b"\x7fELF" + bytes(99), NOT_LISTED),
    Sample("png-announced-as-jpeg", JPEG, lambda: png(9, 9), "announced as image/jpeg but is image/png"),
    Sample("jpeg-announced-as-webp", WEBP, lambda: encode(picture(), "JPEG"), "announced as image/webp but is"),
    Sample("webp-announced-as-png", PNG, lambda: encode(picture(), "WEBP"), "announced as image/png but is"),
)

HIDDEN = (
    Sample("jpeg-and-html", JPEG, lambda: encode(picture(), "JPEG", comment=SCRIPT) + SCRIPT),
    Sample("jpeg-and-zip", JPEG, lambda: encode(picture(), "JPEG") + zip_archive()),
    Sample("jpeg-with-a-script-before", JPEG, lambda: _with_comment(SCRIPT)),
    Sample("png-and-html", PNG, lambda: png(9, 9, png_chunk(b"tEXt", b"Comment\0" + SCRIPT)) + SCRIPT),
    Sample("png-and-zip", PNG, lambda: png(9, 9) + zip_archive()),
    Sample("webp-and-html", WEBP, lambda: encode(picture(), "WEBP", xmp=SCRIPT) + SCRIPT),
    Sample("jpeg-with-a-megabyte-of-comments", JPEG, lambda: _with_comment(SECRET * 60, times=1_000)),
    Sample("jpeg-with-an-exif-of-60-kb", JPEG, lambda: encode(picture(), "JPEG", exif=exif_of(60_000))),
    Sample("jpeg-with-5000-exif-entries", JPEG, lambda: encode(picture(), "JPEG", exif=exif_with_entries(5_000))),
    Sample("jpeg-with-20-pictures-behind", JPEG, lambda: multi_picture_jpeg(21)),
    Sample("png-with-a-text-of-300-kb", PNG, lambda: encode(picture(), "PNG", pnginfo=text_of(300_000))),
    Sample("webp-with-an-exif-of-300-kb", WEBP, lambda: encode(picture(), "WEBP", exif=exif_of(300_000))),
    Sample("png-whose-pixels-inflate-to-100-mb", PNG, lambda: _inflating_png()),
)

GIANTS = (
    Sample("jpeg-25-mp-progressive", JPEG, flat("RGB", (6_250, 4_000), "JPEG", progressive=True, subsampling=0)),
    Sample("jpeg-25-mp-cmyk", JPEG, flat("CMYK", (4_000, 6_250), "JPEG", progressive=True)),
    Sample("jpeg-25-mp-of-64x48", JPEG, lambda: parts.jpeg_of_size(6_250, 4_000)),
    Sample("jpeg-12-mp-of-50-scans", JPEG, lambda: parts.with_scans((4_000, 3_000), 50)),
    Sample("png-25-mp-with-alpha", PNG, lambda: png(6_250, 4_000)),
    Sample("png-25-mp-tall", PNG, lambda: png(3_125, 8_000)),
    Sample("png-25-mp-of-16-bits", PNG, lambda: png(5_000, 5_000, bits=16, pixel_bytes=8)),
    Sample("png-25-mp-interlaced", PNG, lambda: png(5_000, 5_000, interlaced=True)),
    Sample("png-25-mp-transparent-palette", PNG, lambda: _transparent_palette(5_000, 5_000)),
    Sample("png-64-mb-of-texts", PNG, lambda: png(5_000, 5_000, *parts.chunks_of_text(60, 1_000_000))),
    Sample("webp-16-mp-with-alpha", WEBP, flat("RGBA", (4_000, 4_000), "WEBP", method=0)),
    Sample("webp-16-mp-lossless-tall", WEBP, flat("RGBA", (2_000, 8_000), "WEBP", lossless=True, method=0, quality=0)),
)
"""As large as is allowed, in the modes that take the most memory."""

SAMPLES = (*BOMBS, *ANIMATIONS, *BROKEN, *LIARS, *HIDDEN, *GIANTS)


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _with_comment(text: bytes, *, times: int = 1) -> bytes:
    return parts.with_segments(encode(picture(), "JPEG"), [parts.jpeg_segment(0xFE, text)] * times)


def _inflating_png() -> bytes:
    data = png_chunk(b"IDAT", parts.deflated_zeros(100 * 1024**2))
    return parts.PNG_SIGNATURE + parts.png_header(9, 9) + data + png_chunk(b"IEND")


def _transparent_palette(width: int, height: int) -> bytes:
    palette = png_chunk(b"PLTE", bytes(range(9))), png_chunk(b"tRNS", b"\x80\x80\x80")
    return png(width, height, *palette, color=3, pixel_bytes=1)
