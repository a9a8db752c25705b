# ruff: noqa: E501, S608 - statements as people write them
"""Statements as people write them by hand: (text, parameters)."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tests.integration.statements.sizes import Size

type Statement = tuple[str, Sequence[Any] | dict[str, Any]]
type Statements = list[Callable[[Size], Statement]]


def marks(values: Sequence[Any], mark: str = "%s") -> str:
    return f"({', '.join([mark] * len(values))})"


def where(condition: str, *parameters: Any, select: str = "name", strings: bool = False) -> Callable[[Size], Statement]:
    """Return a query for rows of `statements_thing`, with the ids or names of the size in a list of IN."""

    def statement(p: Size) -> Statement:
        own = [parameter(p) if callable(parameter) else parameter for parameter in parameters]
        column, values = ("name", p.strings) if strings else ("id", p.ids)
        text = (
            f"SELECT {select} FROM statements_thing WHERE {column} IN {marks(values)} AND ({condition}) ORDER BY number"
        )
        first = select.replace("%%", "").count("%s")
        return text, [*own[:first], *values, *own[first:]]

    return statement


def selecting(expression: str, *parameters: Any, strings: bool = False) -> Callable[[Size], Statement]:
    return where("true", *parameters, select=expression, strings=strings)


def text(template: str = "some text") -> Callable[[Size], str]:
    return lambda p: p.text(template)


QUERIES: Statements = [
    where("%s IS NULL OR name = %s", text("Thing número 1"), text("Thing número 1")),
    where("%s IS NOT NULL AND name > %s", text(), text("A")),
    where("(%s) IS NULL OR ((%s)) NOTNULL", text(), text()),
    where("name = %s IS NOT NULL", text("Thing número 1")),
    where("day = %s IS NOT NULL", "2026-01-02"),
    where("moment > now() - INTERVAL %s", "1000 years"),
    where("moment > now() - INTERVAL %s", timedelta(days=300_000)),
    where("moment - interval %s > %s", "30 minutes", "2026-01-01 00:00:00+00"),
    where("day >= DATE %s", "2026-01-02"),
    where("day >= date %s", lambda p: p.day),
    where("moment >= TIMESTAMP WITH TIME ZONE %s", "2026-01-02 00:00:00+00"),
    where("moment < now() + INTERVAL '%s days'", 123_456),
    where("day IN (DATE %s, date %s)", "2026-01-02", "2026-01-03"),
    where("EXTRACT(%s FROM moment) = %s", "minutes", 30),
    where("EXTRACT(YEAR FROM moment) = %s", 2026),
    where("date_part(%s, moment) = %s", "minutes", 30),
    where("day = %s", "2026-01-02"),
    where("day = %s", text("not a date")),
    where("day BETWEEN %s AND %s", "2026-01-01", "2026-02-01"),
    where("number = %s", "1"),
    where("number = %s", text("no number")),
    where("number = %s", lambda p: p.text("1").encode()),
    where("name = %s", 1_234_567),
    where("id = %s", text("00000000-0000-0000-0000-000000000001")),
    where("id = %s", lambda p: p.id),
    where("number < %s", 10**30),
    where("number > %s", -(2**31)),
    where("big > %s", -(2**63)),
    where("ratio < %s", 1e300),
    where("amount / %s < 1", 1_234_567.5),
    where("number / %s = 0", 0),
    where("number + %s > 0", 2**31 - 1),
    where("number - %s > 0", -1_234_567),
    where("- %s < number", 1_234_567),
    where("2 ^ %s < number", -123_456),
    where("%s::text = name OR true", 1_234_567),
    where("%s::text = name OR true", -1_234_567),
    where("flag = %s", True),
    where("note IS NOT DISTINCT FROM %s", None),
    where("note IS NOT DISTINCT FROM %s", text("a note, 'quoted' \\ 1 100%")),
    where("name LIKE %s", text("Thing%")),
    where("name LIKE %s ESCAPE %s", text("Th!ing%"), "!"),
    where("name ILIKE %s OR name SIMILAR TO %s", text("thing%"), text("(Th|th)%")),
    where("name ~ %s", text("n.mero")),
    where("name NOT IN (%s, %s)", text("Thing número 1"), text("Thing número 2")),
    where("%s IN (name, note)", text("Thing número 1")),
    where("%s IN (%s, %s)", text(), text(), text("other")),
    where("name = ANY(%s)", lambda p: [p.text("Thing número 1"), "Thing número 2"]),
    where("id = ANY(%s)", lambda p: p.ids),
    where("number = ANY(%s)", lambda p: [1, 2, *range(10**6, 10**6 + p.id_count)]),
    where("number <> ALL(ARRAY[%s, %s])", 1, 1_234_567),
    where("name = ANY(ARRAY[%s, %s])", text("Thing número 1"), text("other")),
    where("words && ARRAY[%s, %s]", text("first word"), text("second word")),
    where("words @> %s", lambda p: p.words),
    where("(name, number) = (%s, %s)", text("Thing número 1"), 1),
    where("(name, number) IN ((%s, %s), (%s, %s))", text("Thing número 1"), 1, text("Thing número 2"), 2),
    where("(name, day) < (%s, %s)", text("Z"), "2026-01-03"),
    where("ROW(name, number) = ROW(%s, %s)", "Thing número 1", 1),
    where("document @> %s", lambda p: Jsonb({"name": p.text("Thing 1")})),
    where("document @> %s", lambda p: f'{{"name": "{p.text("Thing 1")}"}}'),
    where("document ->> %s = %s", "name", text("Thing 1")),
    where("document #>> %s = %s", lambda p: ["size", "width"], "1"),
    where("document #>> %s = '1'", "{size,width}"),
    where("document ? %s", text("name")),
    where("document @? %s", '$.tags[*] ? (@ == "red")'),
    where("jsonb_path_exists(document, %s)", "$.size.width"),
    where("numbers_range @> %s", 5),
    where("numbers_range && %s", "[1,5)"),
    where("days_range @> %s::date", "2026-01-02"),
    where("days_range && daterange(%s, %s)", "2026-01-01", "2026-02-01"),
    where("address << %s", "192.168.0.0/16"),
    where("name::citext = %s", text("THING NÚMERO 1")),
    where("%s::mood = 'happy'", "happy"),
    where("'happy'::mood = %s", text("happy")),
    where("'happy'::mood = ANY(%s)", ["happy", "sad"]),
    where("similarity(name, %s) >= 0", text("Thing")),
    where("to_tsvector('english', note) @@ to_tsquery(%s, %s)", "english", "note & quoted"),
    where("to_tsvector(note) @@ websearch_to_tsquery(%s)", text("note ")),
    where("starts_with(name, %s)", text("Thing")),
    where("EXISTS (SELECT %s WHERE number < %s)", text(), 1_234_567),
    where("name IN (SELECT %s UNION ALL SELECT %s)", text("Thing número 1"), text("Thing número 2")),
    where("name IN (VALUES (%s), (%s))", text("Thing número 1"), text("Thing número 2")),
    where("/* a comment with %s */ name > %s -- and one with 100%%\n", 1_234_567, text("A")),
    where("name <> $$it's 100%% %s$$ AND name > %s", 1_234_567, text("A")),
    where("name <> E'it\\'s; %%' AND name > %s", text("A")),
    where("name <> 'a; semicolon' AND name > %s", text("A")),
    where('name > %s OR "statements_thing"."name" = %s', text("A"), text("b")),
    where("number %% %s = 1", 1_234_567),
    where("name > %s", text("A"), select='name AS "a ""name""; %%"'),
    # Against another type than the values have.
    where("day::text <> %s", text("2026-01-02"), strings=True),
    where(
        "name IN (%s, NULL, %s) OR name NOT IN (%s, %s)", text("a text"), text("b text"), text("c text"), text("d text")
    ),
    selecting("%s", text()),
    selecting("%s, %s", text(), lambda p: p.day),
    selecting("%s AS a, (%s) AS b, ((%s)) AS c", text(), text(), text()),
    selecting("%s || %s", text(), text("other")),
    selecting("%s = %s", text(), text()),
    selecting("concat(%s, name, %s)", text(), text("other")),
    selecting("concat((%s), ((%s)))", text(), text()),
    selecting("concat(%s || name, upper(%s), %s::text, %s = %s)", text(), text(), text(), text(), text()),
    selecting('concat(%s COLLATE "C")', text()),
    selecting("concat(%s = day, %s IS NULL)", "2026-01-02", text()),
    selecting("concat_ws(%s, %s, name)", text(", "), text()),
    selecting("format(%s, %s)", lambda p: p.text("text ") + "%s", text()),
    selecting("json_build_object(%s, %s, %s, 1)", text("key"), text(), text("other")),
    selecting("jsonb_build_array(%s, %s, name, %s)", text(), lambda p: p.id, lambda p: Jsonb(p.document)),
    selecting("num_nulls(%s, note, %s)", text(), None),
    selecting("pg_typeof(%s)", "some text"),
    selecting("pg_typeof(%s)", lambda p: p.day),
    selecting("pg_typeof(%s), pg_typeof(%s), pg_typeof(%s)", 1_234_567, 1.2345678, 10**12),
    selecting("pg_column_size(%s)", "some text"),
    selecting("row_to_json(ROW(%s, %s, name))", "some text", 1_234_567),
    selecting("row_to_json((%s, name))", "some text"),
    selecting("(%s, name)::text", "some text"),
    selecting("JSON_OBJECT(%s VALUE %s)", text("key"), text()),
    selecting("JSON_OBJECT(%s : %s, 'b' : %s)", text("key"), text(), 1_234_567),
    selecting("JSON_ARRAY(%s, %s, name RETURNING jsonb)", text(), 1_234_567),
    selecting("JSON_VALUE(document, '$.name' DEFAULT %s ON EMPTY)", text()),
    selecting("JSON_EXISTS(document, '$.tags[*] ? (@ == $x)' PASSING %s AS x)", text("red")),
    selecting("coalesce(%s, %s)", text(), text("other")),
    selecting("coalesce(%s, day)", "2026-01-02"),
    selecting("greatest(%s, %s, name), least(%s, day)", text(), text("other"), "2026-01-02"),
    selecting("nullif(%s, %s)", text(), text()),
    selecting("CASE WHEN name = %s THEN %s ELSE %s END", text("Thing número 1"), text(), text("other")),
    selecting("CASE %s WHEN %s THEN 1 ELSE 2 END", text(), text()),
    selecting("CASE WHEN flag THEN %s END", lambda p: p.day),
    selecting("ARRAY[%s, %s]", text(), text("other")),
    selecting("ARRAY[[%s], [%s]]", text(), text("other")),
    selecting("(ARRAY[%s, %s])[%s]", text(), text("other"), 2),
    selecting("%s[1]", [1_234_567, 2]),
    selecting("(%s::text[])[%s:%s]", lambda p: p.words, 1, 2),
    selecting("%s::date + %s", "2026-01-02", 1_234),
    selecting("%s::interval * %s", "1 day 00:00:05", 1.5),
    selecting("amount::numeric(%s, %s), name::varchar(%s)", 30, 2, 1_000_000),
    selecting("CAST(%s AS varchar(5)), CAST(%s AS mood)", text(), "happy"),
    selecting("moment AT TIME ZONE %s", "Europe/Berlin"),
    selecting("date_trunc(%s, moment), to_char(moment, %s)", "minutes", "YYYY-MM-DD HH24"),
    selecting("make_interval(days => %s), make_date(%s, 2, 3)", 123_456, 202_600),
    selecting("substring(name FROM %s), substring(%s FROM 2 FOR 3)", "Th.ng", text()),
    selecting("overlay(name PLACING %s FROM 2), trim(BOTH %s FROM name)", text(), text("Thing")),
    selecting("position(%s IN name), regexp_replace(name, %s, %s, %s)", text("número"), "[aeiou]", "vowels", "gi"),
    selecting("string_to_array(%s, %s), array_to_string(words, %s)", text("a,b"), ",", text("; ")),
    selecting("array_append(words, %s), array_position(words, %s)", text(), text("first word")),
    selecting("jsonb_set(document, %s, %s)", ["name"], lambda p: Jsonb(p.text())),
    selecting("jsonb_set(document, %s, %s)", "{name}", '"some text"'),
    selecting("lag(name, 1, %s) OVER (ORDER BY number)", text()),
    selecting("first_value(%s) OVER w, count(%s) OVER w", text(), text()),
    selecting(
        "sum(number) OVER (ORDER BY moment RANGE BETWEEN %s PRECEDING AND CURRENT ROW)", timedelta(days=1, seconds=5)
    ),
    selecting("sum(number) OVER (ORDER BY moment RANGE %s PRECEDING)", "1 day 00:00:05"),
    selecting("(SELECT %s), (SELECT string_agg(title, %s) FROM statements_shelf)", text(), text(", ")),
    selecting('%s COLLATE "C" < name COLLATE "C"', text()),
    selecting("md5(%s), length(%s), length(%s)", text(), text(), lambda p: p.text().encode()),
    selecting("encode(%s, 'base64')", lambda p: p.text("\0\\'").encode()),
    selecting("%s, %s, %s, %s", lambda p: p.moment, lambda p: p.clock, lambda p: p.span, lambda p: p.id),
    selecting("%s, %s, %s", lambda p: p.numbers_range, lambda p: p.days_range, lambda p: p.amounts_range),
    selecting("%s, %s, %s, %s", 1_234_567, 10**12, 10**25, -(10**12)),
    selecting("%s, %s, %s", 1.2345678, float("nan"), lambda p: p.amount),
    selecting("%s / 2, %s / 2", 1_234_567, 12_345_678.0),
    selecting("%s, %s", True, None),
    selecting("set_config('statements.setting', %s, true)", text()),
    selecting("DISTINCT name || %s, number", text()),
    selecting("DISTINCT ON (number) name || %s", text()),
    selecting("name", strings=True),
    selecting("(DATE %s, DATE %s) OVERLAPS (%s, %s)", *["2026-01-02"] * 4),
    selecting("%s IS JSON, %s IS JSON OBJECT", text("[1] "), text('{"a": 1} ')),
    selecting("%s IS TRUE, NOT %s, %s AND flag", "true", "false", "true"),
    selecting("%s IS NORMALIZED, normalize(%s)", text(), text()),
    selecting("%s BETWEEN %s AND %s, %s BETWEEN SYMMETRIC %s AND name", *[text()] * 5),
    selecting("%s LIKE %s, %s SIMILAR TO %s, %s ~* %s", *[text()] * 6),
    selecting("JSON_SCALAR(%s), JSON_SERIALIZE(%s), JSON(%s)", text(), text("[1] "), text("[1] ")),
    selecting("JSON_QUERY(%s, '$'), JSON_VALUE(document, '$.name' RETURNING text)", text("[1] ")),
    selecting("(SELECT JSON_ARRAYAGG(%s)), (SELECT JSON_OBJECTAGG(%s VALUE %s))", text(), text("key"), text()),
    selecting("(SELECT json_agg(%s)), to_jsonb(%s)", text(), text()),
    selecting("to_jsonb(%s::text), array_agg(%s::text) OVER ()", text(), text()),
    selecting("XMLELEMENT(NAME a, XMLATTRIBUTES(%s AS b), %s)::text", text(), text()),
    selecting("XMLFOREST(%s AS a, name)::text, XMLPARSE(CONTENT %s)::text", text(), text()),
    selecting("(SELECT rank(%s) WITHIN GROUP (ORDER BY title) FROM statements_shelf)", text()),
    selecting(
        "(SELECT percentile_disc(%s) WITHIN GROUP (ORDER BY number) FROM statements_shelf, statements_thing)",
        0.123456789,
    ),
    selecting("(SELECT string_agg(DISTINCT %s, %s))", text(), text(", ")),
    selecting("document[%s], words[%s:%s], document[%s][%s]", "size", 1, 1_234_567, "size", "width"),
    selecting("age(%s), to_date(%s, %s), justify_days(%s)", "2026-01-02", "2026-01-02", "YYYY-MM-DD", "40 days 05:00"),
    selecting("date_trunc('day', %s), EXTRACT(epoch FROM %s)", "2026-01-02 01:02:03", "2026-01-02 01:02:03"),
    selecting("EXTRACT(day FROM INTERVAL %s), INTERVAL %s * 2", "40 days 05:00", "40 days 05:00"),
    selecting(
        "TIMESTAMP %s, TIMESTAMP(3) WITHOUT TIME ZONE %s, TIME WITH TIME ZONE %s",
        "2026-01-02",
        "2026-01-02",
        "10:11:12+01",
    ),
    selecting("moment AT TIME ZONE %s, moment AT TIME ZONE INTERVAL %s", "Europe/Berlin", "01:00:00"),
    selecting("coalesce(NULL, %s), coalesce(%s), nullif(%s, name)", text(), text(), text()),
    selecting("CASE WHEN flag THEN %s ELSE 1 END, CASE %s WHEN 1 THEN 2 END", "1234567", "1234567"),
    selecting("quote_literal(%s), quote_nullable(%s), quote_ident(%s)", text(), text(), text()),
    selecting("length(%s), char_length(%s), octet_length(%s), bit_length(%s)", *[text()] * 4),
    selecting("decode(%s, %s), convert_to(%s, %s)", text("abcd"), "base64", text(), "LATIN1"),
    selecting("point %s, box(%s, %s), inet %s", "(1.25,2.5)", "(1.25,2.5)", "(3.25,4.5)", "192.168.100.1"),
    selecting("%s::jsonb -> %s, %s::json ->> 0", '{"some": 1}', "some", "[1, 2, 3]"),
    selecting('(%s || %s) COLLATE "C", %s || 1, 1 || %s', *[text()] * 4),
    selecting("%s < ALL(ARRAY['a']), %s = SOME(%s)", text(), text(), lambda p: p.words),
    selecting("num_nonnulls(%s, %s), GREATEST(NULL, %s)", text(), text(), text()),
    selecting("count(*) FILTER (WHERE name = %s) OVER (PARTITION BY name || %s ORDER BY note || %s)", *[text()] * 3),
    selecting("count(*) OVER (PARTITION BY %s ORDER BY %s)", text(), text()),
    selecting("generate_series(%s, %s)", 1_234_567, 1_234_568),
    selecting("(SELECT max(a) FROM (SELECT %s AS a UNION ALL SELECT name) u)", text()),
    selecting("(SELECT a + 1 FROM (SELECT %s AS a) u)", "1234567"),
    selecting("xmlexists(%s PASSING %s)", text("//a"), "<a><b>c</b></a>"),
    where("EXISTS (SELECT FROM unnest(%s) u WHERE u = %s)", lambda p: p.words, text("first word")),
    where("EXISTS (SELECT FROM json_to_recordset(%s) AS x(a int) WHERE a = %s)", '[{"a": 1234567}]', 1_234_567),
    where("EXISTS (SELECT FROM JSON_TABLE(%s, '$[*]' COLUMNS (a int PATH '$.a')) t)", '[{"a": 1234567}]'),
    where("EXISTS (SELECT FROM statements_shelf TABLESAMPLE BERNOULLI (%s))", 100.00000),
    where("name = (VALUES (%s))", text("Thing número 1")),
    where("number OPERATOR(pg_catalog.=) %s", 1_234_567),
    where("name = %s::varchar(100) OR name = CAST(%s AS text)", text("Thing número 1"), text("Thing")),
]


def grouped(expression: str, *parameters: Any, group: str = "", strings: bool = True) -> Callable[[Size], Statement]:
    """Return a query that PostgreSQL accepts only if it sees that two expressions are the same."""

    def statement(p: Size) -> Statement:
        own = [parameter(p) if callable(parameter) else parameter for parameter in parameters]
        column, values = ("name", p.strings) if strings else ("id", p.ids)
        by = (group or "{}").format(expression)
        text = (
            f"SELECT {expression} AS result, count(*) FROM statements_thing WHERE {column} IN {marks(values)} "
            f"GROUP BY {by} HAVING {expression} IS NOT NULL ORDER BY {expression}"
        )
        return text, [*own, *values, *own, *own, *own]

    return statement


GROUPS: Statements = [
    grouped("name || %s", text()),
    grouped("%s || name", text()),
    grouped("coalesce(note, %s)", text()),
    grouped("coalesce(note, %s)", "Thing número 2"),
    grouped("CASE WHEN name = %s THEN %s ELSE %s END", "Thing número 1", "Thing número 2", text()),
    grouped("concat(name, %s)", text()),
    grouped("concat(%s, day)", "2026-01-02", strings=False),
    grouped("day = %s", "2026-01-02"),
    grouped("day + %s", 1_234_567),
    grouped("number - %s", -1_234_567),
    grouped("ratio * %s", 1.2345678),
    grouped("greatest(day, %s)", lambda p: p.day),
    grouped("greatest(id, %s)", lambda p: p.ids[1], strings=False),
    grouped("moment AT TIME ZONE %s", "Europe/Berlin"),
    grouped("date_trunc(%s, moment)", "minutes"),
    grouped("document ->> %s", text("name")),
    grouped("document || %s", lambda p: Jsonb(p.document)),
    grouped("name || %s", text(), group="ROLLUP ({})"),
    grouped("%s IS NULL", text()),
    grouped("number", group="%s"),
    lambda p: (
        f"SELECT DISTINCT name || %s FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY name || %s",
        [p.text(), *p.ids, p.text()],
    ),
    lambda p: (
        f"SELECT coalesce(note, %s), count(*) FROM statements_thing WHERE name IN {marks(p.strings)} AND day <> %s "
        "AND %s <> name GROUP BY coalesce(note, %s)",
        ["2026-01-02", *p.strings, "2026-01-02", "2026-01-02", "2026-01-02"],
    ),
    lambda p: (f"SELECT name FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY %s", [*p.ids, p.text()]),
    lambda p: (f"SELECT name FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY name, %s", [*p.ids, p.text()]),
    lambda p: (f"SELECT count(*) FROM statements_thing WHERE id IN {marks(p.ids)} GROUP BY %s", [*p.ids, p.text()]),
    lambda p: (f"SELECT name, 1 FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY %s", [*p.ids, 1_234_567]),
]

OTHERS: Statements = [
    lambda p: (
        f"SELECT name FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY CASE WHEN name = %s THEN %s ELSE %s END, 1",
        [*p.ids, "Thing número 1", "some text", "other text"],
    ),
    lambda p: (
        f"SELECT name FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY 1 LIMIT %s OFFSET %s",
        [*p.ids, "1234567", "1"],
    ),
    lambda p: (
        f"SELECT name FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY 1 FETCH FIRST %s ROWS ONLY",
        [*p.ids, 1_234_567],
    ),
    lambda p: (
        f"SELECT count(*) FROM statements_thing WHERE id IN {marks(p.ids)} LIMIT %s OFFSET %s",
        [*p.ids, 1_234_567, 0],
    ),
    lambda p: (f"SELECT name FROM statements_thing WHERE id NOT IN {marks(p.ids[1:])} ORDER BY 1", p.ids[1:]),
    lambda p: (f"SELECT name FROM statements_thing WHERE flag = id IN {marks(p.ids)} ORDER BY 1", p.ids),
    lambda p: (f"SELECT name FROM statements_thing WHERE number + 1 IN {marks(p.ids)}", range(2, 2 + len(p.ids))),
    lambda p: (f"SELECT name FROM statements_thing WHERE (document ->> 'name') IN {marks(p.strings)}", p.strings),
    lambda p: (f"SELECT count(*) FROM statements_thing WHERE id::text IN {marks(p.ids)}", [str(id) for id in p.ids]),
    lambda p: (f"SELECT count(*) FROM statements_thing WHERE id IN {marks(p.ids)}", [str(id) for id in p.ids]),
    lambda p: (f"SELECT count(*) FROM statements_thing WHERE day IN {marks(p.ids)}", ["2026-01-02"] * len(p.ids)),
    lambda p: (f"SELECT count(*) FROM statements_thing WHERE name IN {marks(p.ids)}", p.ids),
    lambda p: (f"SELECT count(*) FROM statements_thing WHERE name IN {marks(p.ids)}", range(len(p.ids))),
    lambda p: (
        f"SELECT count(*) FROM statements_thing WHERE number IN {marks(p.ids)}",
        [n / 2 for n in range(len(p.ids))],
    ),
    lambda p: (
        f"SELECT count(*) FROM statements_thing WHERE number IN {marks(p.ids)}",
        ["1"] + ["nothing"] * (len(p.ids) - 1),
    ),
    lambda p: (f"SELECT count(*) FROM statements_thing WHERE words IN {marks(p.ids)}", ["{first word}"] * len(p.ids)),
    lambda p: (
        f"SELECT count(*) FROM statements_thing WHERE name::citext IN {marks(p.ids)}",
        [s.upper() for s in p.strings],
    ),
    lambda p: (f"SELECT 'happy'::mood IN {marks(p.ids)}", ["happy"] * len(p.ids)),
    lambda p: (f"SELECT %s IN {marks(p.strings)}", [p.text("Thing número 1"), *p.strings]),
    lambda p: (f"SELECT x::real IN {marks(p.ids)} FROM unnest(ARRAY[1.1]) x", [n + 0.1 for n in range(len(p.ids))]),
    lambda p: (f"SELECT 5 NOT IN {marks(p.ids)}, NULL IN {marks(p.ids)}", [None, *range(2 * len(p.ids) - 1)]),
    lambda p: (
        f"SELECT v.a, v.b, v.c FROM (VALUES {rows(p, 4)}) v(a, b, c, d) ORDER BY 1, 2",
        [v for n in range(len(p.ids)) for v in (p.strings[n], n, p.ids[n], None)],
    ),
    lambda p: (f"SELECT * FROM unnest(ARRAY[{marks(p.strings)[1:-1]}]) x ORDER BY 1", p.strings),
    lambda p: (
        f"SELECT * FROM statements_reading WHERE (sensor, number) IN ({rows(p, 2)})",
        [v for n in range(len(p.ids)) for v in (p.strings[n], n)],
    ),
    lambda p: (
        "SELECT %(a)s || name, concat(%(a)s), %(b)s FROM statements_thing WHERE id = ANY(%(ids)s) AND %(a)s <> name",
        {"a": p.text(), "b": p.day, "ids": p.ids},
    ),
    lambda p: (
        f"-- a comment\n/* another */ SELECT name FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY 1;",
        p.ids,
    ),
    lambda p: (
        f"WITH t AS (SELECT %s AS label) SELECT label || name FROM t, statements_thing WHERE id IN {marks(p.ids)}",
        [p.text(), *p.ids],
    ),
    lambda p: (
        f"WITH RECURSIVE t(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM t WHERE n < %s) SELECT n FROM t WHERE n NOT IN {marks(p.ids)}",
        [1_234_567, 1_234_569, *range(len(p.ids))],
    ),
    lambda p: (
        f"SELECT %s UNION SELECT name FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY 1",
        [p.text(), *p.ids],
    ),
    lambda p: (
        f"SELECT %s UNION ALL SELECT day FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY 1",
        ["2026-01-02", *p.ids],
    ),
    lambda p: (
        f"VALUES (%s, %s), (%s, cardinality(ARRAY[{marks(p.ids)[1:-1]}]))",
        [p.text(), 1_234_567, p.text("other"), *p.ids],
    ),
    lambda p: (f"(SELECT %s, id FROM statements_thing WHERE id IN {marks(p.ids)} ORDER BY 2)", [p.text(), *p.ids]),
    lambda p: (f"SELECT 1 WHERE 1 IN {marks(p.ids)}; SELECT %s", [*range(len(p.ids)), p.text()]),
    lambda p: (f"SELECT $1, %s FROM statements_thing WHERE id IN {marks(p.ids)}", [p.text(), *p.ids]),
    lambda p: (f"SELECT name FROM statements_thing WHERE id IN {marks(p.ids)} AND name = 'unfinished %s", [*p.ids, 1]),
    lambda p: (f"SELECT no_function(%s, {marks(p.ids)[1:-1]})", [p.text(), *p.ids]),
    lambda p: (f"SELECT no_column FROM statements_thing WHERE id IN {marks(p.ids)} AND name = %s", [*p.ids, p.text()]),
    lambda p: (
        f"EXPLAIN (COSTS OFF) SELECT 1 FROM statements_shelf WHERE %s = ANY(ARRAY[{marks(p.ids)[1:-1]}]) AND 1 = 0",
        [p.id, *p.ids],
    ),
]


def rows(p: Size, width: int) -> str:
    return ", ".join([marks(range(width))] * len(p.ids))


WRITES: Statements = [
    lambda p: (
        f"UPDATE statements_thing SET note = %s, day = %s, document = %s WHERE id IN {marks(p.ids)} RETURNING %s, note",
        [p.text(), "2026-02-02", '{"a": "some text"}', *p.ids, p.text("returned")],
    ),
    lambda p: (
        f"UPDATE statements_thing SET (note, number) = (%s, %s) WHERE id IN {marks(p.ids)}",
        [p.text(), 1_234_567, *p.ids],
    ),
    lambda p: (
        f"UPDATE statements_thing t SET note = v.note FROM (VALUES {rows(p, 2)}) v(id, note) WHERE v.id = t.id",
        [v for n in range(len(p.ids)) for v in (p.ids[n], p.text("long " if n == 1 else "note "))],
    ),
    lambda p: (
        f"DELETE FROM statements_reading WHERE sensor IN {marks(p.strings)} OR value = %s RETURNING *",
        [*p.strings, p.text()],
    ),
    lambda p: (
        f"INSERT INTO statements_reading (sensor, number, value) VALUES {rows(p, 3)}",
        [v for n in range(len(p.ids)) for v in (p.strings[n], 1_000_000 + n, p.text("value") if n < 2 else "value")],
    ),
    lambda p: (
        f"INSERT INTO statements_reading (sensor, number, value) SELECT %s, number, %s FROM statements_thing WHERE id IN {marks(p.ids)}",
        [p.text("sensor")[:1000], p.text(), *p.ids],
    ),
    lambda p: (
        f"INSERT INTO statements_reading VALUES (%s, %s, %s), {rows(p, 3)} ON CONFLICT (sensor, number) DO UPDATE SET value = excluded.value || %s",
        [
            "Thing número 1",
            1,
            p.text(),
            *[v for n in range(2, len(p.ids) + 2) for v in ("other sensor", n, "value")],
            p.text(),
        ],
    ),
    lambda p: (
        f"MERGE INTO statements_reading r USING (VALUES {rows(p, 2)}) v(sensor, number) ON r.sensor = v.sensor AND r.number = v.number WHEN MATCHED THEN UPDATE SET value = %s WHEN NOT MATCHED THEN INSERT VALUES (v.sensor, v.number, %s)",
        [*[v for n in range(len(p.ids)) for v in (p.strings[n], n)], p.text(), p.text("other")],
    ),
    lambda p: (
        f"INSERT INTO statements_shelf (title) SELECT %s WHERE 1 IN {marks(p.ids)}",
        ["t" * 101, *range(len(p.ids))],
    ),
    lambda p: (
        f"WITH moved AS (DELETE FROM statements_reading WHERE sensor IN {marks(p.strings)} RETURNING *) INSERT INTO statements_reading SELECT sensor, number + %s, %s FROM moved",
        [*p.strings, 1_234_567, p.text()],
    ),
]
