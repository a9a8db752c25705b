"""Tokens that must be refused: damaged, made for others, or made by an attacker who has only the public keys."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.issuer import ISSUER, Issuer, public_jwk

CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def forged_authorizations(issuer: Issuer) -> Mapping[str, str]:
    """Return values of the header Authorization by what is wrong with each."""
    tokens = {
        **_made_for_others(issuer),
        **_damaged(issuer),
        **_signed_by_others(issuer),
        **_other_algorithms(issuer),
        **_odd_headers(issuer),
        **_odd_contents(issuer),
    }
    good = issuer.token()
    return {name: f"Bearer {token}" for name, token in tokens.items()} | {
        "two tokens in one header": f"Bearer {good},Bearer {good}",
        "another scheme": f"Basic {good}",
        "no scheme": good,
        "two spaces": f"Bearer  {good}",
        "a token in quotes": f'Bearer "{good}"',
        "nothing": "",
        "a scheme only": "Bearer ",
    }


def _made_for_others(issuer: Issuer) -> dict[str, str]:
    now = int(time.time())
    return {
        "expired": issuer.token(exp=now - 31),
        "not valid yet": issuer.token(nbf=now + 60),
        "issued in the future": issuer.token(iat=now + 600),
        "for another audience": issuer.token(aud="another"),
        "for a longer audience": issuer.token(aud="serverless-django-admin"),
        "for no audience": issuer.token(aud=None),
        "for an empty list": issuer.token(aud=[]),
        "of another client": issuer.token(aud=None, client_id="another"),
        "of another issuer": issuer.token(iss="https://evil.invalid"),
        "of an issuer that begins alike": issuer.token(iss=f"{ISSUER}.evil.invalid"),
        "of no issuer": issuer.token(iss=None),
        "without end": issuer.token(exp=None),
        "without subject": issuer.token(sub=None),
    }


def _damaged(issuer: Issuer) -> dict[str, str]:
    header, payload, signature = issuer.token().split(".")
    other = _encode(json.dumps(issuer.claims(sub="eve")).encode())
    raw = _decode(signature)
    high_s = raw[:32] + (CURVE_ORDER + int.from_bytes(raw[32:])).to_bytes(33)
    return {
        "another payload": f"{header}.{other}.{signature}",
        "no signature": f"{header}.{payload}.",
        "a flipped bit": f"{header}.{payload}.{_encode(bytes([raw[0] ^ 1]) + raw[1:])}",
        "a signature of zeros": f"{header}.{payload}.{_encode(bytes(64))}",
        "a signature of r and s = 0": f"{header}.{payload}.{_encode((1).to_bytes(32) + bytes(32))}",
        "a signature beyond the order": f"{header}.{payload}.{_encode(high_s)}",
        "a longer signature": f"{header}.{payload}.{signature}AAAA",
        "half a signature": f"{header}.{payload}.{_encode(raw[:32])}",
        "two parts": f"{header}.{payload}",
        "five parts": f"{header}.{payload}.{signature}.{payload}.{signature}",
        "white space within": f"{header}.{payload}.\n{signature}",
        "padding": f"{header}.{payload}.{signature}==",
    }


def _signed_by_others(issuer: Issuer) -> dict[str, str]:
    mine, rsa_key = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    jwk = public_jwk(mine)
    claims = issuer.claims()
    return {
        "my key": jwt.encode(claims, mine, algorithm="ES256", headers={"kid": "ec-1"}),
        "my RSA key": jwt.encode(claims, rsa_key, algorithm="RS256", headers={"kid": "rsa-1"}),
        "my key in the header": jwt.encode(claims, mine, algorithm="ES256", headers={"kid": "ec-1", "jwk": jwk}),
        "my address of keys": jwt.encode(
            claims, mine, algorithm="ES256", headers={"kid": "ec-1", "jku": "https://evil.invalid/jwks.json"}
        ),
        "an unknown key": jwt.encode(claims, mine, algorithm="ES256", headers={"kid": "mine"}),
    }


def _other_algorithms(issuer: Issuer) -> dict[str, str]:
    key: Any = issuer.private_keys["rsa-1"]
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    payload = _encode(json.dumps(issuer.claims()).encode())
    none = _encode(b'{"alg":"none","kid":"rsa-1"}')
    return {
        "alg none": f"{none}.{payload}.",
        "alg none with a signature": f"{none}.{payload}.AAAA",
        "alg nOnE": f"{_encode(b'{"alg":"nOnE","kid":"rsa-1"}')}.{payload}.AAAA",
        "the public key as a secret": _hmac(public, payload, "rsa-1"),
        "the public key as a secret, DER": _hmac(der, payload, "rsa-1"),
        "an empty secret": _hmac(b"", payload, "rsa-1"),
        "RS256 with the key of ES256": _relabelled(issuer, "rsa-1", "ec-1"),
        "ES256 with the key of RS256": _relabelled(issuer, "ec-1", "rsa-1"),
        "RS384": jwt.encode(issuer.claims(), key, algorithm="RS384", headers={"kid": "rsa-1"}),
        "PS256": jwt.encode(issuer.claims(), key, algorithm="PS256", headers={"kid": "rsa-1"}),
        "RS256 over SHA-1": _rsa(issuer, payload, hashes.SHA1()),  # noqa: S303 (refused)
    }


def _odd_headers(issuer: Issuer) -> dict[str, str]:
    return {
        "a path for a key id": issuer.token(headers={"kid": "../../../../dev/null"}),
        "a URL for a key id": issuer.token(headers={"kid": "https://evil.invalid/key"}),
        "SQL for a key id": issuer.token(headers={"kid": "ec-1' OR '1'='1"}),
        "no key id": _with_header(issuer, {"alg": "ES256"}),
        "an empty key id": issuer.token(headers={"kid": ""}),
        "a number for a key id": _with_header(issuer, {"alg": "ES256", "kid": 1}),
        "a list for a key id": _with_header(issuer, {"alg": "ES256", "kid": ["ec-1"]}),
        "a very long key id": issuer.token(headers={"kid": "ec-1" * 100}),
        "an extension that must be known": _with_header(issuer, {"alg": "ES256", "kid": "ec-1", "crit": ["exp"]}),
        "a payload that is not encoded": _with_header(
            issuer, {"alg": "ES256", "kid": "ec-1", "b64": False, "crit": ["b64"]}
        ),
        "no algorithm": _with_header(issuer, {"kid": "ec-1"}),
        "two algorithms": _signed(issuer, b'{"alg":"none","alg":"ES256","kid":"ec-1"}', json.dumps(issuer.claims())),
        "a list for a header": _signed(issuer, b'["ES256"]', json.dumps(issuer.claims())),
        "a header nested without end": f"{_encode(b'[' * 5000)}.e30.AAAA",
    }


def _odd_contents(issuer: Issuer) -> dict[str, str]:
    header = b'{"alg":"ES256","kid":"ec-1"}'
    claims = json.dumps(issuer.claims())[1:]
    return {
        "a claim twice": _signed(issuer, header, f'{{"sub":"eve",{claims}'),
        "a list for a payload": _signed(issuer, header, "[]"),
        "no JSON": _signed(issuer, header, "not json"),
        "an end that is no number": issuer.token(exp="never"),
        "an end without end": _signed(issuer, header, json.dumps(issuer.claims(exp=float("inf")))),
        "an end that is no end": _signed(issuer, header, json.dumps(issuer.claims(exp=float("nan")))),
        "a subject that is a list": issuer.token(sub=["ada"]),
        "a payload nested without end": _signed(issuer, header, "[" * 3000),
        "very long": issuer.token(note="x" * 9000),
    }


def _hmac(secret: bytes, payload: str, key_id: str) -> str:
    text = f"{_encode(json.dumps({'alg': 'HS256', 'kid': key_id}).encode())}.{payload}"
    return f"{text}.{_encode(hmac.new(secret, text.encode(), sha256).digest())}"


def _relabelled(issuer: Issuer, signs: str, named: str) -> str:
    return issuer.token(signs, headers={"kid": named})


def _rsa(issuer: Issuer, payload: str, algorithm: Any) -> str:
    text = f"{_encode(b'{"alg":"RS256","kid":"rsa-1"}')}.{payload}"
    key: Any = issuer.private_keys["rsa-1"]
    return f"{text}.{_encode(key.sign(text.encode(), padding.PKCS1v15(), algorithm))}"


def _with_header(issuer: Issuer, header: Mapping[str, Any]) -> str:
    return _signed(issuer, json.dumps(header).encode(), json.dumps(issuer.claims()))


def _signed(issuer: Issuer, header: bytes, payload: str) -> str:
    """Sign whatever these bytes are with the issuer's own key: only what they say can be wrong."""
    text = f"{_encode(header)}.{_encode(payload.encode())}"
    key: Any = issuer.private_keys["ec-1"]
    r, s = _numbers(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{_encode(r.to_bytes(32) + s.to_bytes(32))}"


def _numbers(signature: bytes) -> tuple[int, int]:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    return decode_dss_signature(signature)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
