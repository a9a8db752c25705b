"""Only a token of the right issuer, for this audience, signed by a known key and in time, gets through."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from serverless_django.local.authorizer import ForbiddenError, UnauthorizedError, authorize
from serverless_django.local.deployed_api import JwtAuthorizer

GUARD = JwtAuthorizer(issuer="https://issuer.example", audience=("books", "books-admin"))
NOW = datetime.now(UTC)


@cache
def private_key(kind="RS256"):
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else rsa.generate_private_key(65537, 2048)


def public_pem(kind="RS256"):
    return (
        private_key(kind)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def key_set(issuer):
    assert issuer == GUARD.issuer
    keys = (
        jwt.get_algorithm_by_name(kind).to_jwk(private_key(kind).public_key(), as_dict=True) | {"kid": kind}
        for kind in ("RS256", "ES256")
    )
    return {"keys": list(keys)}


def claims(**changes):
    valid = {"iss": GUARD.issuer, "aud": "books", "sub": "ada", "iat": NOW, "exp": NOW + timedelta(hours=1)}
    return {name: value for name, value in (valid | changes).items() if value is not None}


def make_token(*, kind="RS256", kid=None, **changes):
    return jwt.encode(claims(**changes), private_key(kind), algorithm=kind, headers={"kid": kid or kind})


def part(value):
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token_of_parts(header, signature=""):
    times = {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 3600}
    return f"{part(header)}.{part(claims(**times))}.{signature}"


def signed_with_the_public_key():
    unsigned = token_of_parts({"alg": "HS256", "kid": "RS256", "typ": "JWT"}).rstrip(".")
    digest = hmac.new(public_pem(), unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def signed_by_another_key():
    return jwt.encode(claims(), rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "RS256"})


def with_its_own_key():
    own = rsa.generate_private_key(65537, 2048)
    jwk = jwt.get_algorithm_by_name("RS256").to_jwk(own.public_key(), as_dict=True)
    return jwt.encode(claims(), own, algorithm="RS256", headers={"kid": "RS256", "jwk": jwk})


def changed_after_signing():
    header, _, signature = make_token().split(".")
    return f"{header}.{part({'sub': 'eve'})}.{signature}"


def nested_beyond_reason():
    return f"{urlsafe_b64encode(b'[' * 100_000).rstrip(b'=').decode()}.e30.e30"


def check(token, *, scopes=(), header="Bearer {}"):
    return authorize({"authorization": header.format(token)}, GUARD, scopes=scopes, keys=key_set)


@pytest.mark.parametrize("kind", ["RS256", "ES256"])
def test_a_good_token_gives_its_claims(kind):
    caller = check(make_token(kind=kind, preferred_username="ada"))

    assert caller.claims["preferred_username"] == "ada"
    assert caller.scopes is None


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER   {}", "{}"])
def test_the_scheme_is_optional_and_its_case_does_not_matter(header):
    assert check(make_token(), header=header).claims["sub"] == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", "books-admin"]},
        {"aud": None, "client_id": "books"},
        {"nbf": NOW - timedelta(minutes=1)},
    ],
)
def test_other_valid_forms_are_accepted(changes):
    assert check(make_token(**changes)).claims["sub"] == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - timedelta(seconds=1)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": NOW + timedelta(hours=1)},
        {"iat": NOW + timedelta(hours=1)},
        {"iss": "https://issuer.example/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": "other", "client_id": "books"},
        {"kid": "unknown"},
    ],
    ids=lambda changes: ",".join(f"{name}={type(value).__name__}" for name, value in changes.items()),
)
def test_a_token_with_a_wrong_claim_is_refused(changes):
    with pytest.raises(UnauthorizedError, match=r'^Bearer scope="" error="invalid_token"'):
        check(make_token(**changes))


@pytest.mark.parametrize(
    "make",
    [
        lambda: token_of_parts({"alg": "none", "kid": "RS256"}),
        lambda: token_of_parts({"alg": "NONE", "kid": "RS256"}, signature="AAAA"),
        lambda: token_of_parts({"alg": "ES256", "kid": "RS256"}, signature="AAAA"),
        lambda: token_of_parts({"alg": "RS256", "kid": ["RS256"]}, signature="AAAA"),
        lambda: token_of_parts({"alg": "RS256"}, signature="AAAA"),
        lambda: jwt.encode(claims(), private_key(), algorithm="RS512", headers={"kid": "RS256"}),
        signed_with_the_public_key,
        signed_by_another_key,
        with_its_own_key,
        changed_after_signing,
        nested_beyond_reason,
        lambda: "not-a-token",
        lambda: "..",
        lambda: "a.b.c.d.e",
    ],
)
def test_a_forged_or_broken_token_is_refused(make):
    with pytest.raises(UnauthorizedError, match=r'^Bearer scope="" error="invalid_token"'):
        check(make())


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "   "}, {"x-token": "t"}])
def test_without_a_token_only_the_scheme_is_named(headers):
    with pytest.raises(UnauthorizedError, match=r"^Bearer$"):
        authorize(headers, GUARD, keys=key_set)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exp": NOW - timedelta(hours=1)}, "the token has expired"),
        ({"aud": "other"}, "the token does not have a valid audience"),
    ],
)
def test_the_refusal_is_described_in_the_words_of_aws(changes, words):
    with pytest.raises(UnauthorizedError, match=f'error_description="{words}"$'):
        check(make_token(**changes))


def test_a_description_never_quotes_the_token():
    with pytest.raises(UnauthorizedError) as refusal:
        check(make_token(kid='"injected'))

    assert "injected" not in str(refusal.value)


@pytest.mark.parametrize("changes", [{"scope": "books.read books.write"}, {"scp": ["books.read", "books.write"]}])
def test_one_of_the_scopes_is_enough(changes):
    assert check(make_token(**changes), scopes=("books.write", "books.all")).scopes == ("books.read", "books.write")


def test_a_token_without_the_scope_is_forbidden():
    with pytest.raises(ForbiddenError):
        check(make_token(scope="books.read"), scopes=("books.write",))
