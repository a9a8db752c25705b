"""Tokens of the local issuer pass the authorizer, and its key stays private and the same."""

import stat
from datetime import timedelta

import jwt
import pytest

from serverless_django.local.authorizer import UnauthorizedError, authorize
from serverless_django.local.deployed_api import JwtAuthorizer
from serverless_django.local.issuer import LocalIssuer

GUARD = JwtAuthorizer(issuer="https://issuer.example", audience=("books",))


@pytest.fixture
def issuer(tmp_path):
    return LocalIssuer(tmp_path / "state" / "issuer.pem")


def token_for(issuer, member="ada", **changes):
    return issuer.issue_token(member, **({"issuer": GUARD.issuer, "audience": "books"} | changes))


def check(token, issuer):
    return authorize({"authorization": f"Bearer {token}"}, GUARD, keys=lambda _: issuer.jwks).claims


def test_an_issued_token_names_the_member(issuer):
    claims = check(token_for(issuer), issuer)

    assert claims["preferred_username"] == "ada"
    assert {"sub", "iss", "aud", "iat", "exp", "jti"} < set(claims)


def test_a_member_keeps_its_subject_and_shares_it_with_no_other(issuer):
    first, again, other = (check(token_for(issuer, member), issuer) for member in ("ada", "ada", "grace"))

    assert first["sub"] == again["sub"] != other["sub"]
    assert first["jti"] != again["jti"]


def test_a_token_ends_with_its_lifetime(issuer):
    with pytest.raises(UnauthorizedError, match="expired"):
        check(token_for(issuer, lifetime=timedelta(seconds=-1)), issuer)


def test_a_restart_keeps_the_key(issuer):
    token = token_for(issuer)

    assert check(token, LocalIssuer(issuer.key_file))["preferred_username"] == "ada"


def test_another_laptops_token_is_refused(issuer, tmp_path):
    with pytest.raises(UnauthorizedError):
        check(token_for(LocalIssuer(tmp_path / "other.pem")), issuer)


def test_the_key_file_is_readable_by_its_owner_only(issuer):
    token_for(issuer)

    assert stat.S_IMODE(issuer.key_file.stat().st_mode) == 0o600
    assert [path.name for path in issuer.key_file.parent.iterdir()] == ["issuer.pem"]


def test_the_published_keys_hold_nothing_private(issuer):
    (key,) = issuer.jwks["keys"]

    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert jwt.PyJWK(key).key_id == issuer.key_id
