"""A stranger asks the probes, which need no token, as often and in as many ways as they can think of."""

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.test.utils import CaptureQueriesContext

from serverless_django.http import health
from serverless_django.http.adapter import LambdaAdapter

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 50


@pytest.fixture
def ask(event, lambda_context, monkeypatch):
    monkeypatch.setattr(health, "_readiness", health.Readiness())
    respond = LambdaAdapter(ASGIHandler())

    def ask(method="GET", path="/readyz", query="", **headers):
        sent = event("api_gateway/healthz")
        http = sent["requestContext"]["http"] | {"method": method, "path": path}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return respond(
            sent | {"rawPath": path, "rawQueryString": query, "headers": sent["headers"] | named}
            | {"requestContext": sent["requestContext"] | {"http": http}},
            lambda_context,
        )["statusCode"]  # fmt: skip

    return ask


@pytest.fixture
def statements():
    with CaptureQueriesContext(connection) as queries:
        yield queries


@pytest.mark.parametrize(
    "ways",
    [
        [{}],
        [{"method": "HEAD"}, {"method": "GET"}],
        [{"query": f"n={n}"} for n in range(TIMES)],
        [{"cache_control": "no-cache", "pragma": "no-cache"}],
        [{"if_none_match": f'"{n}"'} for n in range(TIMES)],
        [{"x_forwarded_for": f"192.0.2.{n}"} for n in range(TIMES)],
        [{"authorization": f"Bearer {n}"} for n in range(TIMES)],
        [{"origin": f"https://{n}.example"} for n in range(TIMES)],
        [{"idempotency_key": f"key-{n}"} for n in range(TIMES)],
    ],
    ids=["plain", "HEAD and GET", "queries", "no cache", "ETags", "addresses", "tokens", "origins", "keys"],
)
def test_a_flood_of_probes_costs_the_database_one_question(ask, statements, ways):
    answers = {ask(**ways[n % len(ways)]) for n in range(TIMES)}

    assert answers == {200}
    assert [query["sql"] for query in statements if "SELECT 1" in query["sql"]] == ["SELECT 1"]
    assert len(statements) <= 1


@pytest.mark.parametrize("path", ["/readyz/", "//readyz", "/readyz%00", "/READYZ", "/v1/../readyz", "/readyz;a=b"])
def test_a_path_beside_the_probe_asks_the_database_nothing(ask, statements, path):
    assert {ask(path=path) for _ in range(TIMES)} <= {400, 401, 404}
    assert len(statements) == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_probe_is_no_way_to_write(ask, statements, method):
    assert {ask(method, idempotency_key=f"key-{n}") for n in range(TIMES)} == {405}
    assert len(statements) == 0


def test_the_other_probe_asks_nothing_at_all(ask, statements):
    assert {ask(path="/healthz") for _ in range(TIMES)} == {200}
    assert len(statements) == 0
