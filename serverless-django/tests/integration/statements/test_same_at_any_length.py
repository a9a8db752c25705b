"""A statement means the same at any length: what plain Django makes of it, and without a text that pins."""

import pkgutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

import django.contrib.postgres
import psycopg
import pytest
from django.contrib.postgres.signals import register_type_handlers
from django.db import Error, connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper as PlainWrapper
from django.db.models import CharField, Count, Expression, Q, TextField, functions
from django.test.utils import register_lookup

from serverless_django.local.postgresql import PORT, SUPERUSER
from serverless_django.postgresql import cursors
from serverless_django.postgresql.base import DatabaseWrapper
from serverless_django.postgresql.pins import MAX_STATEMENT_BYTES
from tests.integration.statements import django_expressions, orm_statements, postgres_expressions, raw_statements
from tests.integration.statements.models import EXTENSIONS, MODELS, Reading, Shelf, Thing, thing
from tests.integration.statements.sizes import FEW, LONG_AND_MANY, MANY, STORED, VERY_MANY, Size

pytestmark = pytest.mark.filterwarnings("ignore:The PostgreSQL.specific")

EXPRESSIONS = [*django_expressions.EXPRESSIONS, *postgres_expressions.EXPRESSIONS]
AGGREGATES = [*django_expressions.AGGREGATES, *postgres_expressions.AGGREGATES]
LOOKUPS = [*django_expressions.LOOKUPS, *postgres_expressions.LOOKUPS]
RAW = [*raw_statements.QUERIES, *raw_statements.GROUPS, *raw_statements.OTHERS]

PLAIN, OURS = "plain", "ours"
"""Aliases of one database: with Django's backend and with ours."""

THING = ["shelf__title", *(field.name for field in Thing._meta.concrete_fields if field.name != "shelf")]

STRING_FIELDS = (CharField, TextField)


@pytest.fixture(scope="module")
def database(postgresql, django_db_blocker):
    postgresql.execute("CREATE DATABASE statements")
    settings = connections["default"].settings_dict | {
        "NAME": "statements",
        "HOST": str(postgresql.sockets),
        "PORT": str(PORT),
        "USER": SUPERUSER,
    }
    options = {"connect_timeout": 3, "pinning_statements": "allow"}
    connections[PLAIN] = PlainWrapper(settings | {"OPTIONS": {}}, alias=PLAIN)
    connections[OURS] = DatabaseWrapper(settings | {"OPTIONS": options}, alias=OURS)
    with django_db_blocker.unblock():
        fill(connections[PLAIN])
        register_type_handlers(connections[OURS])
        yield
        for alias in (PLAIN, OURS):
            connections[alias].close()
            del connections[alias]
    postgresql.execute("DROP DATABASE statements WITH (FORCE)")


def fill(connection) -> None:
    with connection.cursor() as cursor:
        for name in EXTENSIONS:
            cursor.execute(f"CREATE EXTENSION {name}")
        cursor.execute("CREATE TYPE mood AS ENUM ('happy', 'sad')")
    register_type_handlers(connection)
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    shelf = Shelf.objects.using(PLAIN).create(title="a shelf")
    Thing.objects.using(PLAIN).bulk_create(thing(number, shelf) for number in range(1, STORED + 1))
    Reading.objects.using(PLAIN).bulk_create(
        Reading(sensor=f"Thing número {number}", number=number, value="a value") for number in range(1, STORED + 1)
    )


@pytest.fixture(scope="module", autouse=True)
def _lookups(database):
    registered = [
        register_lookup(field, lookup) for field in STRING_FIELDS for lookup in postgres_expressions.LOOKUPS_OF_TEXT
    ]
    for context in registered:
        context.__enter__()
    yield
    for context in registered:
        context.__exit__(None, None, None)


@pytest.fixture
def sent(monkeypatch) -> list[bytes]:
    """Return the texts that our backend sends."""
    texts: list[bytes] = []
    send = cursors.BoundedCursor._execute_send

    def record(cursor, query, **options):
        texts.append(query.query)
        send(cursor, query, **options)

    monkeypatch.setattr(cursors.BoundedCursor, "_execute_send", record)
    return texts


@pytest.fixture
def squeezed(monkeypatch):
    """Let every value leave the text that may, whatever the length of the statement."""
    bind = cursors.bind

    def shortest(template, values, literals, tx, *, max_bytes):
        low, high, best = 0, len(template) + sum(map(len, literals)), None
        while low < high:
            middle = (low + high) // 2
            statement = bind(template, values, literals, tx, max_bytes=middle)
            low, high, best = (low, middle, statement) if statement else (middle + 1, high, best)
        return best

    monkeypatch.setattr(cursors, "MAX_STATEMENT_BYTES", 0)
    monkeypatch.setattr(cursors, "bind", shortest)


class _UndoneError(Exception):
    pass


def answer(using: str, run) -> Any:
    """Return what `run(using)` returns, or the error; undo what it did."""
    result: Any = None
    try:
        with transaction.atomic(using=using):
            result = run(using)
            raise _UndoneError
    except _UndoneError:
        return repr(result)  # in which a NaN is the same as another
    except Error as error:
        diagnosis = error.__cause__.diag if isinstance(error.__cause__, psycopg.Error) else None
        return type(error), diagnosis and (diagnosis.sqlstate, diagnosis.message_primary)


def rows_of(statement):
    """Return a function that executes `statement(using)` and returns names, types and values."""

    def run(using: str) -> Any:
        with connections[using].cursor() as cursor:
            cursor.execute(*statement(using))
            columns = [(column.name, column.type_code) for column in cursor.description or ()]
            return cursor.rowcount, columns, cursor.fetchall() if columns else None

    return run


def compiled(queryset):
    return rows_of(lambda using: queryset.query.get_compiler(using).as_sql())


type Run = Callable[[str], Any]


def of_an_expression(expression, p: Size) -> Iterator[Run]:
    things = Thing.objects.filter(id__in=p.ids)
    yield compiled(things.annotate(result=expression(p)).order_by("result", "number").values("result", "name"))
    yield compiled(things.values(result=expression(p)).annotate(n=Count("id")).order_by("result"))
    yield compiled(things.alias(result=expression(p)).filter(result=expression(p)).order_by("number").values("name"))


def of_an_aggregate(aggregate, p: Size) -> Iterator[Run]:
    things = Thing.objects.filter(id__in=p.ids)
    yield compiled(things.values("shelf__title").annotate(result=aggregate(p)))
    yield compiled(things.values("number").annotate(result=aggregate(p)).filter(number=1))


def of_a_window(window, p: Size) -> Iterator[Run]:
    yield compiled(Thing.objects.filter(id__in=p.ids).annotate(result=window(p)).order_by("number").values("result"))


def of_a_lookup(lookup, p: Size) -> Iterator[Run]:
    things = Thing.objects.filter(id__in=p.ids).order_by("number").values("number")
    yield compiled(things.filter(lookup(p)))
    yield compiled(things.exclude(lookup(p)))


def of_a_text(text, p: Size) -> Iterator[Run]:
    yield rows_of(lambda using: text(p))


def of_a_write(text, p: Size) -> Iterator[Run]:
    execute = rows_of(lambda using: text(p))
    yield lambda using: (execute(using), tables(using))


def of_an_operation(operation, p: Size) -> Iterator[Run]:
    yield lambda using: (operation(using, p), tables(using))


def tables(using: str) -> Any:
    """Return the rows, but no keys from a sequence, which never goes back."""
    shelves = Shelf.objects.using(using).order_by("title").values_list("title")
    things = Thing.objects.using(using).order_by("pk").values_list(*THING)
    return list(shelves), list(things), list(Reading.objects.using(using).order_by("pk").values_list())


CONSTRUCTS = {
    of_an_expression: EXPRESSIONS,
    of_an_aggregate: AGGREGATES,
    of_a_window: django_expressions.WINDOWS,
    of_a_lookup: LOOKUPS,
    of_a_text: RAW,
    of_a_write: raw_statements.WRITES,
    of_an_operation: orm_statements.OPERATIONS,
}
FIT = (of_an_expression, of_an_aggregate, of_a_window)
"""Kinds whose only many values are the ids of one list."""

LISTS = {
    "id": lambda number: UUID(int=number),
    "name": lambda number: f"Thing número {number}",
    "number": lambda number: number,
    "big": lambda number: 10**12 + number,
    "day": lambda number: date(2026, 1, 1) + timedelta(days=number),
    "address": lambda number: f"192.168.{number // 250}.{number % 250}",
    "document__name": lambda number: f"Thing {number}",
    "shelf": lambda number: number,
}
"""Columns, and a value of each by its number."""

EACH = [
    pytest.param(runs, construct, id=f"{runs.__name__} {number}")
    for runs, constructs in CONSTRUCTS.items()
    for number, construct in enumerate(constructs)
]


def check(runs, construct, size: Size) -> None:
    for run in runs(construct, size):
        assert answer(OURS, run) == answer(PLAIN, run)


@pytest.mark.usefixtures("squeezed")
@pytest.mark.parametrize(("runs", "construct"), EACH)
@pytest.mark.daily(40)
def test_a_short_statement_means_the_same_if_every_value_leaves_it_that_may(runs, construct):
    check(runs, construct, FEW)


@pytest.mark.parametrize(("runs", "construct"), EACH)
@pytest.mark.daily(40)
def test_a_statement_with_many_and_long_values_means_the_same(runs, construct, sent):
    check(runs, construct, FEW)
    check(runs, construct, MANY)
    if runs in FIT:
        assert max(map(len, sent)) <= MAX_STATEMENT_BYTES
    check(runs, construct, LONG_AND_MANY)


@pytest.mark.parametrize("size", [MANY, VERY_MANY], ids=["many", "very many"])
@pytest.mark.parametrize("column", LISTS)
def test_a_list_fits_into_one_statement_at_any_length(column, size, sent):
    condition = {f"{column}__in": [LISTS[column](number) for number in range(1, size.id_count + 1)]}
    run = compiled(Thing.objects.filter(**condition).order_by("number").values("number"))

    assert answer(OURS, run) == answer(PLAIN, run)

    assert max(map(len, sent)) <= MAX_STATEMENT_BYTES


def classes_of(package) -> set[type]:
    """Return the expressions and lookups of `package` that no other of them is derived from."""
    names = [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    values = [value for name in names for value in vars(import_module(name)).values() if isinstance(value, type)]
    found = {value for value in values if issubclass(value, Expression) and value.__module__ in names}
    return found - {base for value in found for base in value.__mro__[1:]}


def classes_in(expression: Any) -> set[type]:
    if isinstance(expression, Q):
        return set().union(*map(classes_in, Thing.objects.filter(expression).query.where.leaves()))
    parts = getattr(expression, "get_source_expressions", list)()
    return {type(expression)}.union(*map(classes_in, filter(None, parts)))


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("package", [functions, django.contrib.postgres], ids=lambda package: package.__name__)
def test_every_expression_of_django_is_among_the_constructs(package):
    constructs = [*EXPRESSIONS, *AGGREGATES, *django_expressions.WINDOWS, *LOOKUPS]
    used = set().union(*(classes_in(construct(FEW)) for construct in constructs))

    missing = classes_of(package) - used - postgres_expressions.NOT_IN_A_STATEMENT

    assert {f"{kind.__module__}.{kind.__name__}" for kind in missing} == set()
    assert len(EACH) > 600
