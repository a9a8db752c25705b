from django.urls import path

from lambda_app.apps.feed.api import api
from lambda_app.apps.feed.docs import serve_asset

urlpatterns = [
    path("v1/docs/<str:name>", serve_asset, name="docs-asset"),
    path("v1/", api.urls),
]
