"""An OpenID issuer for one laptop: a key pair on disk, tokens signed with it, and the keys to verify them."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

DEFAULT_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True)
class LocalIssuer:
    """Stands for the issuer that the deployed authorizer names."""

    key_file: Path
    """Made at the first use, readable by this user only."""

    def issue_token(self, member: str, *, issuer: str, audience: str, lifetime: timedelta = DEFAULT_LIFETIME) -> str:
        """Return a token of `issuer` for `audience`, valid for `lifetime`, whose subject is the handle `member`."""
        now = datetime.now(UTC)
        claims = {
            "iss": issuer,
            "aud": audience,
            "sub": subject_of(member, issuer=issuer),
            "preferred_username": member,
            "iat": now,
            "exp": now + lifetime,
            "jti": str(uuid4()),
        }
        return jwt.encode(claims, self._private_key, algorithm="ES256", headers={"kid": self.key_id})

    @cached_property
    def jwks(self) -> dict[str, Any]:
        """The JSON Web Key Set to verify tokens with: public keys only."""
        key = ECAlgorithm.to_jwk(self._private_key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": self.key_id, "use": "sig", "alg": "ES256"}]}

    @cached_property
    def key_id(self) -> str:
        public = self._private_key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return sha256(public).hexdigest()[:16]

    @cached_property
    def _private_key(self) -> ec.EllipticCurvePrivateKey:
        if not self.key_file.exists():
            _write_new_key(self.key_file)
        key = serialization.load_pem_private_key(self.key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{self.key_file} holds a {type(key).__name__}, not an elliptic curve key; delete it")
        return key


def subject_of(member: str, *, issuer: str) -> str:
    """Return the same `sub` for the same member at every call, as an issuer does."""
    return str(uuid5(NAMESPACE_URL, f"{issuer}#{member}"))


def _write_new_key(path: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    # Whole or not at all: `make token` may run beside `make run`, and the first key must win.
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def describe(token: str) -> str:
    """Return the claims of `token` as readable JSON, without verifying it."""
    return json.dumps(jwt.decode(token, options={"verify_signature": False}), indent=2)
