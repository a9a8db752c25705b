"""Every URL of the service."""

from django.urls import include, path

urlpatterns = [
    path("", include("serverless_django.http.health")),
    path("", include("lambda_app.apps.feed.urls")),
]
