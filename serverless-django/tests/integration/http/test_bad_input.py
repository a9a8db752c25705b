"""A value of the request that Python or PostgreSQL refuses is 400; a fault of the server stays 500."""

import json
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.http.stock import SERVER_FAULTS, Item

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.integration.http.stock")]

HUGE = str(10**30)
SURROGATE = '"\\ud800"'

QUERIES = {
    "NUL in a search": ("/search", {"q": "a\0b"}),
    "NUL alone in a search": ("/search", {"q": "\0"}),
    "NUL in a path": (f"/named/{quote('a\0b')}", {}),
    "a huge count": ("/listed", {"count": HUGE}),
    "a count beyond 64 bits": ("/listed", {"count": str(2**63)}),
    "5,000 digits": ("/listed", {"count": "9" * 5_000}),
    "5,000 digits with underscores": ("/listed", {"count": "9_9" * 2_500}),
    "a huge year": ("/of-year", {"year": HUGE}),
    "the year 10000": ("/of-year", {"year": "10000"}),
    "a negative year": ("/of-year", {"year": "-1"}),
    "a huge number in SQL": ("/by-sql", {"id": HUGE}),
    "no number in SQL": ("/by-sql", {"id": "abc"}),
    "NUL in SQL": ("/by-sql", {"id": "1\0"}),
    "no JSON in a parameter": ("/filter", {"filter": "{'name': 1}"}),
    "deep JSON in a parameter": ("/filter", {"filter": "[" * 100_000}),
    "NUL in JSON in a parameter": ("/filter", {"filter": '{"name": "a\\u0000b"}'}),
    "NUL in the name of a file": ("/file", {"name": "a\0b"}),
}
FORMS = {
    "NUL in a name": {"name": "a\0b"},
    "NUL in a note": {"note": "\0"},
    "a name that is too long": {"name": "x" * 21},
    "beyond 16 bits": {"small": "40000"},
    "below 16 bits": {"small": "-40000"},
    "beyond 32 bits": {"amount": str(2**31)},
    "below 32 bits": {"amount": str(-(2**31) - 1)},
    "beyond 64 bits": {"big": str(2**63)},
    "a huge number": {"big": HUGE},
    "a number with underscores": {"amount": "3_000_000_000"},
    "a number with white space": {"amount": f" +{HUGE} "},
    "too many digits for a price": {"price": "1000"},
    "a price of rounding": {"price": "999.999"},
    "a huge price": {"price": "1e100"},
    "a price beyond all exponents": {"price": "1e999999"},
}
BODIES = {
    "a half": b'{"name": ',
    "single quotes": b"{'name': 'a'}",
    "a word": b"name",
    "bytes that are no UTF-8": b'{"name": "\xff"}',
    "bytes that are no UTF-16": b"\xff\xfe\x00\xd8",
    "100,000 brackets": b"[" * 100_000,
    "5,000 digits": b'{"amount": %s}' % (b"9" * 5_000),
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "half a pair in a text": b'{"note": "a\\udfffb"}',
    "NUL": b'{"name": "a\\u0000b"}',
    "beyond 32 bits": b'{"amount": 2147483648}',
    "beyond 64 bits": b'{"big": -9223372036854775809}',
    "a float beyond 32 bits": b'{"amount": 3e9}',
    "Infinity for a number": b'{"amount": Infinity}',
    "NaN within JSON": b'{"data": {"a": NaN}}',
    "-Infinity within JSON": b'{"data": [[-Infinity]]}',
    "NUL within JSON": b'{"data": {"a": ["\\u0000"]}}',
    "NUL in a key of JSON": b'{"data": {"\\u0000": 1}}',
    "half a pair within JSON": b'{"data": "\\ud800"}',
    "a text that is too long": b'{"name": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}',
    "NUL in a tag": b'{"tags": ["a", "\\u0000"]}',
}


@pytest.fixture(scope="module", autouse=True)
def _table(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Item)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Item)


@pytest.fixture(autouse=True)
def _empty(db):
    Item.objects.all().delete()


@pytest.fixture
def client():
    """Return a client that is answered 500, as phones are, where the test client would raise."""
    return Client(raise_request_exception=False)


def answer(response):
    assert response.headers["Content-Type"] == "application/problem+json", response.content
    return response.status_code


@pytest.mark.parametrize("name", QUERIES)
def test_a_bad_parameter_is_the_clients_fault(client, name):
    path, query = QUERIES[name]

    assert answer(client.get(f"{path}?{urlencode(query)}")) == 400


@pytest.mark.parametrize("name", FORMS)
def test_a_bad_field_of_a_form_is_the_clients_fault(client, name):
    assert answer(client.post("/create", FORMS[name])) == 400
    assert Item.objects.count() == 0


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_the_clients_fault(client, name):
    assert answer(client.post("/create-from-json", BODIES[name], content_type="application/json")) == 400
    assert Item.objects.count() == 0


@pytest.mark.parametrize("body", [b"[1, NaN]", b'"\\u0000"', b'{"a": "\\ud800"}', b"{"])
def test_bad_json_that_is_kept_whole_is_the_clients_fault(client, body):
    assert answer(client.post("/keep-json", body, content_type="application/json")) == 400


@pytest.mark.parametrize("fields", [{"name": "\0"}, {"amount": 2**31}, {"big": 10**30}, {"name": "x" * 30}])
def test_one_bad_row_among_many_is_the_clients_fault(client, fields):
    rows = [{"name": "a", "amount": 1}] * 50 + [fields]

    assert answer(client.post("/create-many", {"items": rows}, content_type="application/json")) == 400


def test_announced_json_that_is_missing_is_the_clients_fault(client):
    assert answer(client.post("/keep-json", CONTENT_TYPE="application/json")) == 400


HOSTILE = {
    "nothing odd": {"n": "1"},
    "a NUL": {"n": "1", "q": "a\0b"},
    "a huge number": {"n": "1", "q": HUGE, "r": str(2**31)},
    "a long text": {"n": "1", "q": "x" * 300},
    "broken JSON": {"n": "1", "broken": "{'b': 1}"},
    "an empty text": {"n": "1", "q": ""},
    "a word": {"n": "1", "q": "abc"},
    "many digits": {"n": "1", "q": "9" * 4_999},
    "brackets": {"n": "1", "q": "[" * 5_000},
    "NaN": {"n": "1", "q": "nan", "r": "Infinity"},
}


@pytest.mark.parametrize("query", HOSTILE)
@pytest.mark.parametrize("view", [view.__name__ for view in SERVER_FAULTS])
@pytest.mark.daily(20)
def test_a_fault_of_the_server_stays_one_whatever_the_request_holds(client, view, query):
    if (view, query) == ("own_nul", "a NUL"):
        pytest.skip("the view stores what the client has sent")

    assert answer(client.post(f"/fault/{view}?{urlencode(HOSTILE[query])}", HOSTILE[query])) == 500


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": "\\u0000"}', b"[1e999, NaN]", b"\xff"])
@pytest.mark.parametrize("view", [view.__name__ for view in SERVER_FAULTS])
@pytest.mark.daily(10)
def test_a_fault_of_the_server_stays_one_whatever_the_body_is(client, view, body):
    assert answer(client.post(f"/fault/{view}", body, content_type="application/octet-stream")) == 500


@pytest.mark.parametrize("n", [2**31 // 10 + 1, 2**31 - 1])
def test_a_number_that_fits_and_whose_product_does_not_is_the_servers_fault(client, n):
    assert answer(client.get(f"/fault/overflow_of_a_column?n={n}")) == 500


def test_the_refusal_is_logged_with_its_place_and_says_nothing_of_it(client, caplog):
    response = client.get("/search?q=%00")

    [record] = [record for record in caplog.records if record.name.endswith("http.problems")]
    assert (record.levelname, record.exc_info[1] is not None) == ("WARNING", True)
    assert set(response.json()) == {"type", "title", "status", "request_id", "detail"}
    assert "stock" not in response.text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
def test_no_json_is_the_servers_fault(client, value):
    assert client.post("/keep-json", json.dumps({"a": value}), content_type="application/json").status_code in (
        200,
        400,
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    column=st.sampled_from(["small", "amount", "big"]),
    number=st.integers() | st.integers(-(2**70), 2**70) | st.sampled_from([2**15, 2**31, 2**63, -(2**15) - 1]),
)
def test_an_integer_is_stored_or_refused(client, column, number):
    limit = {"small": 2**15, "amount": 2**31 // 10, "big": 2**63}[column]
    if column == "amount" and limit <= abs(number) <= 2**31:
        return

    stored = client.post("/create", {column: str(number)}).status_code

    assert stored == (200 if -limit <= number < limit else 400)
