"""Tokens that Django verifies itself: every good one is taken, no forged one is, and the issuer is left in peace."""

import threading
import time
from collections import Counter

import jwt
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.test import RequestFactory

from serverless_django.http.adapter import LambdaAdapter
from serverless_django.identity.jwt import ALGORITHMS, TokenVerifier
from serverless_django.identity.key_set import (
    FETCHES_AT_ONCE,
    FRESH_SECONDS,
    REFETCH_SECONDS,
    RETRY_SECONDS,
    STALE_SECONDS,
    UNLISTED_SECONDS,
    KeySet,
    KeysUnavailableError,
)
from serverless_django.identity.middleware import BearerTokenMiddleware
from serverless_django.testing import LambdaContext
from tests.fresh_process import ENVIRONMENT, run
from tests.issuer import AUDIENCE, ISSUER, Issuer
from tests.security.forgeries import forged_authorizations

BEARER = "serverless_django.identity.middleware.BearerTokenMiddleware"
URL = f"{ISSUER}/.well-known/jwks.json"


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def whole_issuer():
    return Issuer()


@pytest.fixture
def issuer(whole_issuer):
    whole_issuer.fetches, whole_issuer.is_down = 0, False
    published = list(whole_issuer.published)
    yield whole_issuer
    whole_issuer.published = published


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def verifier(issuer, clock):
    keys = KeySet(URL, algorithms=ALGORITHMS, fetch=issuer.fetch, clock=clock)
    return TokenVerifier(issuer=ISSUER, audience=(AUDIENCE,), keys=keys)


def subject(verifier, token):
    claims = verifier.claims_of(f"Bearer {token}")
    return claims and claims["sub"]


def answer_of(verifier, token):
    try:
        return subject(verifier, token)
    except KeysUnavailableError:
        return "come again"


NAMES = sorted(forged_authorizations(Issuer()))


def test_there_are_at_least_thirty_forgeries():
    assert len(NAMES) >= 30


@pytest.mark.parametrize("name", NAMES)
def test_a_forged_token_is_not_taken(issuer, verifier, name, record_property):
    assert subject(verifier, issuer.token()) == "ada"

    claims = verifier.claims_of(forged_authorizations(issuer)[name])
    record_property("forged", 1)
    record_property("forged_accepted", int(claims is not None))
    assert claims is None


def test_a_verifier_that_asks_for_a_good_signature_only_takes_many_of_them(issuer):
    """The table can fail: most forgeries are right in all but one thing."""
    loosely = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_iss": False}
    keys = {key_id: key.public_key() for key_id, key in issuer.private_keys.items()}

    def accepts(authorization):
        try:
            token = authorization.partition(" ")[2]
            key = keys[jwt.get_unverified_header(token)["kid"]]
            return bool(jwt.decode(token, key, algorithms=["RS256", "ES256", "RS384", "PS256"], options=loosely))
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            return False

    assert sum(accepts(each) for each in forged_authorizations(issuer).values()) >= 15


@pytest.mark.parametrize("key_id", ["rsa-1", "ec-1"])
def test_a_good_token_is_taken_as_often_as_it_comes(issuer, verifier, key_id):
    tokens = [issuer.token(key_id, sub=str(number)) for number in range(50)]

    assert [subject(verifier, token) for token in tokens] == [str(number) for number in range(50)]
    assert issuer.fetches == 1


@pytest.mark.parametrize("changes", [{"exp": -29}, {"nbf": 29}, {"iat": 29}])
def test_clocks_may_be_half_a_minute_apart(issuer, verifier, changes):
    moments = {name: int(time.time()) + seconds for name, seconds in changes.items()}

    assert subject(verifier, issuer.token(**moments)) == "ada"


@pytest.mark.parametrize("changes", [{"aud": ["x", AUDIENCE]}, {"aud": None, "client_id": AUDIENCE}])
def test_the_audience_may_be_one_of_a_list_or_the_client_of_an_access_token(issuer, verifier, changes):
    assert subject(verifier, issuer.token(**changes)) == "ada"


def test_a_claim_that_is_required_must_have_its_value(issuer, verifier):
    strict = TokenVerifier(
        issuer=ISSUER, audience=(AUDIENCE,), keys=verifier.keys, required_claims={"token_use": "access"}
    )

    assert subject(strict, issuer.token(token_use="access")) == "ada"
    assert strict.claims_of(f"Bearer {issuer.token(token_use='id')}") is None


def test_a_key_of_an_algorithm_that_is_not_allowed_is_no_key(issuer):
    keys = KeySet(URL, algorithms=("ES256",), fetch=issuer.fetch)
    verifier = TokenVerifier(issuer=ISSUER, audience=(AUDIENCE,), keys=keys, algorithms=("ES256",))

    assert verifier.claims_of(f"Bearer {issuer.token('rsa-1')}") is None
    assert subject(verifier, issuer.token("ec-1")) == "ada"


def test_a_flood_of_unknown_key_ids_asks_the_issuer_ten_times_and_then_once_a_second(issuer, verifier, clock):
    _, payload, signature = issuer.token().split(".")
    flood = [issuer.token(headers={"kid": f"stranger-{number}"}).split(".")[0] for number in range(1_000)]

    outcomes = Counter(
        answer_of(verifier, f"{flood[number % 1_000]}.{payload}.{signature}") for number in range(10_000)
    )

    assert outcomes == {None: FETCHES_AT_ONCE, "come again": 10_000 - FETCHES_AT_ONCE}
    assert issuer.fetches == FETCHES_AT_ONCE == 10
    clock.now += REFETCH_SECONDS
    assert answer_of(verifier, f"{flood[0]}.{payload}.{signature}") is None
    assert issuer.fetches == 11


def test_a_rotation_under_load_rejects_no_valid_token(issuer):
    refused, is_over = [], threading.Event()
    with issuer.served() as url:
        verifier = TokenVerifier(issuer=ISSUER, audience=(AUDIENCE,), keys=KeySet(url, algorithms=ALGORITHMS))
        signs = ["ec-1"]

        def phone():
            while not is_over.is_set():
                key_id = signs[-1]
                if verifier.claims_of(f"Bearer {issuer.token(key_id)}") is None:
                    refused.append(key_id)

        phones = [threading.Thread(target=phone) for _ in range(4)]
        [each.start() for each in phones]
        time.sleep(0.2)
        issuer.rotate("ec-3")
        signs.append("ec-3")
        time.sleep(0.3)
        is_over.set()
        [each.join() for each in phones]
        # What the old key signed is good until it expires.
        assert subject(verifier, issuer.token("rsa-1")) == "ada"

    assert refused == []
    assert issuer.fetches == 2


def test_a_key_that_was_taken_back_is_trusted_for_two_hours(issuer, verifier, clock):
    assert subject(verifier, issuer.token()) == "ada"
    issuer.rotate("ec-4")

    clock.now += FRESH_SECONDS
    assert subject(verifier, issuer.token("ec-4")) == subject(verifier, issuer.token("ec-1")) == "ada"
    clock.now += UNLISTED_SECONDS - FRESH_SECONDS
    assert subject(verifier, issuer.token("ec-4")) == "ada"
    assert subject(verifier, issuer.token("ec-1")) is None


def test_while_the_issuer_is_down_its_keys_are_trusted_for_a_day(issuer, verifier, clock):
    assert subject(verifier, issuer.token()) == "ada"
    issuer.is_down = True

    clock.now += STALE_SECONDS - 1
    assert subject(verifier, issuer.token()) == "ada"
    clock.now += 2
    with pytest.raises(KeysUnavailableError):
        verifier.claims_of(f"Bearer {issuer.token()}")


def test_an_issuer_that_is_down_is_asked_every_ten_seconds(issuer, verifier, clock):
    issuer.is_down = True
    for _ in range(100):
        with pytest.raises(KeysUnavailableError):
            verifier.claims_of(f"Bearer {issuer.token()}")
    assert issuer.fetches == 1

    issuer.is_down = False
    clock.now += RETRY_SECONDS
    assert subject(verifier, issuer.token()) == "ada"


def test_a_key_set_may_hold_what_we_do_not_know(issuer, verifier):
    odd = [None, "x", {}, {"kid": "a"}, {"kid": "b", "kty": "oct", "k": "AAAA"}, {"kid": "c", "kty": "OKP"},
           {"kid": "d", "kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kid": "e", "kty": "RSA", "n": 1, "e": 2},
           {"kid": "f", "kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}]  # fmt: skip
    issuer.published = [*odd, {**issuer.published[1], "use": "enc", "kid": "g"}, *issuer.published]

    assert subject(verifier, issuer.token()) == "ada"
    assert [verifier.keys.find(each["kid"]) for each in odd if each and "kid" in each] == [None] * 6


@pytest.fixture
def middleware(issuer, settings):
    with issuer.served() as url:
        settings.BEARER_TOKENS = {"ISSUER": ISSUER, "AUDIENCE": [AUDIENCE], "KEYS_URL": url}
        yield BearerTokenMiddleware(lambda request: HttpResponse(str(request.claims and request.claims["sub"])))


def test_the_middleware_tells_who_calls(issuer, middleware):
    request = RequestFactory().get("/", headers={"Authorization": f"bearer {issuer.token()}"})

    assert middleware(request).text == "ada"


def test_what_the_event_says_is_not_looked_at(middleware):
    event = {"requestContext": {"authorizer": {"jwt": {"claims": {"sub": "eve"}}}}}

    assert middleware(RequestFactory().get("/", **{"aws.event": event})).text == "None"


def test_without_keys_a_phone_is_asked_to_come_again_and_not_to_forget_its_token(issuer, middleware):
    issuer.is_down = True

    response = middleware(RequestFactory().get("/", headers={"Authorization": f"Bearer {issuer.token()}"}))

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


@pytest.mark.usefixtures("one_connection")
def test_behind_a_load_balancer_a_good_token_comes_in_and_a_forged_one_does_not(issuer, settings):
    with issuer.served() as url:
        settings.BEARER_TOKENS = {"ISSUER": ISSUER, "AUDIENCE": [AUDIENCE], "KEYS_URL": url}
        settings.MIDDLEWARE = [BEARER if name.endswith(".ClaimsMiddleware") else name for name in settings.MIDDLEWARE]
        respond = LambdaAdapter(ASGIHandler())

        def status(authorization):
            headers = {"host": "testserver", "authorization": authorization, "x-forwarded-for": "192.0.2.1"}
            event = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/v1/books", "headers": headers,
                     "queryStringParameters": {}, "body": "", "isBase64Encoded": False}  # fmt: skip
            return respond(event, LambdaContext())["statusCode"]

        assert status(f"Bearer {issuer.token()}") == 200
        statuses = [status(each) for each in forged_authorizations(issuer).values()]
        # A header with a line break is no header at all.
        assert (statuses.count(401), statuses.count(400)) == (len(statuses) - 1, 1)


def test_a_deploy_that_names_an_issuer_verifies_tokens_in_the_place_of_the_gateway():
    program = "import django; django.setup(); from django.conf import settings; print(*settings.MIDDLEWARE, sep='\\n')"
    variables = ENVIRONMENT.variables() | {
        "SERVERLESS_TOKEN_ISSUER": ISSUER,
        "SERVERLESS_TOKEN_AUDIENCE": f'["{AUDIENCE}"]',
    }

    finished = run(program, **variables, DJANGO_SETTINGS_MODULE="lambda_app.settings.deployed")

    assert finished.returncode == 0, finished.stderr
    middleware = finished.stdout.split()
    assert BEARER in middleware
    assert "serverless_django.http.middleware.ClaimsMiddleware" not in middleware


@pytest.mark.parametrize(
    "changes",
    [{"ISSUER": ""}, {"AUDIENCE": []}, {"ALGORITHMS": ["HS256"]}, {"ALGORITHMS": ["none", "RS256"]},
     {"KEYS_URL": "http://issuer.invalid/keys"}, {"KEYS_URL": "file:///etc/passwd"},
     {"AUDIENCE": "x"}, {"AUDIENCE": AUDIENCE}, {"AUDIENCE": ""}, {"AUDIENCE": b"x"}, {"AUDIENCE": {"x": 1}},
     {"AUDIENCE": ["x", ""]}, {"AUDIENCE": ["x", None]}, {"AUDIENCE": [["x"]]}, {"AUDIENCE": None},
     {"ALGORITHMS": "RS256"}, {"ALGORITHMS": "ES"}, {"ISSUER": [ISSUER]}, {"ISSUER": None},
     {"REQUIRED_CLAIMS": "token_use"}, {"REQUIRED_CLAIMS": ["token_use"]}, {"REQUIRED_CLAIM": {"token_use": "access"}}],
)  # fmt: skip
def test_settings_that_would_judge_loosely_are_refused(changes):
    with pytest.raises(ImproperlyConfigured, match="BEARER_TOKENS"):
        TokenVerifier.of({"ISSUER": ISSUER, "AUDIENCE": [AUDIENCE]} | changes)
