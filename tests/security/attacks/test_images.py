"""Files that try to take a worker's memory or time, or to be taken for another picture than they are."""

import pytest

from lambda_app.apps.feed import rendering
from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.image_formats import picture as limits
from tests.uploads import corpus, parts
from tests.uploads.measured import measuring

GREEDY = [sample for sample in corpus.BESIDE if "gigabytes" in sample.name or "mb" in sample.name]
LITTLE_MB = 60
"""Less than a picture of 12,000 x 12,000 takes with one byte for each pixel."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    with measuring(tmp_path_factory.mktemp("images")) as environment:
        yield environment


@pytest.fixture
def no_checks(monkeypatch):
    """Let every size pass, as if a file had found a way around the checks."""
    monkeypatch.setattr(limits, "MAX_SIDE", 100_000)
    monkeypatch.setattr(limits, "MAX_PIXELS", dict.fromkeys(limits.MAX_PIXELS, 10**10))


@pytest.mark.parametrize("sample", corpus.AMBIGUOUS, ids=str)
def test_no_file_of_two_sizes_is_decoded_at_either(sample, environment):
    measured = environment.render(sample)

    assert (measured.renditions, measured.reason.startswith(corpus.DAMAGED)) == ((), True)
    assert measured.peak_mb - environment.idle_mb < LITTLE_MB


@pytest.mark.parametrize("sample", GREEDY, ids=str)
def test_no_metadata_takes_memory_in_place_of_the_picture(sample, environment):
    measured = environment.render(sample)

    assert measured.renditions
    assert measured.peak_mb - environment.idle_mb < LITTLE_MB


@pytest.mark.parametrize("sample", corpus.BOMBS, ids=str)
def test_no_bomb_is_decoded(sample, environment):
    assert environment.render(sample).renditions == ()
    assert environment.render(sample).peak_mb - environment.idle_mb < LITTLE_MB


@pytest.mark.parametrize(
    ("content_type", "make"),
    [
        (limits.PNG, lambda: parts.png(12_000, 12_000)),
        (limits.JPEG, lambda: parts.with_progressive_size(20_000, 20_000)),
        (limits.WEBP, lambda: parts.lossless_webp_header(16_383, 16_383)),
    ],
    ids=["png", "jpeg", "webp"],
)
def test_a_picture_that_passes_every_check_does_not_take_the_memory_of_the_worker(content_type, make, no_checks):
    with pytest.raises(RejectedImageError):
        rendering.render(make(), content_type=content_type)

    assert rendering.render(parts.encode(parts.picture(), "PNG"), content_type=limits.PNG).images


def test_a_picture_that_takes_too_much_memory_is_the_failure_of_that_photo_alone(no_checks):
    with pytest.raises(RejectedImageError, match="takes too much memory to decode"):
        rendering.render(parts.png(12_000, 12_000), content_type=limits.PNG)
