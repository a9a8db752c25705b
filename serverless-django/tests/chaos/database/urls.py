"""Routes whose effects can be counted: nothing in the table keeps an effect from being there twice."""

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

TABLES = """
    CREATE TABLE effect (id text);
    GRANT SELECT, INSERT ON effect TO app;
"""


def read(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM effect")
        return HttpResponse(str(cursor.fetchone()[0]))


def add(request: HttpRequest, id: str) -> HttpResponse:
    """Write one effect, and hold the transaction open for some seconds."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO effect VALUES (%s)", [id])
        cursor.execute("SELECT pg_sleep(%s)", [float(request.GET.get("seconds", 0))])
    return HttpResponse("added")


def fill(request: HttpRequest, id: str) -> HttpResponse:
    """Write a megabyte to the small disk, and one effect, or neither."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO effect VALUES (%s)", [id])
        cursor.execute("INSERT INTO small SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
    return HttpResponse("filled")


urlpatterns = [path("read", read), path("add/<str:id>", add), path("fill/<str:id>", fill)]
