"""Every request carries `claims`, those of the token that Django itself verified, where no authorizer did.

Behind a load balancer, a function URL or any ASGI server, in the place of `http.claims.ClaimsMiddleware`:

    BEARER_TOKENS = {"ISSUER": "https://issuer.example.com", "AUDIENCE": ["my-app"]}

It needs PyJWT and `cryptography`, the extra "tokens".  The issuer must be reachable from the function: a network
without a way out has none to it.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from serverless_django.http.problems import unavailable

try:
    from serverless_django.identity.jwt import TokenVerifier
    from serverless_django.identity.key_set import KeysUnavailableError
except ModuleNotFoundError as error:
    # Most deployments have a gateway that verifies tokens, and do not carry five megabytes for it.
    raise ImproperlyConfigured(f'{error}, which verifies tokens; run uv add "pyjwt[crypto]" and deploy') from error


class BearerTokenMiddleware:
    """Set `request.claims`, a mapping with `sub` among others, or None without a valid token.

    What a gateway says in the event is not looked at.
    """

    sync_capable = True
    # It may wait for the issuer.
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._verifier = TokenVerifier.of(settings.BEARER_TOKENS)  # type: ignore[misc]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request.claims = self._verifier.claims_of(request.headers.get("Authorization", ""))  # type: ignore[attr-defined]
        except KeysUnavailableError as error:
            # A refusal would make a phone throw a good token away.
            return unavailable(request, error)
        return self.get_response(request)
