"""What gains an attacker who sends tokens with key ids of their choice, or keys that are not what they seem."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.identity.issuer_keys import read_key_set
from serverless_django.identity.jwt import ALGORITHMS, TokenVerifier
from serverless_django.identity.key_set import REFETCH_SECONDS, RETRY_SECONDS, KeySet, KeysUnavailableError
from tests.issuer import AUDIENCE, ISSUER, Issuer, public_jwk

URL = f"{ISSUER}/.well-known/jwks.json"


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


def verifier_of(issuer, clock=time.time, fetch=None):
    keys = KeySet(URL, algorithms=ALGORITHMS, fetch=fetch or issuer.fetch, clock=clock)
    return TokenVerifier(issuer=ISSUER, audience=(AUDIENCE,), keys=keys)


def answer(verifier, issuer, key_id, signs=None):
    """Return "taken", "refused" or "come again" for a token with `key_id`, which another key may have signed."""
    try:
        claims = verifier.claims_of(f"Bearer {issuer.token(signs or key_id, headers={'kid': key_id})}")
    except KeysUnavailableError:
        return "come again"
    return "taken" if claims else "refused"


@pytest.mark.parametrize(("unknown_ids", "at_once"), [(1, "taken"), (5, "taken"), (500, "come again")])
def test_unknown_key_ids_get_no_valid_token_of_a_new_key_refused(unknown_ids, at_once):
    issuer, clock = Issuer(), Clock()
    verifier = verifier_of(issuer, clock)
    assert answer(verifier, issuer, "ec-1") == "taken"
    for number in range(unknown_ids):
        answer(verifier, issuer, f"stranger-{number}", signs="ec-1")
    issuer.rotate("ec-2")

    first = answer(verifier, issuer, "ec-2")
    clock.now += REFETCH_SECONDS

    assert (first, answer(verifier, issuer, "ec-2")) == (at_once, "taken")


def test_sending_the_id_of_a_key_before_it_is_published_gets_no_token_of_it_refused():
    issuer = Issuer()
    verifier = verifier_of(issuer, Clock())
    assert answer(verifier, issuer, "ec-2", signs="ec-1") == "refused"
    issuer.rotate("ec-2")

    assert answer(verifier, issuer, "ec-2") == "taken"


@pytest.mark.parametrize("same_id", [True, False], ids=["the same id", "another id"])
def test_a_fetch_that_a_stranger_began_before_the_rotation_gets_no_token_of_the_new_key_refused(same_id):
    """The issuer has answered without the new key, and the answer is still on its way."""
    issuer, clock = Issuer(), Clock()
    is_answered, may_arrive = threading.Event(), threading.Event()

    def slow_fetch(url):
        document = issuer.fetch(url)
        if issuer.fetches == 2:
            is_answered.set()
            assert may_arrive.wait(10)
        return document

    verifier = verifier_of(issuer, clock, slow_fetch)
    answer(verifier, issuer, "ec-1")
    with ThreadPoolExecutor() as threads:
        stranger = threads.submit(answer, verifier, issuer, "ec-2" if same_id else "stranger", "ec-1")
        assert is_answered.wait(10)
        issuer.rotate("ec-2")
        member = threads.submit(answer, verifier, issuer, "ec-2")
        may_arrive.set()

        assert stranger.result() == "refused"
        assert member.result() == "taken"


def test_many_tokens_of_one_new_key_at_once_cost_one_fetch_and_are_all_taken():
    issuer, clock = Issuer(), Clock()
    verifier = verifier_of(issuer, clock)
    answer(verifier, issuer, "ec-1")
    issuer.rotate("ec-2")
    tokens = [issuer.token("ec-2") for _ in range(40)]

    with ThreadPoolExecutor(20) as threads:
        claims = list(threads.map(lambda token: verifier.claims_of(f"Bearer {token}"), tokens))

    assert all(claims)
    assert issuer.fetches == 2


def test_an_issuer_that_cannot_be_reached_gets_no_token_of_a_new_key_refused():
    issuer, clock = Issuer(), Clock()
    verifier = verifier_of(issuer, clock)
    answer(verifier, issuer, "ec-1")
    issuer.rotate("ec-2")
    issuer.is_down = True

    assert [answer(verifier, issuer, "ec-2") for _ in range(3)] == ["come again"] * 3
    assert answer(verifier, issuer, "ec-1") == "taken"
    issuer.is_down = False
    clock.now += RETRY_SECONDS
    assert answer(verifier, issuer, "ec-2") == "taken"


@given(st.lists(st.sampled_from(["a stranger", "a rotation", "a second", "an outage", "its end"]), max_size=12))
def test_whatever_strangers_send_and_when_no_token_of_a_published_key_is_refused(steps):
    issuer, clock = ISSUER_OF_THE_PROPERTY, Clock()
    issuer.published, issuer.is_down, issuer.fetches = issuer.published[:2], False, 0
    verifier, newest = verifier_of(issuer, clock), "ec-1"
    for number, step in enumerate(steps):
        if step == "a stranger":
            answer(verifier, issuer, f"ec-new-{number + 1}", signs="ec-1")
        elif step == "a rotation":
            newest = f"ec-new-{number}"
            issuer.add_key(newest, NEW_KEY)
        elif step == "a second":
            clock.now += REFETCH_SECONDS
        else:
            issuer.is_down = step == "an outage"
        assert answer(verifier, issuer, newest) != "refused"
    issuer.is_down = False
    clock.now += RETRY_SECONDS
    assert answer(verifier, issuer, newest) == "taken"


ISSUER_OF_THE_PROPERTY, NEW_KEY = Issuer(), ec.generate_private_key(ec.SECP256R1())


def _shown(value):
    return "(long)" if isinstance(value, str) and len(value) > 9 else str(value)


RSA_KEY = public_jwk(rsa.generate_private_key(65537, 2048))
EC_KEY = public_jwk(ec.generate_private_key(ec.SECP256R1()))


@pytest.mark.parametrize(
    "entry",
    [
        public_jwk(rsa.generate_private_key(65537, 1024)),  # noqa: S505 (refused)
        RSA_KEY | {"e": "AQ"},
        RSA_KEY | {"e": "Ag"},
        RSA_KEY | {"e": "AQAAAAAAAQ"},
        RSA_KEY | {"n": "_" * 3_000},
        RSA_KEY | {"n": "_" * 3_000_000},
        RSA_KEY | {"n": ""},
        RSA_KEY | {"n": None},
        RSA_KEY | {"alg": "HS256"},
        RSA_KEY | {"alg": "ES256"},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "RS256"},
        public_jwk(ec.generate_private_key(ec.SECP384R1())),
        public_jwk(ec.generate_private_key(ec.SECP256K1())),
        EC_KEY | {"y": EC_KEY["x"]},
        EC_KEY | {"x": "A" * 43, "y": "A" * 43},
        EC_KEY | {"crv": "P-384"},
        EC_KEY | {"crv": ["P-256"]},
        EC_KEY | {"kty": ["EC"]},
    ],
    # Names and sizes: the keys are new in each process, and the ids must be alike in all of them.
    ids=lambda entry: ",".join(f"{name}={_shown(value)}" for name, value in entry.items()),
)
def test_a_key_that_is_weak_or_not_what_it_seems_verifies_nothing(entry):
    assert read_key_set({"keys": [entry | {"kid": "odd"}]}, algorithms=ALGORITHMS) == {}


@pytest.mark.parametrize("signs", ["rsa-1", "ec-1"])
def test_the_private_half_in_a_key_set_is_not_read(signs):
    private = Issuer().private_keys[signs]
    algorithm = jwt.get_algorithm_by_name("RS256" if signs == "rsa-1" else "ES256")
    entry = algorithm.to_jwk(private, as_dict=True) | {"kid": signs}

    [key] = read_key_set({"keys": [entry]}, algorithms=ALGORITHMS).values()

    assert "d" in entry
    assert not hasattr(key.key, "private_numbers")
