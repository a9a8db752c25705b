"""What strangers upload: every kind of hostile file, and the odd but honest ones, each made when asked for."""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from zipfile import ZipFile

from PIL import Image, PngImagePlugin

from tests.uploads import parts
from tests.uploads.parts import encode, exif_of_entries, frame_header, picture, png, png_chunk

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"

SECRET = b"51.5007N-0.1246W"
SCRIPT = b"<script>alert(document.domain)</script>"

TOO_LARGE = "megapixels and 8,000 pixels a side; this one has"
DAMAGED = "the image is damaged and cannot be read"
TWICE = "it says twice how large it is"
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
    Sample("jpeg-with-500-pictures-behind", JPEG, lambda: multi_picture_jpeg(501)),
    Sample("png-with-a-text-of-300-kb", PNG, lambda: encode(picture(), "PNG", pnginfo=text_of(300_000))),
    Sample("webp-with-an-exif-of-300-kb", WEBP, lambda: encode(picture(), "WEBP", exif=exif_of(300_000))),
    Sample("png-whose-pixels-inflate-to-100-mb", PNG, lambda: _inflating_png()),
)

AMBIGUOUS = (
    Sample("png-of-two-sizes-the-larger-last", PNG, lambda: _png_of_two_sizes((9, 9), (12_000, 12_000)), TWICE),
    Sample("png-of-two-sizes-the-larger-first", PNG, lambda: _png_of_two_sizes((12_000, 12_000), (9, 9)), TWICE),
    Sample("png-that-says-its-size-twice", PNG, lambda: _png_of_two_sizes((9, 9), (9, 9)), TWICE),
    Sample("png-whose-size-comes-second", PNG, lambda: _png_of_pieces(png_chunk(b"tEXt", b"a\0b"), _PNG_9), DAMAGED),
    Sample("jpeg-whose-size-hides-in-ff-00", JPEG, lambda: jpeg_of_a_jump((9, 9), (12_000, 12_000)), DAMAGED),
    Sample("jpeg-of-two-sizes-that-are-allowed", JPEG, lambda: jpeg_of_a_jump((9, 9), (64, 48)), DAMAGED),
    Sample("jpeg-whose-size-hides-in-an-unknown-segment", JPEG, lambda: _size_in_segment(0xF0, (12_000, 9)), DAMAGED),
    Sample("jpeg-of-two-sizes-the-larger-last", JPEG, lambda: _jpeg_of(frame_header(9, 9), (12_000, 12_000)), TWICE),
    Sample("jpeg-of-two-sizes-the-larger-first", JPEG, lambda: _jpeg_of(frame_header(12_000, 12_000), (9, 9)), TWICE),
    Sample("jpeg-with-a-size-between-its-scans", JPEG, lambda: _size_between_scans(12_000, 12_000), TWICE),
    Sample("webp-of-two-pictures", WEBP, lambda: parts.riff(parts.webp_frame(), parts.webp_frame((900, 900))), TWICE),
    Sample(
        "webp-picture-smaller-than-its-canvas",
        WEBP,
        lambda: parts.riff(parts.webp_canvas(3_000, 3_000), parts.webp_frame((10, 10))),
        DAMAGED,
    ),
)
"""Two readers would see two pictures in them."""

PHONES = (
    Sample("jpeg-of-a-pixel-with-a-film-of-4-mb", JPEG, lambda: _noisy("JPEG", quality=85) + parts.film(4_000_000)),
    Sample("jpeg-of-a-samsung-with-a-film-and-its-index", JPEG, lambda: _samsung(parts.film(4_000_000))),
    Sample("jpeg-with-a-gain-map-behind", JPEG, lambda: multi_picture_jpeg(2) + encode(picture(), "JPEG")),
    Sample("jpeg-with-a-heic-behind", JPEG, lambda: encode(picture(), "JPEG") + b"\0\0\0\x18ftypheic" + bytes(9_999)),
    Sample("jpeg-with-zeros-behind", JPEG, lambda: encode(picture(), "JPEG") + bytes(100_000)),
    Sample("jpeg-with-ones-behind", JPEG, lambda: encode(picture(), "JPEG") + b"\xff" * 100_000),
    Sample("jpeg-with-its-thumbnail", JPEG, lambda: _with(0xE1, b"Exif\0\0" + encode(picture(), "JPEG"))),
    Sample("jpeg-with-zeros-before-a-segment", JPEG, lambda: _jpeg_after(bytes(64))),
    Sample("png-with-a-film-of-4-mb", PNG, lambda: png(9, 9) + parts.film(4_000_000)),
    Sample("png-without-its-end", PNG, lambda: png(9, 9)[:-12]),
    Sample("webp-with-a-film-of-4-mb", WEBP, lambda: encode(picture(), "WEBP") + parts.film(4_000_000)),
)
"""What cameras and their programs write behind a picture, and between its parts."""

BESIDE = (
    *(
        Sample(f"jpeg-with-{name}", JPEG, lambda marker=marker, content=content: _with(marker, content))
        for name, marker, content in (
            ("an-empty-exif", 0xE1, b"Exif\0\0"),
            ("an-exif-of-noise", 0xE1, b"Exif\0\0" + random.Random(1).randbytes(900)),
            ("an-exif-that-ends-early", 0xE1, b"Exif\0\0" + exif_of(60)[6:40]),
            ("an-exif-whose-directory-is-nowhere", 0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xf0"),
            ("an-exif-of-a-strange-kind", 0xE1, b"Exif\0\0" + exif_of_entries([(0x0112, 5, 9, 2**32 - 1)])),
            ("a-broken-xmp", 0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta \xff\xfe<<"),
            ("a-broken-iptc", 0xED, b"Photoshop 3.0\0008BIM\4\4\xff"),
            ("a-resolution-of-four-bytes", 0xED, b"Photoshop 3.0\0008BIM\3\xed\0\0\0\0\0\4abcd"),
            ("a-profile-of-noise", 0xE2, b"ICC_PROFILE\0\1\1" + random.Random(2).randbytes(900)),
            ("a-profile-without-its-first-part", 0xE2, b"ICC_PROFILE\0\2\2abc"),
            ("a-profile-of-no-bytes", 0xE2, b"ICC_PROFILE\0"),
            ("a-broken-index-of-pictures", 0xE2, b"MPF\0MM\0*\xff\xff\xff\xff"),
            ("a-jfif-of-six-bytes", 0xE0, b"JFIF\0\1"),
            ("an-adobe-of-five-bytes", 0xEE, b"Adobe"),
            ("an-empty-segment", 0xE7, b""),
            ("a-start-and-an-end-in-a-segment", 0xE5, b"\xff\xd8\xff\xda\xff\xc0\0\x0b\x08\xff\xd9"),
        )
    ),
    *(
        Sample(f"png-with-{name}", PNG, lambda chunk=chunk: encode_with(chunk))
        for name, chunk in (
            ("an-exif-of-noise", png_chunk(b"eXIf", random.Random(3).randbytes(900))),
            ("an-exif-with-a-wrong-checksum", png_chunk(b"eXIf", b"II*\0", checksum=1)),
            ("an-exif-whose-directory-is-nowhere", png_chunk(b"eXIf", b"MM\0*\xff\xff\xff\xf0")),
            ("a-text-with-a-wrong-checksum", png_chunk(b"tEXt", b"a\0b", checksum=1)),
            ("a-text-that-does-not-inflate", png_chunk(b"zTXt", b"a\0\0nonsense")),
            ("a-text-of-an-unknown-compression", png_chunk(b"zTXt", b"a\0\7nonsense")),
            ("a-text-that-inflates-to-20-mb", png_chunk(b"zTXt", b"a\0\0" + parts.deflated_zeros(20 * 1024**2))),
            ("a-profile-that-does-not-inflate", png_chunk(b"iCCP", b"a\0\0nonsense")),
            ("a-profile-of-an-unknown-compression", png_chunk(b"iCCP", b"a\0\7nonsense")),
            ("a-profile-that-inflates-to-20-mb", png_chunk(b"iCCP", b"a\0\0" + parts.deflated_zeros(20 * 1024**2))),
            ("a-profile-of-no-bytes", png_chunk(b"iCCP")),
            ("a-gamma-of-one-byte", png_chunk(b"gAMA", b"a")),
            ("colours-of-one-byte", png_chunk(b"cHRM", b"a")),
            ("a-rendering-intent-of-no-bytes", png_chunk(b"sRGB")),
            ("a-resolution-of-one-byte", png_chunk(b"pHYs", b"a")),
            ("a-transparency-of-one-byte", png_chunk(b"tRNS", b"a")),
            ("a-transparency-with-a-wrong-checksum", png_chunk(b"tRNS", bytes(6), checksum=1)),
            ("an-animation-of-one-byte", png_chunk(b"acTL", b"a")),
            ("an-animation-of-no-frames", png_chunk(b"acTL", bytes(8))),
            ("a-private-chunk", png_chunk(b"prVt", b"anything", checksum=1)),
        )
    ),
    Sample("png-with-100-mb-of-texts", PNG, lambda: png(9, 9, *parts.chunks_of_text(100, 1_000_000))),
    Sample("png-with-a-text-between-its-pixels", PNG, lambda: _text_between_pixels()),
    Sample("webp-with-an-exif-of-noise", WEBP, lambda: encode(picture(), "WEBP", exif=random.Random(4).randbytes(900))),
    Sample("webp-with-a-broken-xmp", WEBP, lambda: encode(picture(), "WEBP", xmp=b"<x:xmpmeta \xff\xfe<<")),
    Sample("webp-with-a-profile-of-noise", WEBP, lambda: encode(picture(), "WEBP", icc_profile=b"nonsense")),
    Sample("webp-with-an-exif-that-is-cut-off", WEBP, lambda: encode(picture(), "WEBP", exif=exif_of(9_000))[:-5_000]),
    Sample("webp-longer-than-its-file", WEBP, lambda: with_riff_size(encode(picture(), "WEBP"), 2**31)),
    *(
        Sample(f"{name}-with-an-exif-that-points-to-gigabytes", content_type, make)
        for name, content_type, make in (
            ("jpeg", JPEG, lambda: parts.with_segments(encode(picture(), "JPEG"), _greedy_exif_segments())),
            ("png", PNG, lambda: png(9, 9, png_chunk(b"eXIf", _greedy_exif()))),
            ("webp", WEBP, lambda: encode(picture(), "WEBP", exif=_greedy_exif())),
        )
    ),
)
"""Metadata that is broken, or is its own bomb, beside a picture that is whole."""

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

SAMPLES = (*BOMBS, *ANIMATIONS, *BROKEN, *LIARS, *AMBIGUOUS, *HIDDEN, *PHONES, *BESIDE, *GIANTS)

_PNG_9 = parts.png_header(9, 9)


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _noisy(kind: str, **options: object) -> bytes:
    return encode(Image.effect_noise((1_600, 1_200), 60).convert("RGB"), kind, **options)


def _samsung(film: bytes) -> bytes:
    """Return a photo as a Galaxy writes it: behind the film stands an index, and behind that its length."""
    index = b"SEFH" + struct.pack("<III", 107, 1, 0x0A300000) + struct.pack("<II", len(film) + 24, len(film) + 24)
    tag = b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data"
    return _noisy("JPEG", quality=85) + tag + film + index + struct.pack("<I", len(index)) + b"SEFT"


def _with(marker: int, content: bytes) -> bytes:
    return parts.with_segments(encode(picture(), "JPEG"), [parts.jpeg_segment(marker, content)])


def _jpeg_after(between: bytes) -> bytes:
    jpeg = encode(picture(), "JPEG")
    return jpeg[:20] + between + jpeg[20:]


def _jpeg_of(first: bytes, size: tuple[int, int]) -> bytes:
    """Return a JPEG that says its size, with `first` before."""
    jpeg = parts.jpeg_of_size(*size)
    return jpeg[:2] + first + jpeg[2:]


def jpeg_of_a_jump(announced: tuple[int, int], size: tuple[int, int]) -> bytes:
    """Return a JPEG of `size`.  Readers that take FF 00 for a segment jump over its size, into a comment."""
    jpeg, comment = parts.jpeg_of_size(*size), parts.jpeg_segment(0xFE, frame_header(*announced))
    scan = jpeg.index(parts.START_OF_SCAN)
    # From behind FF 00, over the length itself and the header, to the content of the comment.
    jump = 2 + (scan - 2) + 4
    return jpeg[:2] + b"\xff\0" + struct.pack(">H", jump) + jpeg[2:scan] + comment + jpeg[scan:]


def _size_in_segment(marker: int, size: tuple[int, int]) -> bytes:
    jpeg = encode(picture(), "JPEG")
    scan = jpeg.index(parts.START_OF_SCAN)
    return jpeg[:scan] + parts.jpeg_segment(marker, frame_header(*size)) + jpeg[scan:]


def _size_between_scans(width: int, height: int) -> bytes:
    head, first, *others = encode(picture(), "JPEG", progressive=True).split(parts.START_OF_SCAN)
    return parts.START_OF_SCAN.join([head, first + frame_header(width, height), *others])


def _png_of_pieces(*chunks: bytes) -> bytes:
    return parts.PNG_SIGNATURE + b"".join(chunks) + png(9, 9)[33:]


def _png_of_two_sizes(first: tuple[int, int], second: tuple[int, int]) -> bytes:
    return _png_of_pieces(parts.png_header(*first), parts.png_header(*second))


def encode_with(chunk: bytes) -> bytes:
    """Return a PNG of three colours with `chunk` before its pixels."""
    return png(9, 9, chunk, pixel_bytes=3, color=2)


def _text_between_pixels() -> bytes:
    data, text = parts.deflated_zeros(9 * 37), png_chunk(b"tEXt", b"a\0b", checksum=1)
    pixels = png_chunk(b"IDAT", data[:7]) + text + png_chunk(b"IDAT", data[7:])
    return parts.PNG_SIGNATURE + _PNG_9 + pixels + png_chunk(b"IEND")


def with_riff_size(webp: bytes, size: int) -> bytes:
    return webp[:4] + struct.pack("<I", size) + webp[8:]


def _greedy_exif(count: int = 60_000, size: int = 1_000_000) -> bytes:
    """Return a megabyte or two of EXIF, each entry of which points to a megabyte of it."""
    return exif_of_entries(((0x9000 + number % 0x6000, 7, size, 0) for number in range(count)), bytes(size))


def _greedy_exif_segments() -> list[bytes]:
    """Return EXIF in parts of 64 KB, which some readers put together."""
    data = _greedy_exif()
    return [parts.jpeg_segment(0xE1, b"Exif\0\0" + data[at : at + 65_000]) for at in range(0, len(data), 65_000)]


def _with_comment(text: bytes, *, times: int = 1) -> bytes:
    return parts.with_segments(encode(picture(), "JPEG"), [parts.jpeg_segment(0xFE, text)] * times)


def _inflating_png() -> bytes:
    data = png_chunk(b"IDAT", parts.deflated_zeros(100 * 1024**2))
    return parts.PNG_SIGNATURE + parts.png_header(9, 9) + data + png_chunk(b"IEND")


def _transparent_palette(width: int, height: int) -> bytes:
    palette = png_chunk(b"PLTE", bytes(range(9))), png_chunk(b"tRNS", b"\x80\x80\x80")
    return png(width, height, *palette, color=3, pixel_bytes=1)
