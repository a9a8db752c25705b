"""What the cache stores comes back equal, type for type; what is no data is refused, with the way out."""

import collections
import datetime as dt
import enum
import pickle
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.http import HttpResponse, JsonResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.caching.serializer import (
    KINDS,
    UncacheableValueError,
    UnreadableValueError,
    decode,
    encode,
)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(2**80), 2**80), st.floats(allow_nan=False), st.text(),
    st.binary(), st.decimals(allow_nan=False), st.datetimes(), st.datetimes(timezones=st.timezones()),
    st.dates(), st.times(), st.timedeltas(), st.uuids(), st.text().map(mark_safe),
)  # fmt: skip
hashables = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner).map(tuple), st.frozensets(inner)), max_leaves=5
)
values = st.recursive(
    hashables,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(st.text(), inner),
        st.dictionaries(hashables, inner),
        st.sets(hashables),
    ),
    max_leaves=20,
)


def shape(value):
    """Return the types of `value` and of all in it."""
    if isinstance(value, dict):
        return dict, tuple((shape(key), shape(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(map(shape, value))
    if isinstance(value, set | frozenset):
        return type(value), frozenset(map(shape, value))
    if isinstance(value, dt.datetime | dt.time):
        return type(value), value.replace(tzinfo=None, fold=0), str(value.tzinfo)
    return type(value), repr(value)


@given(values)
def test_whatever_is_cached_is_read_back_equal_in_value_and_type(value):
    found = decode(encode(value))

    assert found == value
    assert shape(found) == shape(value)


def test_a_moment_that_the_clocks_left_out_is_no_other_after_it_was_cached():
    moment = dt.datetime(1939, 9, 1, 2, 0, tzinfo=ZoneInfo("Africa/Accra"))

    assert decode(encode(moment)) == moment


def test_a_moment_keeps_its_time_zone_and_its_side_of_a_change_of_the_clocks():
    moment = dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)

    found = decode(encode(moment))

    assert (found.isoformat(), found.tzinfo, found.fold) == ("2026-10-25T02:30:00+01:00", moment.tzinfo, 1)


def test_a_whole_number_is_stored_as_the_digits_with_which_the_server_counts():
    assert (encode(0), encode(-17), encode(2**63 - 1)) == (b"0", b"-17", b"9223372036854775807")
    assert encode(True) != encode(1)


def test_not_a_number_is_a_number_that_can_be_cached():
    assert str(decode(encode(float("nan")))) == "nan"
    assert str(decode(encode(Decimal("sNaN")))) == "sNaN"


def test_a_response_of_a_page_is_kept_with_its_headers_and_cookies():
    response = JsonResponse({"a": 1}, status=203, reason="As it were")
    response.set_cookie("seen", "yes, twice", max_age=60, httponly=True)
    response["Vary"] = "Accept"

    found = decode(encode(response))

    assert type(found) is HttpResponse
    assert (found.status_code, found.reason_phrase, found.content) == (203, "As it were", b'{"a": 1}')
    assert found.headers == {"Content-Type": "application/json", "Vary": "Accept"}
    assert found.cookies.output() == response.cookies.output()


def test_a_response_without_a_type_gets_none():
    response = HttpResponse(status=204)
    del response["Content-Type"]

    assert dict(decode(encode(response)).headers) == {}


class Colour(enum.Enum):
    RED = "red"


class Name(str):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")


class Thing:
    """An object with a state, which pickle would have kept."""


@pytest.mark.parametrize(
    ("value", "fact", "way_out"),
    [
        (Group(), r"a model instance \(Group\)", "cache its pk, or a dict of the fields"),
        (Group.objects.all(), "a queryset of Group", r"cache list\(queryset.values\(...\)\)"),
        (Colour.RED, "a member of Colour", "cache its .value"),
        (Name("x"), "more than a str", r"cache str\(...\)"),
        (Point(1, 2), "more than a tuple", r"cache tuple\(...\)"),
        (collections.OrderedDict(a=1), "more than a dict", r"cache dict\(...\)"),
        (collections.Counter("ab"), "more than a dict", r"cache dict\(...\)"),
        (bytearray(b"x"), "bytearray cannot be cached", "convert it to one of None, .*bytes"),
        (Thing(), "Thing cannot be cached", "convert it"),
        (Thing, "type cannot be cached", "convert it"),
        (len, "builtin_function_or_method cannot be cached", "convert it"),
        (gettext_lazy("hello"), "cannot be cached", "convert it to one of None, .*str"),
        (1j, "complex cannot be cached", "convert it"),
        ("\udc00", "text with a lone surrogate cannot be cached", "replace it"),
    ],
    ids=lambda item: item if isinstance(item, str) and item.isascii() else None,
)
@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: [1, {"a": (it,)}]], ids=["alone", "within"])
def test_what_is_no_data_is_refused_with_the_way_out(value, fact, way_out, wrap):
    with pytest.raises(UncacheableValueError, match=f"{fact}.*{way_out}"):
        encode(wrap(value))


def test_a_value_that_contains_itself_is_refused():
    endless = []
    endless.append(endless)

    with pytest.raises(UncacheableValueError, match="contains itself"):
        encode(endless)


@pytest.mark.parametrize("value", [{"a": 1}, "text", [1, 2], None, 2**70, b"bytes", UUID(int=7)], ids=str)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_an_older_release_is_unreadable(value, protocol):
    with pytest.raises(UnreadableValueError):
        decode(pickle.dumps(value, protocol))


@given(st.one_of(st.binary(), st.binary().map(lambda data: b"\x01" + data)))
def test_bytes_from_elsewhere_are_read_as_data_or_not_at_all(stored):
    try:
        decode(stored)
    except UnreadableValueError:
        return


@pytest.mark.parametrize(
    "stored",
    [b"", b" 1", b"1_0", b"+1", b"1" * 5_000, b"\x02\x90", b"\x01", b"\x01\xc7\x01\x63\xc0", b"\x01\x90\x90",
     b"\x01" + b"\x91" * 100_000, b"\x01\xdd\xff\xff\xff\xff", b"\x01\xc6\xff\xff\xff\xff"],
    ids=lambda stored: repr(stored[:12]),
)  # fmt: skip
def test_what_is_not_of_this_format_is_unreadable(stored):
    with pytest.raises(UnreadableValueError):
        decode(stored)


def test_the_codes_of_stored_kinds_never_change():
    """What a release has stored the next one reads: add a code, never give one another meaning."""
    assert {code: kind.type for code, kind in KINDS.items()} == {
        1: int, 2: dict, 3: tuple, 4: set, 5: frozenset, 6: Decimal, 7: dt.datetime, 8: dt.date, 9: dt.time,
        10: dt.timedelta, 11: UUID, 12: SafeString, 13: HttpResponse,
    }  # fmt: skip
    assert decode(bytes.fromhex("01c7040393010203")) == (1, 2, 3)
