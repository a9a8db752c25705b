"""The floor: Django with no app, no database and one view, called without any adapter."""

import django
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None)
django.setup()

urlpatterns = [path("<path:anything>", lambda request, anything: JsonResponse({"status": "ok"}))]

django_handler = BaseHandler()
django_handler.load_middleware()


def handler(event, context):
    request = HttpRequest()
    request.method, request.path_info = "GET", event["rawPath"]
    request.META = {"SERVER_NAME": "localhost", "SERVER_PORT": "443"}
    response = django_handler.get_response(request)
    return {"statusCode": response.status_code, "body": response.content.decode()}
