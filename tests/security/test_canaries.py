"""No secret is said again: not in an answer, not in a log, not in what is deployed."""

import logging

import pytest

from tests.integration.feed.conftest import make_member
from tests.security.bad_inputs import bad_inputs
from tests.security.calls import call
from tests.security.canaries import CANARIES, hits_in, hits_in_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

CLAIMS = {"sub": "subject-of-ada", "preferred_username": "ada"}
HEADERS = {
    "authorization": f"Bearer {CANARIES['token']}",
    "cookie": f"sessionid={CANARIES['cookie']}",
    "idempotency-key": CANARIES["key"],
    "x-origin-secret": CANARIES["origin"],
}


@pytest.fixture
def _planted(monkeypatch):
    for name in ("AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, CANARIES[name])


@pytest.mark.usefixtures("_planted")
def test_neither_an_answer_nor_a_log_repeats_a_secret(capfd, caplog, record_property):
    make_member("ada")
    caplog.set_level(logging.DEBUG)
    # Every logger at its loudest, and without the redaction that the deployed ones have.
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    said = []
    try:
        for each in bad_inputs():
            for claims in (CLAIMS, None):
                answer = call(each.method, each.path, query=each.query, body=each.body or _body(),
                              headers=HEADERS | each.headers, claims=claims)  # fmt: skip
                said.append(str(answer))
    finally:
        logging.getLogger().removeHandler(handler)
    printed = capfd.readouterr()
    hits = hits_in("".join([*said, caplog.text, printed.out, printed.err]))
    record_property("canary_hits", len(hits))

    assert hits == []
    assert printed.err.count("\n") > len(said) / 2, "the logs were looked at"


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_refused_is_not_quoted(caplog, name):
    answer = call("GET", "/v1/feed", headers={name: f"{HEADERS[name]}\r\nx: y"})

    assert answer.status == 400
    assert hits_in(caplog.text + str(answer)) == []


def test_a_secret_that_is_logged_is_found(capfd):
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    logging.getLogger("lambda_app").warning("the secret is %s", CANARIES["origin"])
    logging.getLogger().removeHandler(handler)

    assert hits_in(capfd.readouterr().err) == ["origin"]


def test_a_secret_in_a_file_is_found(tmp_path):
    (tmp_path / "template.json").write_text(CANARIES["PGPASSWORD"])

    assert len(hits_in_files([tmp_path])) == 1


def _body():
    return {"photo_id": "x", "password": CANARIES["password"], "caption": ""}
