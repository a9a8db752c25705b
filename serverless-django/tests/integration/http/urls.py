"""Every view of `views`, at its own name."""

from inspect import getmembers, isfunction, signature

from django.urls import path

from tests.integration.http import views

urlpatterns = [
    path(name, view) for name, view in getmembers(views, isfunction) if list(signature(view).parameters) == ["request"]
]
