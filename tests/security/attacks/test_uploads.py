# ruff: noqa: F811 - fixtures of other tests
"""A member who uploads more than one permission allows, or keeps all workers busy with their photos."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import Photo
from lambda_app.apps.feed.services.renderings import MAX_AT_ONCE
from serverless_django.handlers.s3 import handler
from serverless_django.tasks.models import DeferredCall
from serverless_django.testing.threads import run_in_threads
from tests.integration.conftest import buckets, endpoint  # noqa: F401
from tests.integration.feed.conftest import (  # noqa: F401
    _platform,
    ada,
    client_of,
    key_of,
    make_image,
    make_member,
    make_photo,
    queue,
    upload,
)

pytestmark = pytest.mark.django_db

DATA = make_image(size=(8, 8))


@pytest.fixture
def ticket(ada, buckets):
    body = {"content_type": "image/jpeg", "size": len(DATA)}
    return ada.post("/v1/photos", body, content_type="application/json").json()


def send(ticket, data=DATA, method="PUT", **changes):
    """Send exactly these headers, which urllib would add to, and return the status."""
    address = urlsplit(ticket["url"])
    client = HTTPConnection(address.netloc, timeout=10)
    client.putrequest(method, f"{address.path}?{address.query}")
    for name, value in (ticket["headers"] | changes).items():
        if value is not None:
            client.putheader(name, value)
    client.endheaders(data)
    status = client.getresponse().status
    client.close()
    return status


def stored(ticket):
    with storages["uploads"].open(key_of(ticket["photo"]["id"])) as file:
        return file.read()


def pending_photos(handle, number):
    return [make_photo(make_member(handle), state=Photo.State.PENDING) for _ in range(number)]


def receive(photos):
    tasks.receive_uploads.call(uploads=[{"bucket": "uploads", "key": key_of(photo.id)} for photo in photos])


def test_one_permission_makes_one_object_however_often_it_is_used(ticket):
    assert [send(ticket) for _ in range(60)] == [200] + [412] * 59


def test_one_permission_used_at_the_same_moment_makes_one_object(ticket):
    statuses = []

    failures = run_in_threads(*[lambda: statuses.append(send(ticket)) for _ in range(8)])

    assert (failures, sorted(statuses)) == ([], [200] + [412] * 7)


def test_what_was_uploaded_is_not_replaced(ticket):
    send(ticket)

    assert (send(ticket, bytes(len(DATA))), stored(ticket)) == (412, DATA)


@pytest.mark.parametrize(
    "changes",
    [
        {"If-None-Match": None},
        {"If-None-Match": '"x"'},
        {"Content-Type": "text/html"},
        {"Content-Type": None},
        {"Content-Length": str(len(DATA) + 1)},
    ],
    ids=["unconditional", "another condition", "another type", "no type", "another length"],
)
def test_no_signed_header_is_changed_or_left_out(ticket, changes):
    data = DATA + b"x" if "Content-Length" in changes else DATA

    assert send(ticket, data, **changes) == 403
    assert not storages["uploads"].exists(key_of(ticket["photo"]["id"]))


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
def test_a_permission_to_upload_permits_nothing_else(ticket, method):
    assert send(ticket, method=method) == 403


def test_a_file_is_not_written_for_another_photo(ticket):
    [other] = pending_photos("bob", 1)

    assert send(ticket | {"url": ticket["url"].replace(ticket["photo"]["id"], str(other.id))}) == 403


@pytest.mark.parametrize("state", [Photo.State.READY, Photo.State.REJECTED])
def test_further_objects_of_a_settled_photo_take_one_statement_for_all(queue, state):
    photo = make_photo(make_member("ada"), state=state)
    receive([photo])

    with CaptureQueriesContext(connection) as statements:
        receive([photo] * 60)

    asked = [item["sql"] for item in statements if item["sql"].startswith(("SELECT", "UPDATE"))]
    # The others look up the key, for the test.
    assert len([sql for sql in asked if "FOR NO KEY UPDATE" in sql]) == 1
    assert len(asked) == 1 + 60
    assert queue.calls == []


@pytest.mark.django_db(transaction=True)
def test_sixty_events_of_one_photo_set_off_one_rendering(event, lambda_context, settings):
    settings.TASKS = {
        "default": {
            "BACKEND": "serverless_django.tasks.backend.SqsBackend",
            "QUEUES": ["default", "renderings"],
            "OPTIONS": {"queue_urls": {"renderings": "http://127.0.0.1:9/renderings"}},
        }
    }
    [photo] = pending_photos("ada", 1)
    [record] = event("s3/eventbridge_in_sqs")["Records"]
    body = record["body"].replace(event("s3/eventbridge")["detail"]["object"]["key"], key_of(photo.id))
    records = [
        record | {"messageId": str(number), "body": body.replace("0055AED6DCD9", f"0055AED6DC{number:02}")}
        for number in range(60)
    ]

    replies = [handler({"Records": records[start : start + 10]}, lambda_context) for start in range(0, 60, 10)]

    assert replies == [{"batchItemFailures": []}] * 6
    assert DeferredCall.objects.count() == 1


def test_one_member_does_not_keep_the_workers_from_another(queue):
    receive(pending_photos("ada", 60))
    receive(pending_photos("bob", 1))

    owners = [call.kwargs["key"].split("/")[1] for call in queue.calls]

    assert owners == [str(make_member("ada").id)] * MAX_AT_ONCE + [str(make_member("bob").id)]
