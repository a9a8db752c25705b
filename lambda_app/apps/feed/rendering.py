"""The bytes of an upload → WebP renditions, upright, in sRGB and without metadata; or the reason why not."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from math import ceil, floor

from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.image_formats import JPEG, PNG, WEBP, Picture, check_size, read_picture
from lambda_app.apps.feed.image_formats.picture import AMBIGUOUS, DAMAGED
from lambda_app.apps.feed.memory import limited_memory
from lambda_app.apps.feed.placeholders import blur_hash

WIDTHS = (1080, 640, 320)
QUALITY = 82

# Each by its class: Image.open() would try other formats, and follow a JPEG into the further images behind it.
DECODERS: Mapping[str, type[ImageFile]] = {JPEG: JpegImageFile, PNG: PngImageFile, WEBP: WebPImageFile}

BAND = 256
"""Rows of a result that are made at once: what a conversion copies is a band, never a picture of 100 MB."""

LANCZOS = Image.Resampling.LANCZOS
LANCZOS_REACH = 3
"""Rows of the result, on either side, whose pixels a row is made from."""

SPARE = 1.8
"""Times the wanted size that a decoder is asked for, so that the filter has something to work with.

Less than 2, because phones take photos of 4,032 pixels: their half differs from the whole by 54 dB, WebP by 37.
"""

MAX_MEMORY_BYTES = 480 * 1024**2
"""Twice what the largest picture takes that is allowed, and half of what the function has."""

MAX_PROFILE_BYTES = 4 * 1024**2

EXIF_ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)

SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedImage:
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    width: int
    height: int
    """Of the original, upright."""

    placeholder: str
    """A BlurHash."""

    images: tuple[EncodedImage, ...]
    """Widest first, none wider than the original."""


def render(data: bytes, *, content_type: str) -> Rendering:
    """Raise RejectedImageError, with a reason that a person understands, if `data` is no such image."""
    try:
        with limited_memory(MAX_MEMORY_BYTES):
            return _render(read_picture(data, content_type=content_type))
    except MemoryError as error:
        raise RejectedImageError("the image takes too much memory to decode; save it smaller, or as a JPEG") from error


def _render(picture: Picture) -> Rendering:
    with _decoding():
        largest, size = _read_largest(picture)
    return Rendering(
        width=size[0],
        height=size[1],
        placeholder=blur_hash(largest),
        images=tuple(_renditions(_without_idle_alpha(largest), size)),
    )


def _read_largest(picture: Picture) -> tuple[Image.Image, tuple[int, int]]:
    """Return the largest rendition and the size of the original, both upright.

    Its own function: with its end the decoder goes, and with it the picture in full.
    """
    orientation = _read_orientation(picture.exif)
    with DECODERS[picture.content_type](BytesIO(picture.data)) as image:
        _check_reading(image, picture)
        size = image.size[::-1] if orientation in SIDEWAYS else image.size
        return _upright(_srgb(_shrink(image, orientation), picture.profile), orientation), size


def _read_orientation(exif: bytes) -> int:
    """Return 1 to 8, as EXIF numbers the sides; 1, upright, if it says anything else or cannot be read."""
    tags = Image.Exif()
    # Broken EXIF is common and harmless, whatever is raised for it, and what was read before the fault counts.
    with suppress(Exception):
        tags.load(exif)
    with suppress(Exception):
        orientation = int(tags[EXIF_ORIENTATION])
        return orientation if orientation in UPRIGHT else 1
    return 1


def _check_reading(image: ImageFile, picture: Picture) -> None:
    """Raise RejectedImageError unless the decoder, which has not decoded yet, sees what was announced to it."""
    check_size(picture.content_type, image.size)
    if image.size != (picture.width, picture.height) or getattr(image, "is_animated", False):
        raise RejectedImageError(AMBIGUOUS)


@contextmanager
def _decoding() -> Iterator[None]:
    """Everything in here works on bytes in memory, so whatever goes wrong is the file's fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (MemoryError, RejectedImageError):
        raise
    except Exception as error:
        # Pillow decoders raise anything from IndexError to struct.error.
        raise RejectedImageError(DAMAGED) from error


def _shrink(image: ImageFile, orientation: int) -> Image.Image:
    """Decode to the largest rendition, still as the file lies."""
    side = image.height if orientation in SIDEWAYS else image.width
    scale = min(1.0, WIDTHS[0] / side)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    # A JPEG decodes straight to a half, a quarter or an eighth.
    image.draft(None, (ceil(size[0] * SPARE), ceil(size[1] * SPARE)))
    image.load()
    return _resized(image, size)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    bands = [_resized_band(image, size, top, min(top + BAND, size[1])) for top in range(0, size[1], BAND)]
    if len(bands) == 1:
        return bands[0]
    result = Image.new(bands[0].mode, size)
    for number, band in enumerate(bands):
        result.paste(band, (0, number * BAND))
    return result


def _resized_band(image: Image.Image, size: tuple[int, int], top: int, bottom: int) -> Image.Image:
    """Return the rows from `top` to `bottom` of what `image` is at `size`, from the rows that they depend on."""
    scale = image.height / size[1]
    first = max(0, floor((top - 2 * LANCZOS_REACH) * scale))
    last = min(image.height, ceil((bottom + 2 * LANCZOS_REACH) * scale))
    band = _plain(image.crop((0, first, image.width, last)))
    if image.size == size:
        return band.crop((0, top - first, band.width, bottom - first))
    box = 0, top * scale - first, band.width, min(bottom * scale - first, band.height)
    return band.resize((size[0], bottom - top), LANCZOS, box=box, reducing_gap=2.0)


def _plain(band: Image.Image) -> Image.Image:
    """Return `band` in a mode that can be resized."""
    if band.mode == "I;16":
        # A plain conversion would clip the sixteen bits instead of scaling them.
        # Its transparent grey, if it names one, means nothing once it is scaled.
        band.info.pop("transparency", None)
        return band.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if band.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and "transparency" not in band.info:
        return band
    return band.convert("RGBA" if band.has_transparency_data else "RGB")


def _srgb(image: Image.Image, profile: bytes) -> Image.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if 0 < len(profile) <= MAX_PROFILE_BYTES:
        # So is a broken profile: the colours are then read as sRGB.
        with suppress(Exception):
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            return ImageCms.profileToProfile(image, source, SRGB, outputMode=mode) or image
    return image.convert(mode)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _without_idle_alpha(image: Image.Image) -> Image.Image:
    """Many a screenshot has transparency and no transparent pixel; its encoding would cost a third more."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image


def _renditions(largest: Image.Image, size: tuple[int, int]) -> Iterator[EncodedImage]:
    for width in sorted({min(width, size[0]) for width in WIDTHS}, reverse=True):
        height = max(1, round(size[1] * width / size[0]))
        same = largest.size == (width, height)
        yield _encode(largest if same else largest.resize((width, height), LANCZOS))


def _encode(image: Image.Image) -> EncodedImage:
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=4)
    return EncodedImage(width=image.width, height=image.height, data=buffer.getvalue())
