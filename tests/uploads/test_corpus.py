"""Every hostile file is refused with its reason or rendered clean, within the memory of its environment."""

from io import BytesIO

import pytest
from PIL import Image

from tests.uploads.corpus import HIDDEN, SAMPLES, SCRIPT, SECRET
from tests.uploads.measured import measuring

MAX_PEAK_MB = 400
"""Of the 1,024 that the function has: what Lambda itself and a busy allocator take is not counted here."""

MAX_SECONDS = 15
"""A quarter of what a batch may run, on a machine that is busy with other tests."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    with measuring(tmp_path_factory.mktemp("corpus")) as environment:
        yield environment


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
@pytest.mark.daily(20)
def test_it_is_refused_with_its_reason_or_rendered_within_bounds(sample, environment):
    measured = environment.render(sample)

    assert sample.reason in measured.reason
    assert bool(measured.renditions) is not bool(measured.reason)
    assert bool(measured.renditions) is not bool(sample.reason)
    assert measured.peak_mb <= MAX_PEAK_MB
    assert measured.seconds <= MAX_SECONDS


@pytest.mark.parametrize("sample", HIDDEN, ids=str)
def test_nothing_that_hides_in_a_file_comes_out_of_it(sample, environment):
    renditions = environment.render(sample).renditions

    assert renditions
    for data in renditions:
        assert not [word for word in (SECRET, SCRIPT, b"script", b"PK\x03\x04", b"EXIF", b"XMP ") if word in data]
        assert not Image.open(BytesIO(data)).getexif()


def test_the_memory_of_a_picture_is_seen(environment):
    """The bound above means something: 25 million pixels of four bytes are in what is measured."""
    (sample,) = (sample for sample in SAMPLES if sample.name == "png-25-mp-with-alpha")

    assert environment.render(sample).peak_mb - environment.idle_mb > 95
