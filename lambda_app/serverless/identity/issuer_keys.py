"""JSON Web Key → a key that PyJWT verifies with, bound to one algorithm: the token has no say in it."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from typing import Any

import jwt
from jwt.algorithms import Algorithm

from lambda_app.serverless.identity import der
from lambda_app.serverless.identity.openssl import UnusableKeyError, check_key, verify_sha256

ALGORITHMS = ("RS256", "ES256")
"""What API Gateway's authorizer and every large issuer know; no shared secrets, and not "none"."""

RSA_BITS = range(2048, 8193)
"""Less is weak; more only keeps us busy."""

MAX_KEY_ID_LENGTH = 256
COORDINATE_BYTES = 32
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class Rs256(Algorithm):
    def prepare_key(self, key: bytes) -> bytes:
        return key

    def verify(self, msg: bytes, key: bytes, sig: bytes) -> bool:
        return verify_sha256(key, msg, sig)

    def sign(self, msg: bytes, key: bytes) -> bytes:
        raise NotImplementedError("nothing is signed here")

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        raise NotImplementedError("keys come from the issuer")

    @staticmethod
    def from_jwk(jwk: Any) -> bytes:
        """Return the public key in DER.  Raise ValueError."""
        modulus, exponent = _number(jwk, "n"), _number(jwk, "e")
        if modulus.bit_length() not in RSA_BITS or not modulus % 2:
            raise ValueError(f"an RSA key should have {RSA_BITS.start} to {RSA_BITS.stop - 1} bits")
        if not (3 <= exponent < 2**32 and exponent % 2):
            raise ValueError("the exponent of an RSA key should be odd and of at most 32 bits")
        return der.rsa_public_key(modulus, exponent)


class Es256(Rs256):
    def verify(self, msg: bytes, key: bytes, sig: bytes) -> bool:
        if len(sig) != 2 * COORDINATE_BYTES:
            return False
        r, s = int.from_bytes(sig[:COORDINATE_BYTES]), int.from_bytes(sig[COORDINATE_BYTES:])
        return verify_sha256(key, msg, der.ecdsa_signature(r, s))

    @staticmethod
    def from_jwk(jwk: Any) -> bytes:
        """Return the public key in DER.  Raise ValueError."""
        x, y = _bytes(jwk, "x"), _bytes(jwk, "y")
        if jwk.get("crv") != "P-256" or len(x) != COORDINATE_BYTES or len(y) != COORDINATE_BYTES:
            raise ValueError("a key of ES256 should be a point of P-256")
        return der.p256_public_key(x, y)


class IssuerKey(jwt.PyJWK):
    """One public key of the issuer.  PyJWT refuses a token that names another algorithm than the key's."""

    def __init__(self, jwk_data: Mapping[str, Any]) -> None:
        """Raise ValueError if it is no public key for signatures that we verify."""
        kind = {"RSA": "RS256", "EC": "ES256"}.get(str(jwk_data.get("kty")), "")
        if not kind or jwk_data.get("alg", kind) != kind or jwk_data.get("use", "sig") != "sig":
            raise ValueError(
                f"kty {jwk_data.get('kty')!r:.40} with alg {jwk_data.get('alg')!r:.40} is not verified here"
            )
        self.algorithm_name = kind
        self.Algorithm = {"RS256": Rs256, "ES256": Es256}[kind]()
        self.key = self.Algorithm.from_jwk(jwk_data)
        check_key(self.key)


def read_key_set(document: Any, *, algorithms: Collection[str]) -> dict[str, IssuerKey]:
    """Return the keys of a JSON Web Key Set by their ids, without those that are not for `algorithms`.

    Raise ValueError if `document` is no key set.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError(f'a key set should be an object with "keys", got {document!r:.80}')
    keys: dict[str, IssuerKey] = {}
    for entry in entries:
        key_id, key = _key_id(entry), _usable(entry)
        if key_id and key and key.algorithm_name in algorithms:
            keys[key_id] = key
    return keys


def _usable(entry: Any) -> IssuerKey | None:
    try:
        return IssuerKey(entry) if isinstance(entry, dict) else None
    except (ValueError, UnusableKeyError):
        # An issuer may have other keys, for encryption or for younger algorithms.
        return None


def _key_id(entry: Any) -> str:
    key_id = entry.get("kid") if isinstance(entry, dict) else None
    return key_id if isinstance(key_id, str) and len(key_id) <= MAX_KEY_ID_LENGTH else ""


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_bytes(jwk, name))


def _bytes(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value) or len(value) > 2 * RSA_BITS.stop // 8:
        raise ValueError(f"{name} should be base64url text, got {value!r:.80}")
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))
