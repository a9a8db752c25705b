"""Views as stock Django projects have them, which check nothing of what they are sent; and a table behind them."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path


class Item(models.Model):
    name = models.CharField(max_length=20, default="")
    note = models.TextField(default="")
    small = models.SmallIntegerField(default=0)
    amount = models.IntegerField(default=0)
    big = models.BigIntegerField(default=0)
    price = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    weight = models.FloatField(default=0)
    data = models.JSONField(default=dict)
    tags = ArrayField(models.CharField(max_length=5), default=list)
    made_at = models.DateTimeField(default=dt.datetime(2026, 11, 25, tzinfo=dt.UTC))
    tenth = models.GeneratedField(
        expression=models.F("amount") * 10, output_field=models.IntegerField(), db_persist=True
    )

    class Meta:
        app_label = "stock"

    def __str__(self):
        return self.name


def search(request):
    return JsonResponse({"found": Item.objects.filter(name__icontains=request.GET["q"]).count()})


def named(request, name):
    return JsonResponse({"id": get_object_or_404(Item, name=name).pk})


def numbered(request, number):
    return JsonResponse({"name": get_object_or_404(Item, pk=number).name})


def listed(request):
    count = int(request.GET.get("count", "10"))
    return JsonResponse({"names": [item.name for item in Item.objects.all()[:count]]})


def of_year(request):
    return JsonResponse({"found": Item.objects.filter(made_at__year=int(request.GET["year"])).count()})


def by_sql(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM stock_item WHERE id = %s::int", [request.GET["id"]])
        return JsonResponse({"names": cursor.fetchall()})


def create(request):
    """Store a form, field by field."""
    fields = {name: request.POST[name] for name in ("name", "note", "data") if name in request.POST}
    numbers = {name: int(request.POST[name]) for name in ("small", "amount", "big") if name in request.POST}
    if "price" in request.POST:
        numbers["price"] = Decimal(request.POST["price"])
    return JsonResponse({"id": Item.objects.create(**fields, **numbers).pk})


def create_from_json(request):
    return JsonResponse({"id": Item.objects.create(**json.loads(request.body)).pk})


def create_many(request):
    items = Item.objects.bulk_create([Item(**fields) for fields in json.loads(request.body)["items"]])
    return JsonResponse({"made": len(items)})


def keep_json(request):
    return JsonResponse({"id": Item.objects.create(data=json.loads(request.body)).pk})


def filter_by_json(request):
    return JsonResponse({"found": Item.objects.filter(**json.loads(request.GET["filter"])).count()})


def file(request):
    return HttpResponse(Path("/nowhere", request.GET["name"]).read_bytes())


# What a server does wrong by itself, whatever the request says.


def overflow(request):
    Item.objects.create(amount=2**31 - 1)
    Item.objects.update(amount=models.F("amount") + 1)
    return HttpResponse()


def overflow_of_a_column(request):
    """Compute what the client did not send, from a number that fits."""
    return JsonResponse({"id": Item.objects.create(amount=int(request.GET["n"])).pk})


def own_number(request):
    return JsonResponse({"id": Item.objects.create(amount=10**31).pk})


def own_text(request):
    return JsonResponse({"id": Item.objects.create(name="much longer than the column").pk})


def own_nul(request):
    return JsonResponse({"id": Item.objects.create(name="a\0b").pk})


def answer_of_another(request):
    """Read what another service has answered, which is broken or empty."""
    request.body  # noqa: B018 - as a view that logs its input
    return JsonResponse(json.loads(request.GET.get("broken", "") and "{'a': 1}"))


def own_bytes(request):
    return HttpResponse(b"\xff\xfe".decode())


def own_surrogate(request):
    return JsonResponse({"id": Item.objects.create(name="\udc80").pk})


def own_depth(request):
    return JsonResponse({"depth": json.loads("[" * 100_000)})


def own_recursion(request):
    return own_recursion(request)


def own_digits(request):
    return HttpResponse(str(int("9" * 5_000)))


def own_type(request):
    return JsonResponse({"found": Item.objects.filter(amount="abc").count()})


def own_key(request):
    return HttpResponse({}["abc"])


SERVER_FAULTS = [
    overflow, own_number, own_text, own_nul, answer_of_another, own_bytes, own_surrogate, own_depth, own_recursion,
    own_digits, own_type, own_key,
]  # fmt: skip

urlpatterns = [
    *(path(f"fault/{view.__name__}", view) for view in [*SERVER_FAULTS, overflow_of_a_column]),
    path("search", search),
    path("named/<str:name>", named),
    path("numbered/<int:number>", numbered),
    path("listed", listed),
    path("of-year", of_year),
    path("by-sql", by_sql),
    path("create", create),
    path("create-from-json", create_from_json),
    path("create-many", create_many),
    path("keep-json", keep_json),
    path("filter", filter_by_json),
    path("file", file),
]
