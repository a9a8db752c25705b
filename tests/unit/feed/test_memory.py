import resource

import pytest

from lambda_app.apps.feed import memory
from lambda_app.apps.feed.memory import limited_memory

MEGABYTE = 1024**2


def test_what_takes_more_than_allowed_is_a_memory_error_and_the_process_goes_on():
    with pytest.raises(MemoryError), limited_memory(100 * MEGABYTE):
        bytearray(200 * MEGABYTE)

    assert len(bytearray(200 * MEGABYTE)) == 200 * MEGABYTE


def test_what_takes_less_is_allowed():
    with limited_memory(200 * MEGABYTE):
        assert len(bytearray(100 * MEGABYTE)) == 100 * MEGABYTE


def test_an_inner_limit_does_not_raise_an_outer_one():
    with limited_memory(100 * MEGABYTE), limited_memory(400 * MEGABYTE), pytest.raises(MemoryError):
        bytearray(200 * MEGABYTE)


def test_the_limit_of_the_process_is_as_before():
    before = resource.getrlimit(resource.RLIMIT_AS)

    with pytest.raises(LookupError), limited_memory(100 * MEGABYTE):
        raise LookupError

    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_system_that_does_not_tell_its_memory_has_no_limit(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "USED_PAGES", tmp_path / "none")

    with limited_memory(1):
        assert len(bytearray(MEGABYTE)) == MEGABYTE
