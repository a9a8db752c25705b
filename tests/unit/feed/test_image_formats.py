"""Each file has one reading: in any order of its parts, damaged anywhere, it is what Pillow sees, or is refused."""

import struct
import warnings
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from lambda_app.apps.feed import rendering
from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.image_formats import JPEG, PNG, WEBP, read_picture
from tests.uploads import corpus, parts

SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90))
EXAMPLES = settings(max_examples=300)


def size_by_pillow(data):
    """Return what Pillow, which reads the file as it came, says of its size, or None if it cannot read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as image:
                return image.size
        except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, OSError, struct.error):
            return None


def sizes_by_us(data, content_type):
    """Return the size that was checked and that of what was rendered, or None if the file is refused."""
    try:
        picture = read_picture(data, content_type=content_type)
        rendered = rendering.render(data, content_type=content_type)
    except RejectedImageError:
        return None
    return (picture.width, picture.height), (rendered.width, rendered.height)


def check_one_reading(data, content_type):
    ours, pillows = sizes_by_us(data, content_type), size_by_pillow(data)
    # With broken metadata Pillow may see nothing at all, and orientation may turn the sides.
    assert ours is None or len({tuple(sorted(size)) for size in (*ours, pillows or ours[0])}) == 1


@st.composite
def jpegs(draw):
    """A JPEG with anything between its segments, sizes among them."""
    if draw(st.booleans()):
        jpeg = corpus.jpeg_of_a_jump(draw(SIZES), (64, 48))
    else:
        jpeg = parts.encode(parts.picture(draw(SIZES)), "JPEG", progressive=draw(st.booleans()))
    extras = st.one_of(
        SIZES.map(lambda size: parts.frame_header(*size)),
        st.binary(max_size=20).map(lambda content: parts.jpeg_segment(0xE1, b"Exif\0\0" + content)),
        st.tuples(st.integers(1, 255), SIZES).map(
            lambda pair: parts.jpeg_segment(pair[0], parts.frame_header(*pair[1]))
        ),
        st.binary(max_size=9).map(lambda content: b"\xff\0" + content),
        st.tuples(st.integers(0, 255), st.binary(max_size=20)).map(lambda pair: parts.jpeg_segment(*pair)),
        st.binary(max_size=6),
    )
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from([2, 20, jpeg.index(b"\xff\xdb"), jpeg.index(b"\xff\xda"), len(jpeg)]))
        jpeg = jpeg[:place] + draw(extras) + jpeg[place:]
    return jpeg


@st.composite
def pngs(draw):
    """A PNG with other chunks before, between and behind its own, sizes among them, and with wrong checksums."""
    size = draw(SIZES)
    names = st.sampled_from([b"tEXt", b"eXIf", b"iCCP", b"acTL", b"fcTL", b"tRNS", b"PLTE", b"gAMA", b"ABCD", b"a"])
    extras = st.one_of(
        st.tuples(names, st.binary(max_size=40), st.sampled_from([None, 1])).map(
            lambda extra: parts.png_chunk(extra[0], extra[1], checksum=extra[2])
        ),
        SIZES.map(lambda size: parts.png_header(*size)),
    )
    pixels = parts.png_chunk(b"IDAT", parts.deflated_zeros((1 + size[0] * 4) * size[1]))
    chunks = [parts.png_header(*size), pixels, parts.png_chunk(b"IEND")]
    for _ in range(draw(st.integers(0, 3))):
        chunks.insert(draw(st.integers(0, len(chunks))), draw(extras))
    return parts.PNG_SIGNATURE + b"".join(chunks)


@st.composite
def webps(draw):
    """A WebP whose chunks come in any number and order, with a canvas of another size and a wrong length."""
    frames = st.tuples(SIZES, st.booleans()).map(lambda pair: parts.webp_frame(pair[0], lossless=pair[1]))
    canvases = st.tuples(SIZES, st.sampled_from([0, 2, 0x10, 0x3E])).map(
        lambda pair: parts.webp_canvas(*pair[0], flags=pair[1])
    )
    names = st.sampled_from([b"EXIF", b"XMP ", b"ICCP", b"ALPH", b"ANIM", b"ANMF", b"abcd"])
    other = st.tuples(names, st.binary(max_size=20)).map(lambda pair: parts.riff_chunk(*pair))
    chunks = [draw(frames)]
    for _ in range(draw(st.integers(0, 3))):
        chunks.insert(draw(st.integers(0, len(chunks))), draw(st.one_of(frames, canvases, other, other)))
    webp = parts.riff(*chunks)
    return draw(st.sampled_from([webp, webp[:-1], webp + b"behind", corpus.with_riff_size(webp, 2**31)]))


@EXAMPLES
@given(jpegs())
def test_a_jpeg_has_the_size_that_pillow_sees_or_is_refused(data):
    check_one_reading(data, JPEG)


@EXAMPLES
@given(pngs())
def test_a_png_has_the_size_that_pillow_sees_or_is_refused(data):
    check_one_reading(data, PNG)


@EXAMPLES
@given(webps())
def test_a_webp_has_the_size_that_pillow_sees_or_is_refused(data):
    check_one_reading(data, WEBP)


@pytest.mark.parametrize("sample", [s for s in corpus.SAMPLES if s not in corpus.GIANTS], ids=str)
def test_every_file_of_the_corpus_has_one_reading(sample):
    check_one_reading(sample.make(), sample.content_type)


@EXAMPLES
@given(
    st.sampled_from([(kind, f"image/{kind.lower()}") for kind in ("JPEG", "PNG", "WEBP")]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=5),
    st.floats(0.5, 1),
)
def test_bytes_changed_anywhere_change_no_size_unseen(format_, changes, kept):
    kind, content_type = format_
    data = bytearray(parts.encode(Image.effect_noise((64, 48), 60), kind))
    for place, change in changes:
        start = int(place * len(data))
        data[start : start + len(change)] = change
    check_one_reading(bytes(data[: int(kept * len(data))]), content_type)


@EXAMPLES
@given(
    st.sampled_from([JPEG, PNG, WEBP]),
    st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda tail: b"II*\0\x08\0\0\0" + tail)),
)
@example(PNG, b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06")
@example(JPEG, b"II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\x01\0\0\0\x08\0\0\0")
def test_no_exif_spoils_a_picture(content_type, exif):
    picture = parts.picture()
    data = {
        JPEG: lambda: parts.with_segments(
            parts.encode(picture, "JPEG"), [parts.jpeg_segment(0xE1, b"Exif\0\0" + exif)]
        ),
        PNG: lambda: corpus.encode_with(parts.png_chunk(b"eXIf", exif)),
        WEBP: lambda: parts.encode(picture, "WEBP", exif=exif),
    }[content_type]()

    assert rendering.render(data, content_type=content_type).images


@EXAMPLES
@given(st.sampled_from([JPEG, PNG, WEBP]), st.binary(max_size=400))
def test_no_colour_profile_spoils_a_picture(content_type, profile):
    kind = content_type.removeprefix("image/").upper()

    assert rendering.render(parts.encode(parts.picture(), kind, icc_profile=profile), content_type=content_type).images


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_decoder_is_handed_the_picture_alone(kind):
    """A marker string in every place that metadata has is in the file and not in what is decoded."""
    exif = Image.Exif()
    exif[0x010E] = corpus.SECRET.decode()
    data = parts.encode(parts.picture(), kind, exif=exif, xmp=corpus.SECRET, icc_profile=corpus.SECRET) + corpus.SECRET

    picture = read_picture(data, content_type=f"image/{kind.lower()}")

    assert corpus.SECRET in data
    assert corpus.SECRET not in picture.data
    assert corpus.SECRET in picture.exif
    assert corpus.SECRET in picture.profile


@pytest.mark.parametrize("profile", ["cmyk", "grey", "lab"])
def test_a_profile_of_other_colours_than_the_picture_has_is_ignored(profile):
    space = {"cmyk": b"CMYK", "grey": b"GRAY", "lab": b"Lab "}[profile]
    srgb = bytearray(rendering.ImageCms.ImageCmsProfile(rendering.SRGB).tobytes())
    srgb[16:20] = space

    assert rendering.render(parts.encode(parts.picture(), "JPEG", icc_profile=bytes(srgb)), content_type=JPEG).images
