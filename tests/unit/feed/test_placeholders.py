"""A BlurHash, decoded by its definition, shows about what the picture shows."""

from math import cos, pi

import pytest
from PIL import Image

from lambda_app.apps.feed.placeholders import DIGITS, blur_hash


def number(text):
    value = 0
    for digit in text:
        value = value * 83 + DIGITS.index(digit)
    return value


def waves_of(code):
    """Return the counts of waves, and the strength of each in red, green and blue."""
    size, strongest = number(code[0]), (number(code[1]) + 1) / 166
    average = number(code[2:6])
    waves = [tuple(linear(average >> shift & 255) for shift in (16, 8, 0))]
    for place in range(6, len(code), 2):
        value = number(code[place : place + 2])
        parts = [(part - 9) / 9 for part in (value // 361, value // 19 % 19, value % 19)]
        waves.append(tuple(abs(part) * part * strongest for part in parts))
    return (size % 9 + 1, size // 9 + 1), waves


def linear(value):
    return ((value / 255 + 0.055) / 1.055) ** 2.4 if value > 10 else value / 255 / 12.92


def light_at(code, x, y):
    """Return the red, green and blue light at a place from 0 to 1."""
    (across, _), waves = waves_of(code)
    weights = [cos(pi * x * (place % across)) * cos(pi * y * (place // across)) for place in range(len(waves))]
    return [sum(wave[channel] * weight for wave, weight in zip(waves, weights, strict=True)) for channel in range(3)]


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (200, 60, 30), (0, 128, 128)])
def test_one_colour_is_that_colour_everywhere(color):
    code = blur_hash(Image.new("RGB", (64, 48), color))

    for place in ((0.1, 0.1), (0.5, 0.5), (0.9, 0.9)):
        assert light_at(code, *place) == pytest.approx([linear(value) for value in color], abs=0.02)


@pytest.mark.parametrize(("size", "length"), [((640, 480), 28), ((480, 640), 28), ((1, 1), 28), ((1, 8000), 28)])
def test_every_shape_has_a_code(size, length):
    assert len(blur_hash(Image.new("RGB", size, "teal"))) == length


@pytest.mark.parametrize(("size", "waves"), [((640, 480), (4, 3)), ((480, 640), (3, 4))])
def test_the_longer_side_has_more_waves(size, waves):
    assert waves_of(blur_hash(Image.new("RGB", size)))[0] == waves


def test_light_and_dark_are_where_they_are_in_the_picture():
    image = Image.new("RGB", (64, 64), "black")
    image.paste("red", (32, 0, 64, 32))

    code = blur_hash(image)

    corners = {place: light_at(code, *place)[0] for place in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9))}
    assert max(corners, key=corners.get) == (0.9, 0.1)
    assert corners[0.9, 0.1] > 0.5
    assert max(light_at(code, 0.9, 0.1)[1:]) < 0.1


def test_what_is_transparent_counts_as_white():
    assert blur_hash(Image.new("RGBA", (40, 40), (0, 0, 0, 0))) == blur_hash(Image.new("RGB", (40, 40), "white"))
