"""S3 tells of an object in three ways, and the keys of each are decoded exactly once."""

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.s3.events import CreatedObject, InvalidObjectEventError, read_objects

KEY = "pictures/019ab000-0000-7000-8000-00000000000d"


def notification(key="pictures/a", **fields):
    entity = {"key": key, "eTag": "e", "sequencer": "0A"} | fields.pop("object", {})
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-23T07:30:05.766Z",
        "s3": {"bucket": {"name": "uploads"}, "object": entity},
    }
    return {"Records": [record | fields]}


def eventbridge(key="pictures/a", **fields):
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-11-23T07:30:05Z",
        "detail": {"bucket": {"name": "uploads"}, "object": {"key": key, "etag": "e", "sequencer": "0A"}},
    } | fields


@pytest.mark.parametrize("name", ["s3/native", "s3/eventbridge"])
def test_a_sample_tells_of_its_object(event, name):
    (created,) = read_objects(event(name))

    assert (created.bucket, created.key, created.sequencer) == ("uploads", KEY, "0055AED6DCD90281E5")


def test_both_ways_tell_the_same_of_an_object():
    (native,), (bridged,) = read_objects(notification()), read_objects(eventbridge())

    assert (native.key, native.version, native.sequencer) == (bridged.key, bridged.version, bridged.sequencer)
    assert isinstance(native, CreatedObject)


keys = st.text(st.characters(codec="utf-8"), min_size=1)


@given(keys)
def test_a_native_key_is_decoded_once(key):
    assert [created.key for created in read_objects(notification(quote_plus(key)))] == [key]


@given(keys)
def test_a_key_from_eventbridge_is_taken_as_it_is(key):
    assert [created.key for created in read_objects(eventbridge(key))] == [key]


@pytest.mark.parametrize(("key", "decoded"), [("a+b%2Bc", "a b+c"), ("a%2520b", "a%20b"), ("%C3%A9", "é")])
def test_quoting_is_that_of_a_form(key, decoded):
    assert [created.key for created in read_objects(notification(key))] == [decoded]


def test_the_version_is_preferred_to_the_etag():
    (created,) = read_objects(notification(object={"versionId": "v7"}))

    assert created.version == "id:v7"


def test_without_versions_the_etag_tells_one_from_another():
    (created,) = read_objects(notification())

    assert created.version == "etag:e"


@pytest.mark.parametrize(
    "event",
    [
        notification(eventName="ObjectRemoved:Delete"),
        eventbridge(**{"detail-type": "Object Deleted"}),
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"},
    ],
)
def test_other_events_of_s3_announce_no_object(event):
    assert list(read_objects(event)) == []


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        {},
        {"Records": None},
        {"Records": [{}]},
        {"Records": [{"eventSource": "aws:sns"}]},
        {"source": "aws.s3"},
        eventbridge(detail=None),
        eventbridge(key=None),
        eventbridge(time=None),
        notification(eventTime=1)["Records"],
        notification(s3={}),
        notification(None),
        notification("%FF"),
    ],
    ids=json.dumps,
)
def test_what_is_not_s3s_is_refused(event):
    with pytest.raises(InvalidObjectEventError, match="not an event of S3"):
        raise next(read_objects(event))


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_a_record_that_cannot_be_read_hides_no_other(are_good):
    good, bad = notification()["Records"][0], {"eventSource": "aws:s3", "s3": None}

    found = list(read_objects({"Records": [good if is_good else bad for is_good in are_good]}))

    assert [isinstance(item, CreatedObject) for item in found] == are_good
