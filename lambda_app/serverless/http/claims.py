"""Every request carries `claims`: those of its verified token, or None."""

from django.http import HttpRequest

from lambda_app.serverless.http.gateway import verified_claims
from lambda_app.serverless.http.middleware import InlineMiddleware


class ClaimsMiddleware(InlineMiddleware):
    """Set `request.claims`, a mapping with `sub` among others, or None without a verified token."""

    def before(self, request: HttpRequest) -> None:
        request.claims = verified_claims(request)  # type: ignore[attr-defined]
