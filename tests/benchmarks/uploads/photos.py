"""The uploads of a day, made here: what phones send, in the sizes and formats in which they send it."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageCms, ImageFilter

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SIDEWAYS = 6

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def write_photos(folder: Path) -> Mapping[str, Path]:
    """Write one file of each kind and return it by name."""
    exif = Image.Exif()
    exif[0x0112] = SIDEWAYS
    photos = {
        "jpeg-12mp.jpg": _encoded((4032, 3024), "JPEG", quality=90, icc_profile=SRGB),
        "jpeg-12mp-upright.jpg": _encoded((4032, 3024), "JPEG", quality=90, exif=exif),
        "jpeg-2mp.jpg": _encoded((1600, 1200), "JPEG", quality=85),
        "png-3mp.png": _encoded((1170, 2532), "PNG"),
        "webp-3mp.webp": _encoded((2048, 1536), "WEBP", quality=85, method=2),
    }
    for name, data in photos.items():
        (folder / name).write_bytes(data)
    return {Path(name).stem: folder / name for name in photos}


def _encoded(size: tuple[int, int], kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    _scene(size).save(buffer, kind, **options)
    return buffer.getvalue()


def _scene(size: tuple[int, int]) -> Image.Image:
    """Return something with soft areas, edges and grain, which compresses about as a photo does."""
    channels = [
        Image.effect_noise((size[0] // scale, size[1] // scale), 70).resize(size, Image.Resampling.BICUBIC)
        for scale in (97, 53, 31)
    ]
    scene = Image.merge("RGB", channels)
    grain = Image.effect_noise(size, 12).filter(ImageFilter.GaussianBlur(0.7)).convert("RGB")
    return Image.blend(scene, grain, 0.15)
