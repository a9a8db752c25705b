import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from lambda_app.apps.feed.api import api
from lambda_app.apps.feed.models import Post
from tests.integration.feed.conftest import make_member, make_photo

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "api.md"

OPERATIONS = {
    (method.upper(), path) for path, methods in api.get_openapi_schema()["paths"].items() for method in methods
}
PUBLIC = {("GET", "/v1/shared/{post_id}")}


def test_the_openapi_document_needs_no_token(client):
    document = client.get("/v1/openapi.json").json()

    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) == {path for _, path in OPERATIONS}


def test_every_operation_asks_for_a_token_and_describes_its_problems():
    operations = [each for path in api.get_openapi_schema()["paths"].values() for each in path.values()]

    public = [each["operationId"] for each in operations if each.get("security") != [{"BearerToken": []}]]
    assert public == ["read_shared_post"]
    assert all("application/problem+json" in each["responses"]["4XX"]["content"] for each in operations)
    assert len({each["operationId"] for each in operations}) == len(operations)


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS - PUBLIC))
def test_no_operation_answers_without_claims(client, method, path):
    response = client.generic(method, re.sub(r"{\w+}", "x", path), "{}", content_type="application/json")

    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_the_document_says_which_characters_a_text_may_hold():
    fields = [
        (name, field)
        for schema in api.get_openapi_schema()["components"]["schemas"].values()
        if schema.get("additionalProperties") is False
        for name, field in schema["properties"].items()
        if field.get("type") == "string" and not {"enum", "const", "format"} & field.keys()
    ]

    assert [name for name, _ in fields] == ["caption"]
    assert [bool(re.search(fields[0][1]["pattern"], text)) for text in ("", "a\nb", "\N{PILE OF POO}")] == [True] * 3
    assert [bool(re.search(fields[0][1]["pattern"], text)) for text in ("\0", "a\0", "\0b")] == [False] * 3


READS = sorted(path for method, path in OPERATIONS if method == "GET")


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*READS, "/v1/openapi.json", "/v1/docs", "/v1/docs/swagger-ui.css"])
def test_head_works_where_get_does(ada, path):
    photo = make_photo(make_member("ada"), is_posted=True)
    post = Post.objects.create(author=photo.owner, photo=photo)
    path = path.format(post_id=post.id, photo_id=photo.id, handle="ada")

    get, head = ada.get(path), ada.head(path)

    assert (get.status_code, head.status_code) == (200, 200)
    assert {**head.headers, "X-Request-Id": ""} == {**get.headers, "X-Request-Id": ""}


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted({path for _, path in OPERATIONS} - set(READS)))
def test_head_is_refused_where_get_is(ada, path):
    response = ada.head(re.sub(r"{\w+}", str(uuid4()), path))

    assert response.status_code == 405


def test_the_reference_lists_every_operation():
    documented = re.findall(r"^\| `([A-Z]+) (/v1/[^ `]*)`", REFERENCE.read_text(), re.MULTILINE)

    assert len(documented) == len(set(documented))
    assert set(documented) == OPERATIONS


def test_the_reference_names_every_success_status():
    text, paths = REFERENCE.read_text(), api.get_openapi_schema()["paths"]

    for method, path in OPERATIONS:
        (statuses,) = re.findall(rf"^\| `{method} {re.escape(path)}` \| ([\d, ]+) \|", text, re.MULTILINE)
        declared = paths[path][method.lower()]["responses"].keys() - {"400", "401", "4XX"}
        assert set(statuses.replace(" ", "").split(",")) == {str(status) for status in declared}


def test_the_docs_page_loads_everything_from_here(client):
    response = client.get("/v1/docs")

    addresses = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert len(addresses) == 4
    assert all(address.startswith("/v1/docs/") for address in addresses)
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert json.loads(re.findall(r"swagger-settings\">(.*)</script>", response.text)[0])["url"] == "/v1/openapi.json"


def test_every_asset_of_the_docs_page_is_kept_for_a_year_and_not_sniffed(client):
    for address in re.findall(r'(?:src|href)="([^"]+)"', client.get("/v1/docs").text):
        response = client.get(address)

        assert response.status_code == 200
        assert len(response.content) > 500
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "v=" in address


@pytest.mark.parametrize("name", ["x", "redoc.standalone.js", "..", "%2e%2e%2f%2e%2e%2fmain.py", "swagger-ui.css%00"])
def test_no_other_file_is_served(client, name):
    assert client.get(f"/v1/docs/{name}").status_code == 404


def test_a_method_that_is_not_there_says_which_are(client):
    response = client.post("/v1/feed")

    assert (response.status_code, response.headers["Allow"]) == (405, "GET")


def test_a_claim_cannot_be_forged_by_a_header(db):
    client = Client(headers={"tests.claims": '{"sub": "x"}', "claims": "x", "x-claims": "x"})

    assert client.get("/v1/feed").status_code == 401
