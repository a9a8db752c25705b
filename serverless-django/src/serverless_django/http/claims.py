"""Every request carries `claims`: those of its verified token, or None."""

from django.http import HttpRequest

from serverless_django.http.gateway import verified_claims
from serverless_django.middleware import InlineMiddleware


class ClaimsMiddleware(InlineMiddleware):
    """Set `request.claims`, a mapping with `sub` among others, or None without a verified token."""

    def before(self, request: HttpRequest) -> None:
        request.claims = verified_claims(request)  # type: ignore[attr-defined]
