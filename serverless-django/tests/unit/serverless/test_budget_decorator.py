"""One line above a view or a task declares its budget, whatever kind of view it is."""

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.http import HttpResponse
from django.tasks import task
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response
from rest_framework.views import APIView

from serverless_django.budgets import InvalidBudgetError, budget

LIMITS = {"queries": 3, "response_bytes": 1_000}


@budget(**LIMITS)
def function(request):
    return HttpResponse()


@budget(**LIMITS)
async def coroutine(request):
    return HttpResponse()


class Method(View):
    @budget(**LIMITS)
    def get(self, request):
        return HttpResponse()


@method_decorator(budget(**LIMITS), name="dispatch")
class WholeClass(View):
    def get(self, request):
        return HttpResponse()


class ApiMethod(APIView):
    authentication_classes = ()
    permission_classes = ()

    @budget(**LIMITS)
    def get(self, request):
        return Response()


@budget(**LIMITS)
@api_view()
@permission_classes([])
def api_function(request):
    return Response()


VIEWS = {
    "function": function,
    "async function": async_to_sync(coroutine),
    "method": Method.as_view(),
    "whole class": WholeClass.as_view(),
    "method of an APIView": ApiMethod.as_view(),
    "api_view": api_function,
    "as_view": budget(**LIMITS)(View.as_view()),
}


@pytest.fixture(autouse=True)
def _no_users(settings):
    settings.REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []}


@pytest.mark.parametrize("kind", VIEWS)
def test_the_request_carries_the_budget_of_its_view(kind):
    request = RequestFactory().get("/")

    VIEWS[kind](request)

    assert request.budget == LIMITS


def test_an_async_view_stays_one():
    assert iscoroutinefunction(coroutine)
    assert not iscoroutinefunction(function)


def test_a_task_carries_the_budget_of_its_function():
    @budget(**LIMITS)
    def measured(number):
        return number + 1

    assert measured.budget == LIMITS
    assert measured(1) == 2
    assert task(function).func.budget == LIMITS


def test_a_limit_that_does_not_exist_is_refused_where_it_is_written():
    with pytest.raises(InvalidBudgetError, match="no limit 'querys'; it has queries, repeats"):
        budget(querys=3)
