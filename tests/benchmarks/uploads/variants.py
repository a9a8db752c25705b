"""The same renditions by several hands: bytes of an upload → WebP at each width."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from tests.benchmarks.uploads.photos import CONTENT_TYPES

WIDTHS = (1080, 640, 320)
QUALITY, METHOD = 82, 4

type Render = Callable[[Path], list[bytes]]


def ours(path: Path) -> list[bytes]:
    from lambda_app.apps.feed.rendering import render

    rendering = render(path.read_bytes(), content_type=CONTENT_TYPES[path.suffix])
    return [image.data for image in rendering.images]


def pillow(path: Path) -> list[bytes]:
    """The script of someone who knows Pillow: no check, no bound, no placeholder."""
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        # Before anything is decoded: a thumbnail of a JPEG decodes to a fraction.
        image.thumbnail(_box(image))
        ImageOps.exif_transpose(image, in_place=True)
        largest = _in_srgb(image)
        return [_encoded_by_pillow(_narrowed(largest, width)) for width in WIDTHS if width <= largest.width]


def pillow_from_full(path: Path) -> list[bytes]:
    """The script that is found everywhere: upright first, then each rendition from the whole picture."""
    from PIL import Image, ImageOps

    with Image.open(path) as file:
        image = _in_srgb(ImageOps.exif_transpose(file))
        return [_encoded_by_pillow(_narrowed(image, width)) for width in WIDTHS if width <= image.width]


def libvips(path: Path) -> list[bytes]:
    """The limit: libvips streams the picture, and shrinks while it decodes."""
    import pyvips

    data = path.read_bytes()
    largest = pyvips.Image.thumbnail_buffer(data, WIDTHS[0], height=10**6, size="down", output_profile="srgb")
    largest = largest.copy_memory()
    images = [largest if width == WIDTHS[0] else largest.thumbnail_image(width, height=10**6) for width in WIDTHS]
    return [image.webpsave_buffer(Q=QUALITY, effort=METHOD, keep="none") for image in images]


def _box(image: "object") -> tuple[int, int]:
    """Return the box of the largest rendition, lying as the file does."""
    orientation = image.getexif().get(0x0112, 1)  # type: ignore[attr-defined]
    return (10**6, WIDTHS[0]) if orientation >= 5 else (WIDTHS[0], 10**6)


def _narrowed(image: "object", width: int) -> "object":
    from PIL import Image

    assert isinstance(image, Image.Image)
    if width == image.width:
        return image
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _in_srgb(image: "object") -> "object":
    from PIL import Image, ImageCms

    assert isinstance(image, Image.Image)
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGB")
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")


def _encoded_by_pillow(image: "object") -> bytes:
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=METHOD)  # type: ignore[attr-defined]
    return buffer.getvalue()


VARIANTS: Mapping[str, Render] = {
    "ours": ours,
    "pillow": pillow,
    "pillow-from-full": pillow_from_full,
    "libvips": libvips,
}
