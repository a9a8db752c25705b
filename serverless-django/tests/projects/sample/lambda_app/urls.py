import json

from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from serverless_django.identity.caller import find_caller


def books(request: HttpRequest) -> HttpResponse:
    """Answer a caller with what one query counts, or with what it has sent."""
    if find_caller(request) is None:
        return HttpResponse(status=401)
    if request.method == "POST":
        return JsonResponse(json.loads(request.body), status=201)
    return JsonResponse({"books": ContentType.objects.count()})


urlpatterns = [
    path("", include("serverless_django.http.health")),
    path("v1/books", books),
]
