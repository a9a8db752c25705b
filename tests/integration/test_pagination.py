"""Pages by cursor hold every row once; a cursor that was not handed out is the client's fault."""

import pytest
from django.core.exceptions import BadRequest
from hypothesis import given
from hypothesis import strategies as st

from lambda_app.apps.feed.models import Post
from serverless_django.pagination import InvalidCursorError, decode_cursor, encode_cursor, read_page
from tests.integration.feed.conftest import make_post


def pages_of(rows, limit):
    cursor = None
    while True:
        page = read_page(rows, cursor=cursor, limit=limit)
        yield page.rows
        if (cursor := page.next_cursor) is None:
            return


@pytest.mark.django_db
@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 4), (2, [2, 2]), (3, [3, 1]), (4, [4]), (5, [4])])
def test_every_row_is_on_one_page_newest_first(limit, sizes):
    posts = [make_post(author) for author in ("ada", "bob", "eve", "kay")]

    pages = list(pages_of(Post.objects.all(), limit))

    assert [len(page) for page in pages] == sizes
    assert [post for page in pages for post in page] == posts[::-1]


@pytest.mark.django_db
def test_rows_may_be_dictionaries_of_values():
    posts = [make_post(author) for author in ("ada", "bob", "eve")]

    pages = list(pages_of(Post.objects.values("id", "caption"), 2))

    assert [row["id"] for page in pages for row in page] == [post.id for post in reversed(posts)]


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_a_cursor_of_an_integer_leads_back_to_it(number):
    cursor = encode_cursor(number)

    assert len(cursor) == 11
    assert decode_cursor(cursor, int) == number


@given(st.text(max_size=30))
def test_any_other_text_is_refused_and_never_a_fault_of_the_server(text):
    try:
        number = decode_cursor(text, int)
    except InvalidCursorError:
        return
    assert encode_cursor(number) == text


def test_django_answers_a_bad_cursor_with_400():
    assert issubclass(InvalidCursorError, BadRequest)
