"""A table with a column of each type that Django and django.contrib.postgres know, in no project."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from django.apps.registry import Apps
from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    HStoreField,
    IntegerRangeField,
)
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from psycopg.types.range import Range

EXTENSIONS = ("btree_gist", "citext", "hstore", "pg_trgm", "unaccent")


class Shelf(models.Model):
    title = models.CharField(max_length=100, unique=True)

    class Meta:
        app_label, apps = "statements", Apps()


class Thing(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=100_000)
    note = models.CharField(max_length=100_000, null=True)  # noqa: DJ001 - null is what is tried
    number = models.IntegerField()
    small = models.SmallIntegerField(default=1)
    big = models.BigIntegerField()
    ratio = models.FloatField()
    amount = models.DecimalField(max_digits=30, decimal_places=10)
    flag = models.BooleanField()
    day = models.DateField()
    moment = models.DateTimeField()
    clock = models.TimeField()
    span = models.DurationField()
    raw = models.BinaryField()
    address = models.GenericIPAddressField()
    document = models.JSONField()
    words = ArrayField(models.TextField())
    numbers = ArrayField(models.IntegerField())
    matrix = ArrayField(ArrayField(models.CharField(max_length=100_000)))
    pairs = HStoreField()
    numbers_range = IntegerRangeField()
    bigs_range = BigIntegerRangeField()
    amounts_range = DecimalRangeField()
    days_range = DateRangeField()
    moments_range = DateTimeRangeField()
    search = SearchVectorField(null=True)
    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="things")

    class Meta:
        app_label, apps = "statements", Shelf._meta.apps


class Reading(models.Model):
    """Two columns for a key."""

    pk = models.CompositePrimaryKey("sensor", "number")
    sensor = models.TextField()
    number = models.IntegerField()
    value = models.TextField()

    class Meta:
        app_label, apps = "statements", Shelf._meta.apps


MODELS = (Shelf, Thing, Reading)


def thing(number: int, shelf: Shelf, **values: object) -> Thing:
    day = date(2026, 1, 1) + timedelta(days=number)
    moment = datetime(2026, 1, 1, 12, 30, 15, 500, tzinfo=UTC) + timedelta(days=number)
    defaults: dict[str, object] = {
        "id": UUID(int=number),
        "name": f"Thing número {number}",
        "note": None if number == 2 else f"a note, 'quoted' \\ {number} 100%",
        "number": number,
        "big": 10**12 + number,
        "ratio": number / 7,
        "amount": Decimal(number) / 3,
        "flag": bool(number % 2),
        "day": day,
        "moment": moment,
        "clock": time(number, 30),
        "span": timedelta(days=number, seconds=5),
        "raw": bytes([0, 255, number]),
        "address": f"192.168.0.{number}",
        "document": {"name": f"Thing {number}", "tags": ["red", "green"], "size": {"width": number}, "no": None},
        "words": ["first word", f"word {number}", "lasting word"],
        "numbers": [number, 1_234_567],
        "matrix": [["first word", "second"], ["third", "fourth"]],
        "pairs": {"colour": "yellow green", "number": str(number), "nothing": None},
        "numbers_range": Range(number, number + 10),
        "bigs_range": Range(10**12, 10**12 + number + 1),
        "amounts_range": Range(Decimal("0.5"), Decimal(number) + 1),
        "days_range": Range(day, day + timedelta(days=5)),
        "moments_range": Range(moment, moment + timedelta(hours=5)),
        "shelf": shelf,
    }
    return Thing(**defaults | values)
