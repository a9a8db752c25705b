"""A bearer token → its claims, or None: verified as API Gateway's JWT authorizer does, and a little more strictly."""

import json
import logging
import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

import jwt
from django.core.exceptions import ImproperlyConfigured

from serverless_django.identity.issuer_keys import ALGORITHMS, MAX_KEY_ID_LENGTH
from serverless_django.identity.key_set import KeySet

logger = logging.getLogger(__name__)

LEEWAY = timedelta(seconds=30)
"""How far the clocks of the issuer and of Lambda may be apart."""

MAX_TOKEN_LENGTH = 8_192
"""API Gateway takes 10 KB of headers in all."""

SETTINGS = frozenset({"ISSUER", "AUDIENCE", "KEYS_URL", "ALGORITHMS", "REQUIRED_CLAIMS"})
REQUIRED = ("exp", "iss", "sub")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

REFUSALS = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What an odd token may make PyJWT or a JSON decoder raise: brackets nested without end, times beyond all bounds."""


@dataclass(frozen=True, kw_only=True)
class TokenVerifier:
    """Whose tokens are taken, and for whom they must be made."""

    issuer: str
    audience: Collection[str]
    """One of these must be in `aud`, or be the `client_id` of a token without `aud`, as Cognito's access tokens are."""

    keys: KeySet
    algorithms: Sequence[str] = ALGORITHMS
    required_claims: Mapping[str, str] = field(default_factory=dict)
    """Claims that must have these values, such as `token_use`."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Return the verifier that `settings.BEARER_TOKENS` describes.

        Raise ImproperlyConfigured rather than let tokens be judged loosely.
        """
        if unknown := sorted(settings.keys() - SETTINGS):
            known = ", ".join(sorted(SETTINGS))
            raise ImproperlyConfigured(f"BEARER_TOKENS knows no {', '.join(unknown)}; use one of {known}")
        issuer, audience = settings.get("ISSUER", ""), settings.get("AUDIENCE", ())
        algorithms = settings.get("ALGORITHMS") or ALGORITHMS
        if not (isinstance(issuer, str) and issuer and _are_texts(audience) and _are_texts(algorithms, of=ALGORITHMS)):
            raise ImproperlyConfigured(
                "BEARER_TOKENS needs ISSUER, a text, AUDIENCE, a list of texts, and ALGORITHMS, a list of "
                f"{', '.join(ALGORITHMS)}; got {dict(settings)!r}"
            )
        try:
            keys = KeySet(settings.get("KEYS_URL") or default_keys_url(issuer), algorithms=algorithms)
        except ValueError as error:
            raise ImproperlyConfigured(f"BEARER_TOKENS: {error}") from error
        required = settings.get("REQUIRED_CLAIMS", {})
        if not isinstance(required, Mapping):
            raise ImproperlyConfigured(f"BEARER_TOKENS: REQUIRED_CLAIMS should be a dict, got {required!r}")
        return cls(issuer=issuer, audience=audience, keys=keys, algorithms=algorithms, required_claims=required)

    def claims_of(self, authorization: str) -> dict[str, Any] | None:
        """Return the claims of the token in a header `Authorization`, or None if it has no valid one.

        Raise KeysUnavailableError if that cannot be told now.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or len(token) > MAX_TOKEN_LENGTH or not _TOKEN.fullmatch(token):
            return None
        try:
            return self._verified(token)
        except REFUSALS as error:
            # Its kind for the operator; the caller gets the same answer for every reason.
            logger.info("a token was refused: %s", type(error).__name__)
            return None

    def _verified(self, token: str) -> dict[str, Any]:
        header = _read_segment(token.partition(".")[0])
        key = self.keys.find(_key_id(header))
        if key is None:
            raise jwt.InvalidKeyError("the issuer has no such key")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=self.issuer,
            leeway=LEEWAY,
            options={"verify_aud": False, "require": list(REQUIRED)},
        )
        _read_segment(token.split(".")[1])
        self._check_claims(claims)
        return claims

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        audience = claims["aud"] if "aud" in claims else claims.get("client_id")
        named = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(name, str) and name in self.audience for name in named):
            raise jwt.InvalidAudienceError("the token is for another audience")
        for name, value in self.required_claims.items():
            if claims.get(name) != value:
                raise jwt.InvalidTokenError(f"the token has another {name}")


def _are_texts(values: Any, *, of: Collection[str] = ()) -> bool:
    """Tell whether `values` are some texts, of those in `of`.  A text alone would be taken for its letters."""
    return (
        isinstance(values, list | tuple | set | frozenset)
        and bool(values)
        and all(isinstance(value, str) and value and (not of or value in of) for value in values)
    )


def default_keys_url(issuer: str) -> str:
    """Return the URL at which `issuer` publishes its keys, as most issuers do, Cognito and Auth0 among them."""
    return f"{issuer.rstrip('/')}/.well-known/jwks.json"


def _key_id(header: Mapping[str, Any]) -> str:
    key_id = header.get("kid")
    # "crit" names extensions that must be understood, and none is.
    if not isinstance(key_id, str) or not 0 < len(key_id) <= MAX_KEY_ID_LENGTH or "crit" in header:
        raise jwt.InvalidTokenError("the header of a token should have a kid, and no crit")
    return key_id


def _read_segment(segment: str) -> dict[str, Any]:
    """Decode one part of a token.  Raise ValueError unless it is a JSON object that says everything once."""
    decoded = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)), object_pairs_hook=_once_each)
    if not isinstance(decoded, dict):
        raise ValueError("a part of a token should be a JSON object")
    return decoded


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        # Two readers could take two different ones for what was signed.
        raise ValueError("a part of a token says something twice")
    return fields
