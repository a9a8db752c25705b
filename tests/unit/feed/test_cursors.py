import string
from uuid import UUID, uuid4

import pytest

from lambda_app.apps.feed.identifiers import new_id
from serverless_django.pagination import InvalidCursorError, decode_cursor, encode_cursor


def test_a_cursor_leads_back_to_its_id():
    last_id = new_id()

    assert decode_cursor(encode_cursor(last_id), UUID) == last_id


def test_ids_are_in_the_order_of_their_making():
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "=", "é" * 22, "A" * 22, "A" * 10_000, encode_cursor(uuid4()), "\x00" * 22],
    ids=["empty", "letter", "padding", "accents", "zeros", "long", "random id", "null bytes"],
)
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(InvalidCursorError, match="not a cursor of this API"):
        decode_cursor(cursor, UUID)


def test_no_two_cursors_mean_the_same_place():
    cursor = encode_cursor(UUID("01999999-9999-7999-8999-999999999999"))
    readable = []

    for last in string.ascii_letters + string.digits + "-_":
        try:
            decode_cursor(cursor[:-1] + last, UUID)
            readable.append(cursor[:-1] + last)
        except InvalidCursorError:
            continue

    assert cursor in readable
    assert len({decode_cursor(each, UUID) for each in readable}) == len(readable) == 4
