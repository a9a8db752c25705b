import random
import struct
import zlib
from io import BytesIO
from itertools import count

import pytest
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageStat, PngImagePlugin

from lambda_app.apps.feed import rendering
from lambda_app.apps.feed.errors import RejectedImageError

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
LANCZOS = Image.Resampling.LANCZOS


@pytest.fixture
def small(monkeypatch):
    """A tenth of every width: what is tested does not depend on the size, the time does."""
    monkeypatch.setattr(rendering, "WIDTHS", (108, 64, 32))


def encode(image, kind="JPEG", **options):
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def make_image(size=(64, 48), color="teal", mode="RGB"):
    return Image.new(mode, size, color)


def decode(rendition):
    image = Image.open(BytesIO(rendition.data))
    image.load()
    return image


def render(data, content_type=JPEG):
    return rendering.render(data, content_type=content_type)


def png_header(width, height):
    """Return a PNG that claims a size and has next to nothing behind it."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def near(pixel, color, tolerance=12):
    return all(abs(one - other) <= tolerance for one, other in zip(pixel[:3], color, strict=True))


@pytest.mark.parametrize(
    ("width", "widths"),
    [(2000, [1080, 640, 320]), (1080, [1080, 640, 320]), (1079, [1079, 640, 320]), (640, [640, 320]), (5, [5])],
)
def test_renditions_are_never_wider_than_the_original(width, widths):
    rendered = render(encode(make_image((width, 100))))

    assert [image.width for image in rendered.images] == widths
    assert [decode(image).width for image in rendered.images] == widths


@pytest.mark.parametrize(("size", "height"), [((8000, 1), 1), ((1, 8000), 8000), ((100, 300), 300), ((400, 300), 81)])
def test_the_proportions_are_kept(small, size, height):
    rendered = render(encode(make_image(size)))

    assert (rendered.images[0].height, (rendered.width, rendered.height)) == (height, size)


@pytest.mark.parametrize(("kind", "content_type"), [("JPEG", JPEG), ("PNG", PNG), ("WEBP", WEBP), ("MPO", JPEG)])
def test_each_format_on_the_list_is_rendered_in_its_colours(kind, content_type):
    rendered = render(encode(make_image(color=(200, 60, 30)), kind), content_type)

    assert near(decode(rendered.images[0]).getpixel((30, 20)), (200, 60, 30))


@pytest.mark.parametrize(
    ("mode", "color", "kind", "expected"),
    [
        ("L", 128, "JPEG", (128, 128, 128)),
        ("L", 128, "PNG", (128, 128, 128)),
        ("CMYK", (0, 255, 255, 0), "JPEG", (255, 0, 0)),
        ("P", 0, "PNG", (0, 0, 0)),
        ("1", 1, "PNG", (255, 255, 255)),
        ("LA", (90, 255), "PNG", (90, 90, 90)),
        ("I;16", 200 * 256, "PNG", (200, 200, 200)),
    ],
)
def test_every_mode_comes_out_as_the_colour_that_it_shows(mode, color, kind, expected):
    rendered = render(encode(make_image(color=color, mode=mode), kind), PNG if kind == "PNG" else JPEG)

    assert near(decode(rendered.images[0]).convert("RGB").getpixel((30, 20)), expected)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_every_mode_can_be_made_smaller(small, mode):
    rendered = render(encode(make_image((200, 100), color=0, mode=mode), "PNG"), PNG)

    assert [decode(image).size for image in rendered.images] == [(108, 54), (64, 32), (32, 16)]


def test_sixteen_bits_are_scaled_when_the_size_changes_too(small):
    rendered = render(encode(make_image((200, 100), color=200 * 256, mode="I;16"), "PNG"), PNG)

    assert near(decode(rendered.images[0]).getpixel((5, 5)), (200, 200, 200))


def test_transparency_is_kept():
    image = make_image((100, 100), (255, 0, 0, 0), "RGBA")
    ImageDraw.Draw(image).rectangle((50, 0, 99, 99), fill=(0, 0, 255, 255))

    shown = decode(render(encode(image, "PNG"), PNG).images[0])

    assert (shown.getpixel((10, 50))[3], shown.getpixel((90, 50))[3]) == (0, 255)


@pytest.mark.parametrize(("mode", "color"), [("RGB", (9, 9, 9)), ("L", 9), ("P", 0)])
def test_a_colour_that_means_transparent_is_transparent(small, mode, color):
    image = make_image((300, 300), color, mode)
    transparent = encode(image, "PNG", transparency=color)

    assert decode(render(transparent, PNG).images[0]).getpixel((5, 5))[3] == 0


def test_a_grey_of_sixteen_bits_that_means_transparent_is_shown():
    image = make_image(color=40_000, mode="I;16")

    shown = decode(render(encode(image, "PNG", transparency=40_000), PNG).images[0])

    assert near(shown.getpixel((5, 5)), (156, 156, 156))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(small, orientation):
    upright = make_image((160, 80), "white")
    ImageDraw.Draw(upright).rectangle((0, 0, 79, 39), fill="red")
    stored = upright.transpose(INVERSE[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[rendering.EXIF_ORIENTATION] = orientation

    rendered = render(encode(stored, exif=exif, quality=95))

    shown = decode(rendered.images[0])
    assert (rendered.width, rendered.height, shown.size) == (160, 80, (108, 54))
    assert near(shown.getpixel((20, 10)), (255, 0, 0), 40)
    assert near(shown.getpixel((90, 10)), (255, 255, 255), 20)
    assert near(shown.getpixel((20, 45)), (255, 255, 255), 20)


INVERSE = dict(rendering.UPRIGHT) | {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation):
    exif = Image.Exif()
    exif[rendering.EXIF_ORIENTATION] = orientation

    assert render(encode(make_image((64, 48)), exif=exif)).width == 64


def test_the_colour_profile_is_applied_and_not_carried_on():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    shown = decode(render(encode(make_image(color=(10, 200, 30)), icc_profile=lab)).images[0])

    assert near(shown.getpixel((5, 5)), (10, 200, 30))
    assert "icc_profile" not in shown.info


def test_a_broken_colour_profile_does_not_spoil_a_photo():
    shown = decode(render(encode(make_image(color=(10, 200, 30)), icc_profile=b"nonsense")).images[0])

    assert near(shown.getpixel((5, 5)), (10, 200, 30))


def test_no_metadata_survives():
    secret = b"51.5007N-0.1246W"
    exif = Image.Exif()
    exif[0x010E] = secret.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", secret.decode())

    outputs = [
        render(encode(make_image(), exif=exif, comment=secret, xmp=secret)),
        render(encode(make_image(), "PNG", pnginfo=text, exif=exif), PNG),
        render(encode(make_image(), "WEBP", exif=exif, xmp=secret), WEBP),
    ]

    assert all(secret not in image.data for output in outputs for image in output.images)
    assert not {"exif", "icc_profile", "xmp"} & {key for output in outputs for key in decode(output.images[0]).info}


def test_an_alpha_channel_without_a_transparent_pixel_is_left_out():
    rendered = render(encode(make_image(color=(9, 9, 9, 255), mode="RGBA"), "PNG"), PNG)

    assert decode(rendered.images[0]).mode == "RGB"


def test_a_photo_has_a_placeholder():
    assert len(render(encode(make_image())).placeholder) == 28


def test_what_hides_behind_an_image_is_left_behind():
    polyglot = encode(make_image()) + b"<script>alert(1)</script>PK\x03\x04"

    assert all(b"script" not in image.data for image in render(polyglot).images)


def test_the_same_bytes_render_to_the_same_bytes(small):
    data = encode(make_image((120, 90)))

    assert render(data) == render(data)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("size", [(540, 1610), (90, 1337), (300, 7001)])
def test_bands_show_no_seams(mode, size):
    """Against Pillow's own filter over the whole picture at once; what it premultiplies by alpha is in both."""
    channels = [Image.effect_noise((size[0] // 9, size[1] // 9), 90).resize(size) for _ in mode]
    if mode.endswith("A"):
        # What shows at all: the colour of what is transparent means nothing.
        channels[-1] = channels[-1].point(lambda value: 128 + value // 2)
    image = Image.merge(mode, channels) if len(channels) > 1 else channels[0]
    target = (108, round(108 * size[1] / size[0]))

    difference = ImageChops.difference(rendering._resized(image, target), image.resize(target, LANCZOS))

    assert max(high for _, high in ImageStat.Stat(difference).extrema) <= 12
    assert max(ImageStat.Stat(difference).mean) < 1


@pytest.mark.parametrize("size", [(8001, 10), (10, 8001), (5001, 5000), (13_300, 13_300), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(size):
    with pytest.raises(RejectedImageError, match="25 megapixels and 8,000 pixels a side; this one has"):
        render(png_header(*size), PNG)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(kind):
    frames = [make_image(color=color) for color in ("red", "green", "blue")]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])

    with pytest.raises(RejectedImageError, match="only still photos"):
        render(data, PNG if kind == "PNG" else WEBP)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM", "TGA"])
def test_a_format_that_is_not_on_the_list_is_refused(kind):
    with pytest.raises(RejectedImageError, match="is not a JPEG, PNG or WebP image"):
        render(encode(make_image(), kind))


@pytest.mark.parametrize(
    "data", [b"", b"x", b"<svg onload='alert(1)'/>", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF"]
)
def test_what_is_no_image_is_refused(data):
    with pytest.raises(RejectedImageError):
        render(data)


@pytest.mark.parametrize(("kind", "content_type"), [("JPEG", PNG), ("PNG", WEBP), ("WEBP", JPEG)])
def test_an_image_that_lies_about_its_type_is_refused(kind, content_type):
    with pytest.raises(RejectedImageError, match=f"announced as {content_type}"):
        render(encode(make_image(), kind), content_type)


@pytest.mark.parametrize(("kind", "content_type"), [("JPEG", JPEG), ("PNG", PNG), ("WEBP", WEBP)])
def test_damage_anywhere_is_rendered_or_refused_and_nothing_else(kind, content_type):
    data, random_ = encode(Image.effect_noise((64, 48), 60), kind), random.Random(7)
    refused = count()

    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(random_.randint(1, 8)):
            damaged[random_.randrange(len(damaged))] = random_.randrange(256)
        try:
            render(bytes(damaged[: random_.randint(1, len(damaged))]), content_type)
        except RejectedImageError:
            next(refused)

    assert next(refused) > 30
