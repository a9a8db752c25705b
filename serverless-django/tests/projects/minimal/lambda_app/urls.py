from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from lambda_app.models import Greeting
from lambda_app.tasks import greet


def greetings(request: HttpRequest) -> JsonResponse:
    if request.method == "POST":
        greet.enqueue(request.GET["name"])
        return JsonResponse({}, status=202)
    return JsonResponse({"greetings": list(Greeting.objects.values_list("name", flat=True))})


urlpatterns = [
    path("", include("serverless_django.http.health")),
    path("greetings", greetings),
]
