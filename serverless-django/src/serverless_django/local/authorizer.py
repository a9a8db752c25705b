"""The JWT authorizer of an HTTP API: a request's token → claims, or the refusal as API Gateway words it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jwt

from serverless_django.local.api_gateway import Caller
from serverless_django.local.deployed_api import JwtAuthorizer

ALGORITHMS = ("RS256", "ES256")
"""Chosen here, never by the token: otherwise "none", or a public key used as a shared secret, would pass."""

KeySetOf = Callable[[str], Mapping[str, Any]]
"""Issuer → its JSON Web Key Set."""


class UnauthorizedError(Exception):
    """The request has no token that is valid.  The text is for the header `www-authenticate`."""


class ForbiddenError(Exception):
    """The token is valid, but has none of the scopes that the route needs."""


def authorize(
    headers: Mapping[str, str], authorizer: JwtAuthorizer, *, scopes: Sequence[str] = (), keys: KeySetOf
) -> Caller:
    """Return the caller whose token is in `headers`, whose names are in lower case.

    `scopes` are those of which `authorizer` demands one; `keys` returns the keys of an issuer.

    Raise UnauthorizedError or ForbiddenError.
    """
    value = headers.get(authorizer.identity_header, "").strip()
    if not value:
        raise UnauthorizedError("Bearer")
    try:
        claims = verified_claims(_without_scheme(value), authorizer, keys=keys)
    # A header of nested brackets, or a time beyond all bounds, is as wrong as a bad signature.
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
        description = _description(error)
        raise UnauthorizedError(
            f'Bearer scope="{" ".join(scopes)}" error="invalid_token" error_description="{description}"'
        ) from error
    return Caller(claims=claims, scopes=_granted(claims, scopes))


def _without_scheme(value: str) -> str:
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else value


def verified_claims(token: str, authorizer: JwtAuthorizer, *, keys: KeySetOf) -> dict[str, Any]:
    """Return the claims of `token`; `keys` returns the keys of an issuer.

    Raise jwt.PyJWTError if `authorizer` does not accept the token.
    """
    if token.count(".") != 2:
        raise jwt.DecodeError("token contains an invalid number of segments")
    claims: dict[str, Any] = jwt.decode(
        token,
        _key(token, keys(authorizer.issuer)),
        algorithms=ALGORITHMS,
        issuer=authorizer.issuer,
        options={"verify_aud": False, "require": ["exp", "iss"]},
    )
    _check_audience(claims, authorizer.audience)
    return claims


def _key(token: str, key_set: Mapping[str, Any]) -> jwt.PyJWK:
    kid = jwt.get_unverified_header(token).get("kid")
    for key in key_set["keys"]:
        if key["kid"] == kid:
            return jwt.PyJWK(key)
    raise jwt.InvalidKeyError(f"no key {kid!r} among those of the issuer")


def _check_audience(claims: Mapping[str, Any], allowed: Sequence[str]) -> None:
    # `client_id` counts only where there is no `aud`, as in Cognito's access tokens.
    audience = claims["aud"] if "aud" in claims else claims.get("client_id")
    if not set(audience if isinstance(audience, list) else [audience]) & set(allowed):
        raise jwt.InvalidAudienceError("the token does not have a valid audience")


def _granted(claims: Mapping[str, Any], needed: Sequence[str]) -> tuple[str, ...] | None:
    if not needed:
        return None
    granted = claims.get("scope", claims.get("scp", ""))
    held = tuple(granted.split() if isinstance(granted, str) else granted)
    if not set(held) & set(needed):
        raise ForbiddenError
    return held


DESCRIPTIONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.InvalidAudienceError, "the token does not have a valid audience"),
    (jwt.InvalidIssuerError, "the token does not have a valid issuer"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.DecodeError, "token contains an invalid number of segments"),
)


def _description(error: Exception) -> str:
    # Never the library's own words: they may quote the token, and a quote would break the header.
    for type_, words in DESCRIPTIONS:
        if type(error) is type_:
            return words
    return "the token is invalid"
