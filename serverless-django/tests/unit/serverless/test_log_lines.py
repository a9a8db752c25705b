"""Whatever is logged is one line of JSON, not too long, and without secrets."""

import json
import logging
import sys
from collections import OrderedDict
from dataclasses import dataclass
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.observability.logs import LineHandler, encode_line, logger
from serverless_django.observability.texts import MAX_EXCEPTIONS, MAX_TEXT_CHARACTERS, cut, text_of, text_of_error
from serverless_django.testing.log_lines import captured_lines

MAX_BYTES = 262_144
"""Of one event of CloudWatch Logs."""

MARK = "s3cr3t-8c1f"
PLANTED = (
    f"Bearer {MARK}",
    f"Authorization: Basic {MARK}",
    f"password={MARK}",
    f"postgresql://app:{MARK}@proxy:5432/app",
    f"{MARK}@example.org",
    f'{{"token": "{MARK}"}}',
    f"{{'client_secret': '{MARK}'}}",
    f"[(b'cookie', b'sid={MARK}')]",
    f"?X-Amz-Security-Token={MARK}&X-Amz-Date=1",
    f"eyJhbGciOiJub25lIn0.{MARK}.{MARK}",
    f"Cookie: a=1; sid={MARK}",
)


class Stubborn:
    """Has no text."""

    def __str__(self):
        raise ValueError(f"password={MARK}")

    __repr__ = __str__


class Unreadable(dict):
    def items(self):
        raise RuntimeError(f"password={MARK}")


@dataclass
class Account:
    name: str
    password: str


def circular():
    made: dict[str, object] = {}
    made["self"] = [made, made]
    return made


def nested(levels):
    value: object = MARK
    for _ in range(levels):
        value = [value]
    return value


def shared(levels):
    value: object = [1]
    for _ in range(levels):
        value = [value, value]
    return value


ODD = (
    Stubborn(), Unreadable(a=1), circular(), nested(50), nested(5_000), Account("ada", MARK), object(),
    10**20, -(10**30), 10**5_000, float("nan"), float("inf"), b"\xff" + MARK.encode()[:2], bytearray(b"\x00"),
    memoryview(b"x"), {1: 2, None: 3, b"k": 4, (1, 2): 5}, {"a": {"b": {"c": {"d": {1, 2}}}}}, OrderedDict(x=1),
    MappingProxyType({"password": MARK}), range(10**9), iter([]), "\ud800", "caf\udce9.jpg", "\u2028\u2029\x85\n\r\0",
    "x" * 100_000, "x " * 100_000, [0] * 100_000, dict.fromkeys(range(100_000)), Exception, ValueError("\udce9"),
    sys.modules, print, ..., NotImplemented, type("T", (), {}), ["authorization", MARK], ("set-cookie", MARK),
)  # fmt: skip


def line_of(message="x", args=(), *, extra=None, error=None):
    record = logging.LogRecord("app", logging.ERROR, "f.py", 1, message, args, error and (type(error), error, None))
    vars(record).update(extra or {})
    line = logger.registered_handler.formatter.format(record)
    assert len(line.splitlines()) == 1
    assert len(line.encode()) <= MAX_BYTES
    return json.loads(line)


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("place", ["message", "argument", "extra", "key", "exception", "deep"])
def test_a_record_with_anything_in_any_place_is_one_line(value, place):
    placed = {
        "message": lambda: line_of(value),
        "argument": lambda: line_of("x %s", (value,)),
        "extra": lambda: line_of(extra={"value": value}),
        "key": lambda: line_of(extra={"value": {text_of(value): 1}}),
        "exception": lambda: line_of(error=ValueError(value)),
        "deep": lambda: line_of(extra={"value": {"list": [{"item": value}]}}),
    }[place]()

    assert placed["level"] == "ERROR"
    assert f"password={MARK}" not in json.dumps(placed)


words = st.text(st.characters(exclude_categories=()))
# By number: hypothesis shows what it samples from.
odd = st.integers(0, len(ODD) - 1).map(ODD.__getitem__)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), words, st.binary(), odd, st.sampled_from(PLANTED)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(words | st.integers(), inner) | st.tuples(inner),
    max_leaves=12,
)
texts = st.lists(words | st.sampled_from(PLANTED), max_size=4).map(" ".join)


@st.composite
def errors(draw, depth=3):
    error = draw(st.sampled_from([ValueError, KeyError, OSError, RuntimeError]))(*draw(st.lists(values, max_size=2)))
    if depth and draw(st.booleans()):
        error.__cause__ = draw(errors(depth=depth - 1))
    if draw(st.booleans()):
        error.add_note(draw(texts))
    if depth and draw(st.booleans()):
        return ExceptionGroup(draw(texts), [error, draw(errors(depth=depth - 1))])
    return error


@given(message=texts | values, args=st.lists(values, max_size=3).map(tuple), error=st.none() | errors(),
       extra=st.dictionaries(words, values, max_size=4))  # fmt: skip
def test_any_record_is_one_line_without_secrets(message, args, extra, error):
    reserved = vars(logging.makeLogRecord({})).keys()
    extra = {name: value for name, value in extra.items() if name not in reserved}

    told = json.dumps(line_of(message, args, extra=extra, error=error), ensure_ascii=False)

    # An object that is a list of half a secret's name and the value tells nothing; whole secrets are never told.
    assert [secret for secret in PLANTED if secret in told] == []


@given(before=texts, after=texts, secret=st.sampled_from(PLANTED))
def test_a_secret_is_hidden_whatever_stands_around_it(before, after, secret):
    assert MARK not in json.dumps(line_of(f"{before} {secret} {after}"))


@given(length=st.integers(0, 3 * MAX_TEXT_CHARACTERS), secret=st.sampled_from(PLANTED))
def test_a_secret_at_a_cut_is_not_half_told(length, secret):
    assert MARK[:4] not in json.dumps(line_of("x " * (length // 2) + secret + " y" * MAX_TEXT_CHARACTERS))


def test_a_text_is_cut_at_a_space():
    assert cut("one two three", 6) == "one [10 characters cut]"
    assert cut("x" * 100, 10) == " [100 characters cut]"
    assert cut("x" * 10, 10) == "x" * 10


def test_arguments_that_do_not_fit_are_not_told():
    line = line_of("%d of %d, password=%s", ("one", MARK))

    assert line["message"] == "%d of %d, password=[hidden] [the arguments do not fit: TypeError]"


def test_what_cannot_be_encoded_is_replaced_and_the_rest_is_told():
    line = line_of("file caf\udce9.jpg", extra={"circle": circular(), "size": 7})

    assert (line["message"], line["size"]) == ("file caf\\udce9.jpg", 7)
    assert "at depth" in json.dumps(line["circle"])


def test_a_list_that_holds_itself_twice_at_every_level_is_cut():
    assert "[cut]" in json.dumps(line_of(extra={"shared": shared(60)}))


def test_secrets_in_objects_are_hidden_by_their_names():
    line = line_of(extra={"of": Account("ada", MARK), "headers": [("Set-Cookie", MARK), ("accept", "x")]})

    assert line["of"] == "Account(name='ada', password='[hidden]')"
    assert line["headers"] == [["Set-Cookie", "[hidden]"], ["accept", "x"]]


def test_a_key_of_a_record_that_powertools_refuses_costs_no_line():
    with logger.append_context_keys(levelno=7):
        line = line_of("still told, token=abc")

    assert (line["message"], line["logging_error"]) == ("still told, token=[hidden]", "ValueError")


def test_a_stream_that_cannot_take_a_line_gets_no_report(capsys):
    class Broken:
        def write(self, text):
            raise OSError(f"password={MARK}")

    handler = LineHandler(Broken())
    handler.setFormatter(logger.registered_handler.formatter)

    handler.handle(logging.LogRecord("app", logging.ERROR, "f.py", 1, f"password={MARK}", (), None))

    assert capsys.readouterr() == ("", "")


def test_a_request_is_named_without_its_query(rf):
    with captured_lines() as lines:
        logging.getLogger("django.request").warning("Not Found: /x", extra={"request": rf.get("/x", {"q": MARK})})

    assert lines()[0]["request"] == "GET /x"


class TestTracebacks:
    def test_the_newest_of_a_long_chain_is_told_and_the_oldest_left_out(self):
        error = ValueError(0)
        for number in range(1, 10_000):
            earlier, error = error, ValueError(number)
            error.__cause__ = earlier

        text = text_of_error(error)

        assert text.endswith("ValueError: 9999")
        assert text.startswith("[earlier exceptions are left out]")
        assert len(text) <= MAX_TEXT_CHARACTERS + 100

    def test_an_error_that_caused_itself_is_told_once(self):
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first

        assert text_of_error(first).count("ValueError: first") == 1

    def test_a_group_that_shares_its_members_is_told_as_far_as_there_is_room(self):
        group = ExceptionGroup("leaf", [ValueError(1), KeyError("a")])
        for _ in range(200):
            group = ExceptionGroup("twice", [group, group])

        assert text_of_error(group).count("--- member") == MAX_EXCEPTIONS

    def test_the_innermost_frames_are_told(self):
        def fall(levels):
            return climb(levels - 1)

        def climb(levels):
            if levels > 0:
                return fall(levels)
            raise LookupError("at the end")

        with pytest.raises(LookupError) as caught:
            climb(100)

        assert text_of_error(caught.value).endswith("LookupError: at the end")
        assert len(text_of_error(caught.value)) <= MAX_TEXT_CHARACTERS


def test_a_line_of_the_usual_kind_is_encoded_as_it_is():
    assert json.loads(encode_line({"level": "INFO", "status": 200, "ms": 1.5, "cold": False})) == {
        "level": "INFO", "status": 200, "ms": 1.5, "cold": False}  # fmt: skip
