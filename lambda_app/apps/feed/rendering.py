"""The bytes of an upload → WebP renditions, upright, in sRGB and without metadata; or the reason why not."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageCms, UnidentifiedImageError

from lambda_app.apps.feed.errors import RejectedImageError

MAX_PIXELS = 25_000_000
MAX_SIDE = 8_000
"""A few kilobytes of PNG can decode to gigabytes, so the header is judged first."""

WIDTHS = (1080, 640, 320)
QUALITY = 82

# MPO is what phones write when they add a depth map or a second frame to a JPEG.
CONTENT_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}

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

    images: tuple[EncodedImage, ...]
    """Widest first, none wider than the original."""


def render(data: bytes, *, content_type: str) -> Rendering:
    """Raise RejectedImageError, with a reason that a person understands, if `data` is no such image."""
    with _decoding(), Image.open(BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as image:
        _check_header(image, content_type)
        orientation = image.getexif().get(EXIF_ORIENTATION, 1)
        size = image.size[::-1] if orientation in SIDEWAYS else image.size
        largest = _upright(_srgb(_shrink(image, orientation)), orientation)
        return Rendering(width=size[0], height=size[1], images=tuple(_renditions(largest, size)))


@contextmanager
def _decoding() -> Iterator[None]:
    """Everything in here works on bytes in memory, so whatever goes wrong is the file's fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (RejectedImageError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise RejectedImageError("the file is not a JPEG, PNG or WebP image") from error
    except Image.DecompressionBombError as error:
        raise RejectedImageError(_too_large()) from error
    except Exception as error:
        # Pillow decoders raise anything from IndexError to struct.error.
        raise RejectedImageError("the image is damaged and cannot be read") from error


def _check_header(image: Image.Image, content_type: str) -> None:
    found = CONTENT_TYPES[image.format or ""]
    if found != content_type:
        raise RejectedImageError(f"the file was announced as {content_type} but is {found}")
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise RejectedImageError(f"{_too_large()}; this one has {image.width:,} x {image.height:,}")
    if found != "image/jpeg" and getattr(image, "is_animated", False):
        raise RejectedImageError("the image is animated; only still photos can be posted")


def _too_large() -> str:
    return f"an image may have {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side"


def _shrink(image: Image.Image, orientation: int) -> Image.Image:
    """Decode to about the largest rendition, still as the file lies."""
    side = image.height if orientation in SIDEWAYS else image.width
    scale = min(1.0, WIDTHS[0] / side)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    # A JPEG decodes straight to a half, a quarter or an eighth; twice the size leaves the filter enough to work with.
    image.draft(None, (size[0] * 2, size[1] * 2))
    full = _plain(image)
    return _eight_bit(full if full.size == size else full.resize(size, Image.Resampling.LANCZOS))


def _plain(image: Image.Image) -> Image.Image:
    """Decode to a mode that can be resized; each conversion of the full size would cost another 100 MB."""
    image.load()
    if image.mode == "I;16":
        # Its transparent grey, if it names one, means nothing once it is scaled to eight bits.
        image.info.pop("transparency", None)
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "I;16") and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode != "I;16":
        return image
    # A plain conversion would clip the sixteen bits instead of scaling them.
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _srgb(image: Image.Image) -> Image.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if profile := image.info.get("icc_profile"):
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            return ImageCms.profileToProfile(image, source, SRGB, outputMode=mode) or image
        except (ImageCms.PyCMSError, OSError):
            # A broken profile is common and harmless: the colours are read as sRGB.
            return image.convert(mode)
    return image.convert(mode)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _renditions(largest: Image.Image, size: tuple[int, int]) -> Iterator[EncodedImage]:
    for width in sorted({min(width, size[0]) for width in WIDTHS}, reverse=True):
        height = max(1, round(size[1] * width / size[0]))
        same = largest.size == (width, height)
        yield _encode(largest if same else largest.resize((width, height), Image.Resampling.LANCZOS))


def _encode(image: Image.Image) -> EncodedImage:
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=4)
    return EncodedImage(width=image.width, height=image.height, data=buffer.getvalue())
