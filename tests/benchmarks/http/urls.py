"""The service's URLs, and views that do as little as can be measured."""

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

from lambda_app.apps.feed.models import Member
from lambda_app.urls import urlpatterns as service_urls


def trivial(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


async def trivial_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


def one_query(request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM feed_member WHERE handle = %s", ["ada"])
        return JsonResponse({"members": cursor.fetchone()[0]})


async def one_query_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"members": await Member.objects.filter(handle="ada").acount()})


urlpatterns = [
    path("trivial", trivial),
    path("trivial-async", trivial_async),
    path("one-query", one_query),
    path("one-query-async", one_query_async),
    *service_urls,
]
