"""A picture → its BlurHash: some thirty characters that a phone paints as a blur until the photo is there."""

from functools import cache
from itertools import product
from math import cos, pi

from PIL import Image

MAX_SIDE = 32
"""What is left of a picture is a few waves; more pixels would tell nothing more of them."""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

type Color = tuple[float, float, float]

LINEAR = [value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in range(256)]
"""Light, for each value of sRGB."""


def blur_hash(image: Image.Image) -> str:
    """Return the BlurHash of `image`, an RGB or RGBA picture in sRGB; what is transparent counts as white."""
    waves_x, waves_y = (4, 3) if image.width >= image.height else (3, 4)
    average, *waves = _waves(_small(image), waves_x, waves_y)
    strongest = max(abs(value) for wave in waves for value in wave)
    step = max(0, min(82, int(strongest * 166 - 0.5)))
    scale = (step + 1) / 166
    return "".join(
        [
            _digits(waves_x - 1 + (waves_y - 1) * 9, 1),
            _digits(step, 1),
            _digits(_average_code(average), 4),
            *(_digits(_wave_code(wave, scale), 2) for wave in waves),
        ]
    )


def _small(image: Image.Image) -> Image.Image:
    scale = min(1.0, MAX_SIDE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image.resize(size, Image.Resampling.BOX)
    if small.mode == "RGB":
        return small
    white = Image.new("RGBA", size, "white")
    return Image.alpha_composite(white, small.convert("RGBA")).convert("RGB")


def _waves(image: Image.Image, waves_x: int, waves_y: int) -> list[Color]:
    """Return how strong each wave is in each colour: the even grey first, then from left to right and down."""
    pixels = image.tobytes()
    stride = 3 * image.width
    # Along the rows first, then down the columns: the same sums in a tenth of the steps.
    rows = [
        [_along(pixels[start + channel : start + stride : 3], waves_x) for channel in range(3)]
        for start in range(0, len(pixels), stride)
    ]
    return [
        _wave(rows, image.size, number_x, number_y) for number_y, number_x in product(range(waves_y), range(waves_x))
    ]


def _along(values: bytes, waves: int) -> list[float]:
    light = [LINEAR[value] for value in values]
    return [sum(map(float.__mul__, light, _cosines(wave, len(light)))) for wave in range(waves)]


def _wave(rows: list[list[list[float]]], size: tuple[int, int], number_x: int, number_y: int) -> Color:
    share = (2 if number_x or number_y else 1) / (size[0] * size[1])
    heights = _cosines(number_y, size[1])
    red, green, blue = (
        share * sum(row[channel][number_x] * height for row, height in zip(rows, heights, strict=True))
        for channel in range(3)
    )
    return red, green, blue


@cache
def _cosines(wave: int, length: int) -> list[float]:
    # In the middle of each pixel, so that an even colour has no waves.
    return [cos(pi * wave * (place + 0.5) / length) for place in range(length)]


def _average_code(color: Color) -> int:
    red, green, blue = map(_srgb_value, color)
    return (red << 16) + (green << 8) + blue


def _srgb_value(light: float) -> int:
    light = max(0.0, min(1.0, light))
    return int((light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055) * 255 + 0.5)


def _wave_code(color: Color, scale: float) -> int:
    red, green, blue = (_nineteenth(value / scale) for value in color)
    return (red * 19 + green) * 19 + blue


def _nineteenth(strength: float) -> int:
    root = abs(strength) ** 0.5
    return int(max(0.0, min(18.0, (root if strength >= 0 else -root) * 9 + 9.5)))


def _digits(value: int, length: int) -> str:
    return "".join(DIGITS[value // 83**place % 83] for place in reversed(range(length)))
