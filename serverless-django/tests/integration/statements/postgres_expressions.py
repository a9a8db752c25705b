"""Each function, aggregate, search expression and lookup of django.contrib.postgres."""

from datetime import timedelta

from django.contrib.postgres import aggregates as a
from django.contrib.postgres import search as s
from django.contrib.postgres.constraints import ExclusionConstraintExpression
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import (
    ArrayField,
    DateTimeRangeField,
    IntegerRangeField,
    RangeBoundary,
)
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.lookups import (
    SearchLookup,
    TrigramSimilar,
    TrigramStrictWordSimilar,
    TrigramWordSimilar,
    Unaccent,
)
from django.db.models import F, Func, IntegerField, JSONField, OuterRef, Q, TextField, UUIDField, Value
from django.db.models import functions as f
from django.db.models.lookups import GreaterThan
from psycopg.types.range import Range

from tests.integration.statements.django_expressions import Expressions
from tests.integration.statements.models import Thing

LOOKUPS_OF_TEXT = (Unaccent, SearchLookup, TrigramSimilar, TrigramWordSimilar, TrigramStrictWordSimilar)
"""Those that `django.contrib.postgres` registers when it is installed."""

WORDS, NUMBERS = ArrayField(TextField()), ArrayField(IntegerField())

EXPRESSIONS: Expressions = [
    lambda p: ArraySubquery(Thing.objects.filter(name__in=p.strings).order_by("number").values("name")),
    lambda p: ArraySubquery(
        Thing.objects.filter(shelf=OuterRef("shelf"))
        .order_by("number")
        .values(j=f.JSONObject(n="name", t=Value(p.text())))
    ),
    lambda p: f.Coalesce(Value(p.id, output_field=UUIDField()), RandomUUID()),
    lambda p: GreaterThan(TransactionNow(), p.moment),
    lambda p: Value(p.words, output_field=WORDS),
    lambda p: Value([p.number, None], output_field=NUMBERS),
    lambda p: Value([], output_field=WORDS),
    lambda p: f.Coalesce("words", Value(p.words, output_field=WORDS)),
    lambda p: Func("words", Value(p.text()), function="array_append", output_field=WORDS),
    lambda p: Func("words", Value(p.text("first word")), function="array_position", output_field=IntegerField()),
    lambda p: Func("words", Value(p.text(", ")), function="array_to_string", output_field=TextField()),
    lambda p: Func(Value(p.text("a,b")), Value(","), function="string_to_array", output_field=WORDS),
    lambda p: Value(p.numbers_range, output_field=IntegerRangeField()),
    lambda p: Func(
        F("moment"), Value(p.moment), RangeBoundary(), function="tstzrange", output_field=DateTimeRangeField()
    ),
    lambda p: Func("pairs", Value(p.text("colour")), function="fetchval", output_field=TextField()),
    lambda p: Func(
        "document",
        Value(["size", p.text("width")], output_field=WORDS),
        arg_joiner=" #> ",
        template="(%(expressions)s)",
        output_field=JSONField(),
    ),
    lambda p: Func(
        "document",
        Value(["name"], output_field=WORDS),
        Value(p.document, output_field=JSONField()),
        function="jsonb_set",
        output_field=JSONField(),
    ),
    lambda p: Func(
        "document",
        Value(p.document, output_field=JSONField()),
        arg_joiner=" || ",
        template="(%(expressions)s)",
        output_field=JSONField(),
    ),
    # Full-text search.
    lambda p: s.SearchVector("name", Value(p.text()), config="english"),
    lambda p: s.SearchVector("name", weight="A") + s.SearchVector("note", Value(p.text()), weight="B"),
    lambda p: s.SearchVector("name", config=s.SearchConfig(Value("english"))),
    lambda p: s.SearchQuery(p.text("note "), config="english"),
    lambda p: s.SearchRank("note", s.SearchQuery(p.text("note "), search_type="phrase") & ~s.SearchQuery("other text")),
    lambda p: s.SearchQuery(p.text("note "), search_type="websearch", invert=True),
    lambda p: s.SearchQuery(
        s.Lexeme(p.text("quoted ")) & ~s.Lexeme("other text") | s.Lexeme("third text", prefix=True)
    ),
    lambda p: s.SearchRank(s.SearchVector("note"), s.SearchQuery(p.text("note "))),
    lambda p: s.SearchRank(
        "note", s.SearchQuery("note", config="english"), weights=[0.1, 0.2, 0.4, 1.0], normalization=2
    ),
    lambda p: s.SearchRank(s.SearchVector("note"), s.SearchQuery("note"), cover_density=True, normalization=Value(1)),
    lambda p: s.SearchHeadline(
        "note", s.SearchQuery(p.text("note ")), start_sel="<em class='a'>", max_words=9, min_words=2
    ),
    lambda p: s.SearchHeadline(Value(p.text("a note ")), s.SearchQuery("note"), highlight_all=True, config="english"),
    # Trigrams.
    lambda p: s.TrigramSimilarity("name", p.text()),
    lambda p: s.TrigramDistance("name", p.text()),
    lambda p: s.TrigramWordSimilarity(p.text(), "name"),
    lambda p: s.TrigramWordDistance(p.text(), "name"),
    lambda p: s.TrigramStrictWordSimilarity(p.text(), "name"),
    lambda p: s.TrigramStrictWordDistance(p.text(), "name"),
    lambda p: Unaccent(Value(p.text("número"))),
    lambda p: f.Upper(Unaccent(f.Concat("name", Value(p.text("ñ"))))),
    *[
        lambda p, name=name: F(name)
        for name in (
            "words__0",
            "words__0_2",
            "words__len",
            "matrix__0__1",
            "pairs__colour",
            "pairs__keys",
            "pairs__values",
            "numbers_range__startswith",
            "days_range__endswith",
            "moments_range__isempty",
            "amounts_range__lower_inc",
            "amounts_range__lower_inf",
            "bigs_range__upper_inc",
            "bigs_range__upper_inf",
        )
    ],
]

AGGREGATES: Expressions = [
    lambda p: a.ArrayAgg("name", order_by="name", filter=Q(name__in=p.strings)),
    lambda p: a.ArrayAgg(f.Concat("name", Value(p.text())), distinct=True, default=Value(p.words, output_field=WORDS)),
    lambda p: a.ArrayAgg(f.Coalesce("note", Value(p.text())), order_by=f.Coalesce("note", Value(p.text()))),
    lambda p: a.BitAnd("number", filter=Q(number__lt=p.number)),
    lambda p: a.BitOr(F("number") + p.number),
    lambda p: a.BitXor("number", default=p.number),
    lambda p: a.BoolAnd(Q(name__gt=p.text())),
    lambda p: a.BoolOr("flag", filter=Q(note=p.text())),
    lambda p: a.JSONBAgg(f.JSONObject(text=Value(p.text()), name="name"), order_by="number"),
    lambda p: a.JSONBAgg("name", default=Value(p.words, output_field=JSONField())),
    lambda p: Func(
        F("name"), Value(p.text(", ")), template="string_agg(%(expressions)s ORDER BY name)", output_field=TextField()
    ),
    lambda p: a.StringAgg("name", Value(p.text(", ")), order_by="name"),
    *[
        lambda p, function=function: function(y="ratio", x=F("number") + p.number, filter=Q(name__in=p.strings))
        for function in (
            a.Corr,
            a.CovarPop,
            a.RegrAvgX,
            a.RegrAvgY,
            a.RegrCount,
            a.RegrIntercept,
            a.RegrR2,
            a.RegrSlope,
            a.RegrSXX,
            a.RegrSXY,
            a.RegrSYY,
        )
    ],
]

LOOKUPS: Expressions = [
    lambda p: Q(words=["first word", "word 1", p.text("lasting word")]),
    lambda p: Q(words__in=[["first word", f"word {number}", "lasting word"] for number in range(2, p.id_count)]),
    lambda p: Q(words__contains=p.words),
    lambda p: Q(words__contained_by=[*p.words, "word 2"]),
    lambda p: Q(words__overlap=[p.text("other"), "word 2"]),
    lambda p: Q(words__overlap=Thing.objects.filter(name__in=p.strings).values("words")),
    lambda p: Q(words__len=3),
    lambda p: Q(words__1=p.text("word 2")),
    lambda p: Q(words__1__in=[f"word {number}" for number in range(2, p.id_count)]),
    lambda p: Q(words__0_2=["first word", p.text("word 1")]),
    lambda p: Q(numbers__contains=[p.number]),
    lambda p: Q(numbers__overlap=[1, *range(1_000_000, 1_000_000 + p.id_count)]),
    lambda p: Q(matrix__0=["first word", p.text("second")]),
    lambda p: Q(pairs={"colour": p.text("yellow green"), "number": "1", "nothing": None}),
    lambda p: Q(pairs__colour=p.text("yellow green")),
    lambda p: Q(pairs__number__in=[str(number) for number in range(2, p.id_count)]),
    lambda p: Q(pairs__contains={"colour": p.text("yellow green")}),
    lambda p: Q(pairs__contained_by={"colour": "yellow green", "number": p.text("1"), "nothing": None}),
    lambda p: Q(pairs__has_key=p.text("colour")),
    lambda p: Q(pairs__has_keys=["colour", p.text("number")]),
    lambda p: Q(pairs__has_any_keys=["other key", p.text("number")]),
    lambda p: Q(pairs__keys__contains=[p.text("colour")]),
    lambda p: Q(pairs__values__overlap=[p.text("yellow green")]),
    lambda p: Q(numbers_range=p.numbers_range),
    lambda p: Q(numbers_range__contains=5),
    lambda p: Q(numbers_range__contains=Range(5, 10)),
    lambda p: Q(numbers_range__contained_by=p.numbers_range),
    lambda p: Q(numbers_range__overlap=p.numbers_range),
    lambda p: Q(numbers_range__fully_lt=Range(1_000_000, 1_234_567)),
    lambda p: Q(numbers_range__fully_gt=Range(-9_000_000, -8_000_000)),
    lambda p: Q(numbers_range__not_lt=Range(2, 1_234_567)),
    lambda p: Q(numbers_range__not_gt=p.numbers_range),
    lambda p: Q(numbers_range__adjacent_to=Range(11, 1_234_567)),
    lambda p: Q(numbers_range__in=[Range(1, 11), *[Range(number, number + 7) for number in range(p.id_count)]]),
    lambda p: Q(numbers_range__startswith__gte=2),
    lambda p: Q(numbers_range__endswith__lt=p.number),
    lambda p: Q(numbers_range__isempty=False),
    lambda p: Q(amounts_range__contains=p.amount) | Q(amounts_range__lower_inc=True),
    lambda p: Q(days_range__upper_inc=False, days_range__lower_inf=False, days_range__upper_inf=False),
    lambda p: Q(amounts_range__overlap=p.amounts_range),
    lambda p: Q(bigs_range__contains=p.big),
    lambda p: Q(days_range__contains=p.day),
    lambda p: Q(days_range__contained_by=p.days_range),
    lambda p: Q(moments_range__contains=p.moment + timedelta(hours=1)),
    lambda p: Q(moments_range__overlap=p.moments_range),
    lambda p: Q(
        moments_range__contains=Func(
            Value(p.moment), Value(p.moment), Value("[]"), function="tstzrange", output_field=DateTimeRangeField()
        )
    ),
    lambda p: Q(moment__contained_by=p.moments_range),
    lambda p: Q(day__contained_by=p.days_range),
    lambda p: Q(number__contained_by=p.numbers_range),
    lambda p: Q(name__search=p.text("thing ")),
    lambda p: Q(note__unaccent__icontains=p.text("nóte")),
    lambda p: Q(name__unaccent__in=["Thing numero 1", *p.strings]),
    lambda p: Q(name__trigram_similar=p.text("Thing nmero")),
    lambda p: Q(name__trigram_word_similar=p.text("Thing")),
    lambda p: Q(name__trigram_strict_word_similar=p.text("Thing")),
    lambda p: Q(search=s.SearchQuery(p.text("note "))),
    lambda p: Q(search=p.text("note ")),
]

NOT_IN_A_STATEMENT = {ExclusionConstraintExpression, OpClass}
"""Of indexes and constraints, so without parameters."""
