"""What an app does through managers and querysets, each with as many values as the size has."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Case, Count, F, Prefetch, Q, Value, When, prefetch_related_objects
from django.db.models import functions as f

from tests.integration.statements.models import Reading, Shelf, Thing, thing
from tests.integration.statements.sizes import Size

type Operations = list[Callable[[str, Size], Any]]
"""Each takes the alias of a database."""


def things(using: str) -> models.QuerySet[Thing]:
    return Thing.objects.using(using)


def new_things(using: str, p: Size, **values: Any) -> list[Thing]:
    shelf = Shelf.objects.using(using).get()
    return [thing(number % 20 + 1, shelf, id=UUID(int=10**6 + number), **values) for number in range(p.id_count)]


def changed(using: str, p: Size) -> list[Thing]:
    """Return the stored rows and others that are new, all with other values."""
    rows = [*things(using).order_by("number"), *things(using).bulk_create(new_things(using, p))]
    for number, row in enumerate(rows):
        row.note = p.text(f"changed {number} ") if number < 3 else f"changed {number}"
        row.day += timedelta(days=1)
        row.document = {"changed": number}
        row.words = ["changed", row.note]
        row.amount += 1
    return rows


def create(using: str, p: Size) -> Any:
    shelf = Shelf.objects.using(using).get()
    values = {"name": p.text("n"), "note": p.text("it's \\ "), "document": p.document, "words": p.words}
    created = things(using).create(**{**_columns(thing(5, shelf)), **values})
    return things(using).filter(pk=created.pk).values_list()


def _columns(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def bulk_create(using: str, p: Size) -> Any:
    created = things(using).bulk_create(new_things(using, p, note=p.text("it's \\ ")[:20_000]))
    return len(created), created[-1].pk


def bulk_create_of_expressions(using: str, p: Size) -> Any:
    rows = [Shelf(title=f.Upper(Value(f"title {number}"))) for number in range(p.id_count)]
    return len(Shelf.objects.using(using).bulk_create(rows))


def bulk_create_of_brief_rows(using: str, p: Size) -> Any:
    rows = [Shelf(title=f"title {number}") for number in range(p.id_count)]
    return len(Shelf.objects.using(using).bulk_create(rows))


def upsert(using: str, p: Size) -> Any:
    rows = [*things(using).order_by("number"), *new_things(using, p)]
    for row in rows:
        row.note = "updated"
    things(using).bulk_create(rows, update_conflicts=True, update_fields=["note"], unique_fields=["id"])


def bulk_create_again(using: str, p: Size) -> Any:
    things(using).bulk_create([*things(using), *new_things(using, p)], ignore_conflicts=True)


def readings(using: str, p: Size) -> Any:
    rows = [Reading(sensor="new sensor", number=number, value=p.text("v")[:100]) for number in range(p.id_count)]
    Reading.objects.using(using).bulk_create(rows)
    keys = [("new sensor", number) for number in range(p.id_count)] + [("Thing número 1", 1)]
    found = Reading.objects.using(using).filter(pk__in=keys).count() if p.id_count <= 600 else None
    for row in rows:
        row.value = f"value {row.number}"
    return found, Reading.objects.using(using).bulk_update(rows, ["value"])


def prefetch(using: str, p: Size) -> Any:
    shelves = Shelf.objects.using(using).bulk_create(Shelf(title=f"title {number}") for number in range(p.id_count))
    things(using).filter(number=1).update(shelf=shelves[-1])
    named = Prefetch(
        "things", things(using).filter(name__in=p.strings).annotate(text=f.Concat("name", Value(p.text())))
    )
    prefetch_related_objects(shelves, named)
    return [[row.text for row in shelf.things.all()] for shelf in shelves]


def update(using: str, p: Size) -> Any:
    note = f.Concat("name", Value(p.text()), output_field=models.TextField())
    return things(using).filter(id__in=p.ids).update(
        note=note, day=F("day") + timedelta(days=2), number=F("number") + 1_234_567, document=p.document
    )  # fmt: skip


def update_or_create(using: str, p: Size) -> Any:
    row, created = Reading.objects.using(using).update_or_create(
        sensor="Thing número 1", number=1, defaults={"value": p.text()}, create_defaults={"value": "new"}
    )
    other, other_created = Reading.objects.using(using).get_or_create(sensor="other", number=1, defaults={"value": "v"})
    return row.value, created, other.value, other_created


def updated_by_case(using: str, p: Size) -> Any:
    cases = [When(name=name, then=Value(f"note {number}")) for number, name in enumerate(p.strings[:600])]
    return things(using).update(note=Case(*cases[:50], default=Value(p.text())))


def combined(using: str, p: Size) -> Any:
    named, numbered = things(using).filter(name__in=p.strings), things(using).filter(number__in=range(2, p.id_count))
    both = named.values_list("name", Value(p.text())).union(numbered.values_list("note", Value("other text")))
    return sorted(map(str, both)), named.intersection(numbered).count(), list(named.difference(numbered).values("id"))


def counted(using: str, p: Size) -> Any:
    label = f.Coalesce("note", Value(p.text()))
    rows = things(using).filter(name__in=p.strings).annotate(label=label).values("label").annotate(n=Count("id"))
    return list(rows.filter(n__gt=0).order_by("label")), rows.distinct().count()


def read(using: str, p: Size) -> Any:
    rows = things(using).filter(Q(id__in=p.ids) | Q(name=p.text())).order_by("number")
    return [
        list(rows.values_list()),
        list(rows.dates("day", "month")),
        [row.name for row in rows.select_related("shelf").iterator(chunk_size=2)],
        rows.defer("document").last().name,
        rows.reverse().exists(),
        list(things(using).extra(where=["name <> %s"], params=[p.text()]).filter(id__in=p.ids).values_list("number")),
        [row.pk for row in things(using).raw("SELECT * FROM statements_thing WHERE name <> %s", [p.text()])],
        sorted(map(str, things(using).in_bulk(p.ids))),
        min(things(using).in_bulk(p.ids, field_name="id").values(), key=lambda row: row.number).words,
        rows.aggregate(models.Max("number"), n=models.Sum("ratio", filter=Q(id__in=p.ids))),
    ]


OPERATIONS: Operations = [
    create,
    bulk_create,
    bulk_create_of_expressions,
    bulk_create_of_brief_rows,
    bulk_create_again,
    upsert,
    readings,
    prefetch,
    update,
    update_or_create,
    updated_by_case,
    combined,
    counted,
    read,
    lambda using, p: things(using).bulk_update(changed(using, p), ["note", "day", "document", "words", "amount"]),
    lambda using, p: things(using).bulk_update(changed(using, p), ["note"], batch_size=1_000),
    lambda using, p: things(using).filter(name__in=p.strings).delete(),
    lambda using, p: things(using).filter(Q(id__in=p.ids), Q(note=p.text()) | Q(number=1))._raw_delete(using),
    lambda using, p: (things(using).bulk_create(new_things(using, p)), Shelf.objects.using(using).all().delete())[1],
]
