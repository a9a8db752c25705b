"""Each function, expression and lookup of Django, with a value of the statement wherever it takes one."""

from collections.abc import Callable
from typing import Any

import django
from django.db.models import (
    Avg,
    Case,
    Count,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    IntegerField,
    JSONField,
    Max,
    Min,
    OuterRef,
    Q,
    StdDev,
    StringAgg,
    Subquery,
    Sum,
    TextField,
    TimeField,
    UUIDField,
    Value,
    Variance,
    When,
    Window,
)
from django.db.models import functions as f
from django.db.models.aggregates import AnyValue
from django.db.models.expressions import RawSQL, RowRange, ValueRange
from django.db.models.fields.json import KT
from django.db.models.lookups import GreaterThan

from tests.integration.statements.models import Thing
from tests.integration.statements.sizes import Size

type Expressions = list[Callable[[Size], Any]]

TEXT, NUMBER = TextField(), IntegerField()


def text(template: str, **options: Any) -> Callable[..., Func]:
    """Return a function of SQL without any cast, as people write them."""
    return lambda *arguments: Func(*arguments, template=template, output_field=TEXT, **options)


COMPARISONS: Expressions = [
    lambda p: f.Cast(Value(p.text()), TEXT),
    lambda p: f.Cast(Value(p.text("1234567")), NUMBER),
    lambda p: f.Cast(Value("2026-01-02"), DateField()),
    lambda p: f.Cast(Value(p.amount), DecimalField(max_digits=9, decimal_places=2)),
    lambda p: f.Cast(Value(p.document, output_field=JSONField()), TEXT),
    lambda p: f.Coalesce("note", Value(p.text())),
    lambda p: f.Coalesce("note", "name", Value(p.text()), Value(p.text("other text"))),
    lambda p: f.Coalesce(Value(None, output_field=TEXT), Value(p.text(), output_field=TEXT)),
    lambda p: f.Coalesce("day", p.day),
    lambda p: f.Collate(Value(p.text()), "C"),
    lambda p: f.Greatest("name", Value(p.text())),
    lambda p: f.Greatest("number", p.number),
    lambda p: f.Greatest("moment", p.moment),
    lambda p: f.Least("name", Value(p.text()), Value(p.text("other text"))),
    lambda p: f.Least("amount", p.amount),
    lambda p: f.NullIf("name", Value(p.text("Thing número 1"))),
    lambda p: f.NullIf("ratio", Value(p.ratio)),
    lambda p: f.JSONArray(Value(p.text()), "name", Value(p.number), Value(p.day), Value(None, output_field=TEXT)),
    lambda p: f.JSONObject(name=Value(p.text()), number="number", other=F("name"), id=Value(p.id)),
    lambda p: f.JSONObject(document=Value(p.document, output_field=JSONField()), key=f.JSONObject(a=Value(p.text()))),
]

DATES: Expressions = [
    lambda p: GreaterThan(ExpressionWrapper(f.Now() - p.moment, output_field=DurationField()), p.span),
    lambda p: ExpressionWrapper(F("moment") - p.moment, output_field=DurationField()),
    lambda p: ExpressionWrapper(F("moment") + p.span, output_field=DateTimeField()),
    lambda p: ExpressionWrapper(F("day") - p.day, output_field=DurationField()),
    lambda p: ExpressionWrapper(F("clock") - p.clock, output_field=DurationField()),
    *[
        lambda p, extract=extract: extract(Value(p.moment, output_field=DateTimeField()))
        for extract in (
            f.ExtractDay,
            f.ExtractHour,
            f.ExtractIsoWeekDay,
            f.ExtractIsoYear,
            f.ExtractMinute,
            f.ExtractMonth,
            f.ExtractQuarter,
            f.ExtractSecond,
            f.ExtractWeek,
            f.ExtractWeekDay,
            f.ExtractYear,
        )
    ],
    lambda p: f.Extract("moment", "epoch"),
    lambda p: f.Trunc(Value(p.moment, output_field=DateTimeField()), "week"),
    lambda p: f.Extract(Value(p.span, output_field=DurationField()), "days"),
    *[
        lambda p, trunc=trunc: trunc(Value(p.moment, output_field=DateTimeField()))
        for trunc in (
            f.TruncDate,
            f.TruncDay,
            f.TruncHour,
            f.TruncMinute,
            f.TruncMonth,
            f.TruncQuarter,
            f.TruncSecond,
            f.TruncTime,
            f.TruncWeek,
            f.TruncYear,
        )
    ],
    lambda p: f.TruncHour(Value(p.clock, output_field=TimeField()), output_field=TimeField()),
    lambda p: f.TruncMonth(f.Greatest("day", p.day)),
]

MATHS: Expressions = [
    *[
        lambda p, function=function: function(Value(p.ratio) * 0.1)
        for function in (f.ACos, f.ASin, f.ATan, f.Cos, f.Cot, f.Degrees, f.Exp, f.Ln, f.Radians, f.Sin, f.Sqrt, f.Tan)
    ],
    *[
        lambda p, function=function: function(Value(p.negative))
        for function in (f.Abs, f.Ceil, f.Floor, f.Round, f.Sign)
    ],
    lambda p: f.ATan2("ratio", Value(p.ratio)),
    lambda p: f.Log(Value(2), Value(p.number)),
    lambda p: f.Mod(Value(p.big), "number"),
    lambda p: f.Pi() * p.ratio,
    lambda p: f.Power("number", Value(p.ratio)),
    lambda p: f.Round(Value(p.amount), 1),
    lambda p: f.Random() * 0 + p.number,
    lambda p: F("number") + p.number,
    lambda p: F("number") - p.negative,
    lambda p: ExpressionWrapper(Value(p.number) / 2, output_field=NUMBER),
    lambda p: F("ratio") * p.ratio,
    lambda p: ExpressionWrapper(F("amount") / p.amount, output_field=DecimalField()),
    lambda p: F("number") % p.number,
    lambda p: F("number").bitand(p.number),
    lambda p: F("number").bitor(p.number),
    lambda p: F("number").bitxor(p.number),
    lambda p: F("number").bitleftshift(2),
    lambda p: ExpressionWrapper(F("ratio") ** p.ratio, output_field=FloatField()),
]

TEXTS: Expressions = [
    *[
        lambda p, function=function: function(Value(p.text()))
        for function in (
            f.Length,
            f.Lower,
            f.LTrim,
            f.MD5,
            f.Ord,
            f.Reverse,
            f.RTrim,
            f.Trim,
            f.Upper,
        )
    ],
    lambda p: f.Chr(Value(97)),
    lambda p: f.Concat("name", Value(p.text()), "note"),
    lambda p: f.Concat(Value(p.text()), Value(p.text("other")), output_field=TEXT),
    lambda p: f.ConcatPair("name", Value(p.text())),
    lambda p: f.Left(Value(p.text()), 3),
    lambda p: f.LPad("name", 30, Value(p.text())),
    lambda p: f.RPad(Value(p.text()), 30),
    lambda p: f.Repeat(Value(p.text()), 2),
    lambda p: f.Replace("name", Value(p.text("Thing")), Value(p.text("something"))),
    lambda p: f.Right(Value(p.text()), 3),
    lambda p: f.StrIndex("name", Value(p.text("número"))),
    lambda p: f.Substr(Value(p.text()), 2, 3),
    *[
        lambda p, function=function: f.Coalesce(Value(p.id, output_field=UUIDField()), function())
        for function in ((f.UUID4, f.UUID7) if django.VERSION >= (6, 1) else ())
    ],
    *[
        lambda p, function=function: function(Value(p.text()))
        for function in (f.SHA1, f.SHA224, f.SHA256, f.SHA384, f.SHA512)
    ],
]

CONDITIONS: Expressions = [
    lambda p: Value(p.text()),
    lambda p: Value(p.number),
    lambda p: Value(p.negative),
    lambda p: Value(p.big),
    lambda p: Value(p.ratio),
    lambda p: Value(p.amount),
    lambda p: Value(p.day),
    lambda p: Value(p.document, output_field=JSONField()),
    lambda p: Case(When(name=p.text("Thing número 1"), then=Value(p.text())), default=Value(p.text("other text"))),
    lambda p: Case(When(number__gt=p.number, then=Value(p.number)), default=F("number")),
    lambda p: Case(When(day__lte=p.day, then=Value(p.day)), default=None, output_field=DateField()),
    lambda p: Case(When(Q(name__in=p.strings), then=Value(p.text())), default="note", output_field=TEXT),
    lambda p: Exists(Thing.objects.filter(name=p.text("Thing número 1"), shelf=OuterRef("shelf"))),
    lambda p: Subquery(Thing.objects.filter(note__contains=p.text("note")).order_by("number").values("name")[:1]),
    lambda p: Subquery(Thing.objects.order_by("number").annotate(a=Value(p.text())).values("a")[:1]),
    lambda p: RawSQL("%s", [p.text()], output_field=TEXT),
    lambda p: RawSQL("concat(%s, name)", [p.text()], output_field=TEXT),
    lambda p: RawSQL("%s || name", [p.text()], output_field=TEXT),
    lambda p: ExpressionWrapper(Q(name__gt=p.text()), output_field=TEXT),
    lambda p: KT("document__name"),
]

BARE_FUNCTIONS: Expressions = [
    lambda p: text("CONCAT(%(expressions)s)")(Value(p.text()), "name"),
    lambda p: text("concat(%(expressions)s)")("name", f.Upper(Value(p.text())), Value(p.day), Value(p.number)),
    lambda p: text("CONCAT(%(expressions)s)")(RawSQL("%s", [p.text()]), "name"),
    lambda p: text("CONCAT_WS(%(expressions)s)")(Value(p.text(", ")), "name", Value(p.text())),
    lambda p: text("pg_catalog.concat(%(expressions)s)")(Value(p.text())),
    lambda p: text('"concat"(%(expressions)s)')(Value(p.text())),
    lambda p: text("FORMAT('%%%%s and %%%%s', %(expressions)s)")(Value(p.text()), "name"),
    lambda p: text("FORMAT(%(expressions)s)")(Value("%s and " + p.text()), "name"),
    lambda p: text("NUM_NULLS(%(expressions)s)::text")(Value(p.text()), "note"),
    lambda p: text("JSONB_BUILD_OBJECT(%(expressions)s)::text")(Value(p.text()), Value(p.text("value"))),
    lambda p: text("json_build_array(%(expressions)s)::text")(Value(p.text()), "name", Value(p.number)),
    lambda p: text("PG_TYPEOF(%(expressions)s)::text")(Value("some text")),
    lambda p: text("(%(expressions)s IS NULL)::text")(Value(p.text())),
    lambda p: text("TO_CHAR(%(expressions)s)")("moment", Value("YYYY-MM-DD HH24:MI:SS")),
    lambda p: text("DATE_TRUNC(%(expressions)s)::text")(Value("month"), Value(p.moment)),
    lambda p: text("REGEXP_REPLACE(%(expressions)s)")(
        "name", Value(p.text("[aeiou]")), Value(p.text("vowel")), Value("g")
    ),
    lambda p: text("SPLIT_PART(%(expressions)s)")("name", Value(p.text("número")), Value(1)),
    lambda p: text("TRANSLATE(%(expressions)s)")("name", Value(p.text("abcdef")), Value(p.text("uvwxyz"))),
    lambda p: text("ENCODE(%(expressions)s)")(Value(b"some \x00 bytes" * p.repetitions), Value("base64")),
    lambda p: text("(%(expressions)s)", arg_joiner=" || ")("name", Value(p.text()), Value(p.text("more text"))),
    lambda p: text("(%(expressions)s)", arg_joiner=" AT TIME ZONE ")(Value(p.moment), Value("Europe/Berlin")),
    lambda p: text("OVERLAY(%(expressions)s FROM 2)", arg_joiner=" PLACING ")("name", Value(p.text())),
    lambda p: text("SUBSTRING(%(expressions)s)", arg_joiner=" FROM ")("name", Value(p.text("Th.ng"))),
    lambda p: text("POSITION(%(expressions)s)::text", arg_joiner=" IN ")(Value(p.text("número")), F("name")),
    lambda p: text("TRIM(BOTH %(expressions)s FROM name)")(Value(p.text("Thing"))),
    lambda p: text("ARRAY[%(expressions)s]::text")(Value(p.text()), "name", Value(p.text("last text"))),
    lambda p: text("(ARRAY[%(expressions)s])[1]")(Value(p.text()), "name"),
    lambda p: text("(make_interval(secs => %(expressions)s))::text")(Value(p.number)),
    lambda p: text("JSON_OBJECT(%(expressions)s VALUE name)::text")(Value(p.text())),
    lambda p: text("JSON_OBJECT('key' VALUE %(expressions)s)::text")(Value(p.text())),
    lambda p: text("JSON_ARRAY(%(expressions)s)::text")(Value(p.text()), "name"),
    lambda p: text("ROW_TO_JSON(ROW(%(expressions)s))::text")("name", Value("some text")),
    lambda p: text("ROW_TO_JSON((%(expressions)s, 1))::text")(Value("some text")),
    lambda p: text("(%(expressions)s IS NOT DISTINCT FROM name)::text")(Value(p.text())),
    lambda p: text("(CASE %(expressions)s WHEN name THEN 'same' END)")(Value(p.text("Thing número 1"))),
    lambda p: text("(CASE name WHEN %(expressions)s THEN 'same' ELSE '' END)")(Value(p.text("Thing número 1"))),
]

AGGREGATES: Expressions = [
    lambda p: AnyValue(f.Concat("shelf__title", Value(p.text()))),
    lambda p: Avg(F("number") + p.number, filter=Q(name__in=p.strings)),
    lambda p: Count(Value(p.text())),
    lambda p: Count(Value(p.text()), distinct=True),
    lambda p: Count("id", filter=Q(note__contains=p.text("note"))),
    lambda p: Max(f.Greatest("name", Value(p.text()))),
    lambda p: Min(f.Concat("name", Value(p.text()))),
    lambda p: StdDev(F("ratio") * p.ratio),
    lambda p: StringAgg("name", Value(p.text(", ")), order_by="name"),
    lambda p: StringAgg(f.Concat("name", Value(p.text())), Value("; "), distinct=True),
    lambda p: Sum("number", default=p.number),
    lambda p: Sum(Case(When(name=p.text("Thing número 1"), then=p.number), default=0)),
    lambda p: Variance("ratio", filter=Q(day__gte=p.day)),
]

ORDER = F("number").asc()
WINDOWS: Expressions = [
    *[
        lambda p, function=function: Window(function(), order_by=f.Concat("note", Value(p.text())))
        for function in (f.CumeDist, f.DenseRank, f.PercentRank, f.Rank, f.RowNumber)
    ],
    lambda p: Window(f.Ntile(2), order_by=ORDER),
    lambda p: Window(f.FirstValue(f.Concat("name", Value(p.text()))), order_by=ORDER),
    lambda p: Window(f.LastValue(f.Coalesce("note", Value(p.text()))), order_by=ORDER),
    lambda p: Window(f.NthValue(f.Coalesce("note", Value(p.text())), 2), order_by=ORDER),
    lambda p: Window(f.Lag("name", 1, Value(p.text())), order_by=ORDER),
    lambda p: Window(f.Lead("name", 1, Value(p.text())), partition_by=f.Left("note", 2), order_by=ORDER),
    lambda p: Window(Sum("number"), partition_by=f.Coalesce("note", Value(p.text())), frame=RowRange(start=-1, end=0)),
    lambda p: Window(Count(Value(p.text())), order_by=ORDER, frame=ValueRange(start=None, end=0)),
]

EXPRESSIONS = [*COMPARISONS, *DATES, *MATHS, *TEXTS, *CONDITIONS, *BARE_FUNCTIONS]

LOOKUPS: Expressions = [
    lambda p: Q(name=p.text("Thing número 1")),
    lambda p: Q(name__exact=p.text("Thing número 1")),
    lambda p: Q(name__iexact=p.text("thing NÚMERO 1")),
    lambda p: Q(name__contains=p.text("número")),
    lambda p: Q(name__icontains=p.text("NÚMERO")),
    lambda p: Q(name__startswith=p.text("Thing")),
    lambda p: Q(name__istartswith=p.text("THING")),
    lambda p: Q(name__endswith=p.text("número 1")),
    lambda p: Q(name__iendswith=p.text("NÚMERO 1")),
    lambda p: Q(name__regex=p.text("n.mero")),
    lambda p: Q(name__iregex=p.text("N.MERO")),
    lambda p: Q(name__gt=p.text("Thing")),
    lambda p: Q(name__lte=p.text("Thing")),
    lambda p: Q(name__range=(p.text("Thing a"), p.text("Thing z"))),
    lambda p: Q(name__in=p.strings),
    lambda p: ~Q(name__in=p.strings[1:]),
    lambda p: Q(note__in=[*p.strings, None, p.text("a note, 'quoted' \\ 1 100%")]),
    lambda p: Q(note__isnull=True) | Q(note=p.text("a note")),
    lambda p: Q(number=p.number),
    lambda p: Q(number__in=[1, 3, *range(1_000_000, 1_000_000 + p.id_count)]),
    lambda p: Q(big__in=[10**12 + number for number in range(2, p.id_count)]),
    lambda p: Q(big__in=[5, 10**12 + 1, 2**40]),
    lambda p: Q(small__in=range(1, min(p.id_count, 30_000))),
    lambda p: Q(number__range=(2, p.number)),
    lambda p: Q(number__gt=p.negative),
    lambda p: Q(ratio__in=[1 / 7, p.ratio]),
    lambda p: Q(amount__lt=p.amount),
    lambda p: Q(flag=True),
    lambda p: Q(day=p.day),
    lambda p: Q(day__in=[p.day, *[p.day.replace(year=2100 + number) for number in range(p.id_count // 2)]]),
    lambda p: Q(day__year=2026),
    lambda p: Q(day__year__gte=2026),
    lambda p: Q(moment__date=p.day),
    lambda p: Q(moment__gte=p.moment),
    lambda p: Q(moment__hour=12),
    lambda p: Q(moment__in=[p.moment, *[p.moment.replace(year=2100 + number) for number in range(p.id_count // 2)]]),
    lambda p: Q(clock__lte=p.clock),
    lambda p: Q(span__gt=p.span),
    lambda p: Q(raw=b"\x00\xff\x01" * p.repetitions),
    lambda p: Q(address="192.168.0.1"),
    lambda p: Q(address__in=["192.168.0.1", *[f"10.0.{n // 250}.{n % 250}" for n in range(p.id_count)]]),
    lambda p: Q(address__startswith="192.168"),
    lambda p: Q(document=p.document),
    lambda p: Q(document__name=p.text("Thing 1")),
    lambda p: Q(document__name__in=[f"Thing {number}" for number in range(1, p.id_count)]),
    lambda p: Q(document__name__icontains=p.text("THING")),
    lambda p: Q(document__size__width__gte=2),
    lambda p: Q(document__tags__0=p.text("red")),
    lambda p: Q(document__no=None),
    lambda p: Q(document__contains={"name": p.text("Thing 1")}),
    lambda p: Q(document__contained_by=p.document),
    lambda p: Q(document__has_key=p.text("name")),
    lambda p: Q(document__has_keys=["name", p.text("tags")]),
    lambda p: Q(document__has_any_keys=["name", p.text("tags")]),
    lambda p: Q(document__isnull=False),
    lambda p: Q(shelf__title=p.text("a shelf")),
    lambda p: Q(shelf__in=range(1, p.id_count)),
    lambda p: Q(id__in=Thing.objects.filter(name__in=p.strings).values("id")),
    lambda p: Q(Exists(Thing.objects.filter(number=OuterRef("number"), name__in=p.strings))),
]
