"""The docs page and its assets, served from django-ninja's own files: nothing is loaded from elsewhere."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import ninja
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

from serverless_django.budgets import budget

CONTENT_TYPES = {
    "favicon.png": "image/png",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui-init.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}

# Swagger UI draws with inline styles and data: images; its scripts come from files only.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{favicon}" type="image/png">
<link rel="stylesheet" href="{style}">
</head>
<body>
<script type="application/json" id="swagger-settings">{settings}</script>
<div id="swagger-ui"></div>
<script src="{bundle}"></script>
<script src="{start}"></script>
</body>
</html>
"""


class DocsPage(DocsBase):
    def render_page(self, request: HttpRequest, api: NinjaAPI, **options: Any) -> HttpResponse:
        settings = {"url": self.get_openapi_url(api, options), "layout": "BaseLayout", "deepLinking": True}
        page = format_html(
            PAGE,
            title=f"{api.title} API",
            favicon=_asset_url("favicon.png"),
            style=_asset_url("swagger-ui.css"),
            bundle=_asset_url("swagger-ui-bundle.js"),
            start=_asset_url("swagger-ui-init.js"),
            # JSON with "<" written as its escape cannot close the element that holds it.
            settings=mark_safe(json.dumps(settings).replace("<", "\\u003c")),  # noqa: S308
        )
        return HttpResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY} | _NOSNIFF)


_NOSNIFF = {"X-Content-Type-Options": "nosniff"}


@require_safe
@budget(response_bytes=2_000_000)
def serve_asset(request: HttpRequest, name: str) -> HttpResponse:
    """Raise Http404 unless the docs page uses `name`."""
    if name not in CONTENT_TYPES:
        raise Http404(f"the docs page has no {name!r}")
    # Without end: the address contains the version.
    headers = {"Cache-Control": "public, max-age=31536000, immutable"} | _NOSNIFF
    return HttpResponse(_read_asset(name), content_type=CONTENT_TYPES[name], headers=headers)


@cache
def _read_asset(name: str) -> bytes:
    return (files("ninja") / "static" / "ninja" / name).read_bytes()


def _asset_url(name: str) -> str:
    return f"{reverse('docs-asset', args=[name])}?v={ninja.__version__}"
