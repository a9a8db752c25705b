"""JSON Web Key → a key that PyJWT verifies with, bound to one algorithm: the token has no say in it."""

from collections.abc import Collection, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHMS = ("RS256", "ES256")
"""What API Gateway's authorizer and every large issuer know; no shared secrets, and not "none"."""

RSA_BITS = range(2048, 8193)
"""Less is weak; more only keeps us busy."""

MAX_KEY_ID_LENGTH = 256
MAX_NUMBER_LENGTH = 2 * RSA_BITS.stop // 8


class IssuerKey(jwt.PyJWK):
    """One public key of the issuer.  PyJWT refuses a token that names another algorithm than the key's."""

    def __init__(self, jwk_data: Mapping[str, Any]) -> None:
        """Raise jwt.PyJWTError or ValueError if it is no public key for signatures that we verify."""
        kind = {"RSA": "RS256", "EC": "ES256"}.get(str(jwk_data.get("kty")), "")
        if not kind or jwk_data.get("alg", kind) != kind or jwk_data.get("use", "sig") != "sig":
            raise ValueError(
                f"kty {jwk_data.get('kty')!r:.40} with alg {jwk_data.get('alg')!r:.40} is not verified here"
            )
        super().__init__(_public_numbers(jwk_data), algorithm=kind)
        if not _is_strong(self.key):
            raise ValueError(f"a key should be RSA of {RSA_BITS.start} to {RSA_BITS.stop - 1} bits, or of P-256")


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


def _public_numbers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a public key is made of: a key set is no place for a private one, which would be another type."""
    numbers = {name: entry[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in entry}
    if any(not isinstance(text, str) or len(text) > MAX_NUMBER_LENGTH for text in numbers.values()):
        raise ValueError(f"the numbers of a key should be text of at most {MAX_NUMBER_LENGTH:,} characters")
    return numbers


def _is_strong(key: Any) -> bool:
    if isinstance(key, RSAPublicKey):
        # An exponent beyond 32 bits only keeps us busy, too.
        return key.key_size in RSA_BITS and key.public_numbers().e < 2**32
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def _usable(entry: Any) -> IssuerKey | None:
    try:
        return IssuerKey(entry) if isinstance(entry, dict) else None
    except (jwt.PyJWTError, ValueError, TypeError):
        # An issuer may have other keys, for encryption or for younger algorithms.
        return None


def _key_id(entry: Any) -> str:
    key_id = entry.get("kid") if isinstance(entry, dict) else None
    return key_id if isinstance(key_id, str) and len(key_id) <= MAX_KEY_ID_LENGTH else ""
