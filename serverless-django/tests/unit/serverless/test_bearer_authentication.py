"""A verified token is a caller, in a plain view, in django-ninja and in Django REST Framework alike."""

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import JsonResponse
from django.test import Client
from django.urls import path
from ninja import NinjaAPI
from ninja.errors import AuthenticationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from serverless_django.identity.caller import read_caller
from serverless_django.identity.drf import BearerAuthentication
from serverless_django.identity.ninja import BearerAuth, ask_for_token
from tests.issuer import AUDIENCE, ISSUER, Issuer

USERS = {"ada": "Ada Lovelace", "eve": None}


def find_user(caller):
    if caller.subject == "blocked":
        raise PermissionDenied
    return USERS.get(caller.subject, caller)


class Users(BearerAuth):
    def find_user(self, caller):
        return find_user(caller)


class AsyncUsers(BearerAuth):
    async def find_user(self, caller):
        return find_user(caller)


class DrfUsers(BearerAuthentication):
    def find_user(self, caller):
        user = find_user(caller)
        return user and type(caller)(str(user), caller.claims)


api = NinjaAPI(urls_namespace="bearer", auth=Users())
api.add_exception_handler(AuthenticationError, ask_for_token)


@api.get("ninja")
def ninja_view(request):
    return {"caller": str(request.auth)}


@api.get("async-ninja", auth=AsyncUsers())
async def async_ninja_view(request):
    return {"caller": str(request.auth)}


@api.get("ninja-callers", auth=BearerAuth())
def ninja_callers(request):
    return {"caller": request.auth.subject, "scope": request.auth.claims.get("scope")}


class DrfView(APIView):
    authentication_classes = (DrfUsers,)
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"caller": str(request.user)})


class DrfCallers(DrfView):
    authentication_classes = (BearerAuthentication,)

    def get(self, request):
        return Response({"caller": request.user.pk, "scope": request.auth.get("scope")})


class DrfPublic(DrfView):
    permission_classes = ()


def plain(request):
    return JsonResponse({"caller": read_caller(request).subject})


urlpatterns = [
    path("plain", plain),
    path("drf", DrfView.as_view()),
    path("drf-callers", DrfCallers.as_view()),
    path("drf-public", DrfPublic.as_view()),
    path("", api.urls),
]
WITH_USERS = ["ninja", "async-ninja", "drf"]
WITHOUT_USERS = ["ninja-callers", "drf-callers"]


@pytest.fixture(autouse=True)
def _project(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["serverless_django.http.middleware.ClaimsMiddleware"]
    settings.REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None}


def get(where, **claims):
    event = {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}} if claims else {}
    return Client(**{"aws.event": event}).get(f"/{where}")


@pytest.mark.parametrize("where", WITH_USERS)
def test_the_user_is_the_one_whom_the_project_finds(where):
    assert get(where, sub="ada").json() == {"caller": "Ada Lovelace"}


@pytest.mark.parametrize("where", WITHOUT_USERS)
def test_a_project_without_users_is_told_subject_and_claims(where):
    assert get(where, sub="machine", scope="orders/read").json() == {"caller": "machine", "scope": "orders/read"}


@pytest.mark.parametrize("where", WITH_USERS + WITHOUT_USERS)
@pytest.mark.parametrize(
    "claims", [{}, {"name": "Ada"}, {"sub": ""}, {"sub": 7}, {"sub": "a\x00da"}, {"sub": "a" * 256}], ids=str
)
def test_without_a_usable_subject_the_answer_is_401_with_the_scheme(where, claims):
    answer = get(where, **claims)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("where", WITH_USERS)
def test_a_token_of_an_unknown_user_is_refused(where):
    assert get(where, sub="eve").status_code == 401


@pytest.mark.parametrize("where", WITH_USERS)
def test_a_user_who_may_not_call_gets_403(where):
    assert get(where, sub="blocked").status_code == 403


def test_a_view_without_permissions_lets_anyone_pass():
    assert get("drf-public").json() == {"caller": "None"}


def test_a_plain_view_reads_the_caller_or_is_forbidden():
    assert get("plain", sub="ada").json() == {"caller": "ada"}
    assert get("plain").status_code == 403


@pytest.mark.parametrize("where", ["plain", *WITH_USERS])
def test_no_header_makes_a_caller(where):
    answer = Client(headers={"aws.event": "{}", "claims": "{}", "authorization": "Bearer a.b.c"}).get(f"/{where}")

    assert answer.status_code in (401, 403)


@pytest.mark.parametrize("where", ["plain", "ninja", "drf"])
def test_a_project_that_verifies_no_tokens_is_told_so(settings, where):
    settings.MIDDLEWARE = []

    with pytest.raises(ImproperlyConfigured, match=r"add serverless_django\.http\.middleware"):
        get(where)


@pytest.mark.parametrize("where", WITH_USERS)
def test_a_token_that_django_verified_itself_is_a_caller_too(settings, where):
    issuer = Issuer()
    settings.MIDDLEWARE = ["serverless_django.identity.middleware.BearerTokenMiddleware"]
    with issuer.served() as url:
        settings.BEARER_TOKENS = {"ISSUER": ISSUER, "AUDIENCE": [AUDIENCE], "KEYS_URL": url}
        answers = [
            Client(headers={"authorization": f"Bearer {token}"}).get(f"/{where}")
            for token in (issuer.token(), issuer.token(exp=1))
        ]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[0].json() == {"caller": "Ada Lovelace"}


def test_the_openapi_document_names_the_scheme():
    assert api.get_openapi_schema()["components"]["securitySchemes"]["BearerAuth"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
    }
