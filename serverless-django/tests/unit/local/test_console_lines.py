"""The log is followed line by line, and one id finds all that a request began."""

import json

import pytest

from serverless_django.local.console.lines import LogTail, find, one_line, parse


@pytest.fixture
def logs(tmp_path):
    """Return a folder with the logs of two functions."""
    for source in ("api_gateway", "sqs"):
        (tmp_path / source).mkdir()
        (tmp_path / source / "f.log").write_text("")
    return tmp_path


def write(logs, source, *lines):
    with (logs / source / "f.log").open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def test_only_what_is_written_after_the_start_is_read(logs):
    write(logs, "sqs", {"message": "old"})
    tail = LogTail(logs)
    write(logs, "sqs", {"message": "new"})

    assert [line["message"] for line in tail.read()] == ["new"]
    assert tail.read() == []


def test_a_line_is_read_when_it_has_its_end(logs):
    tail, file = LogTail(logs), logs / "sqs" / "f.log"
    file.write_text('{"message": "ha')
    first = tail.read()
    file.write_text('{"message": "half"}\n')

    assert (first, [line["message"] for line in tail.read()]) == ([], ["half"])


def test_the_log_of_a_function_that_is_new_is_read_from_its_beginning(logs):
    tail = LogTail(logs)
    (logs / "s3").mkdir()
    (logs / "s3" / "g.log").write_text('{"message": "first"}\n')

    assert [(line["function"], line["message"]) for line in tail.read()] == [("s3", "first")]


@pytest.mark.parametrize("text", [b"Segmentation fault", b"[1]", b"\xff\xfe", b"{"])
def test_what_is_no_json_object_is_a_line_too(text):
    line = parse(text, source="sqs")

    assert (line["level"], line["function"]) == ("TEXT", "sqs")
    assert line["message"]


def test_an_id_finds_the_request_its_task_and_the_bulk_that_it_was_part_of(logs):
    write(logs, "api_gateway", {"timestamp": "1", "correlation_id": "r"}, {"timestamp": "2", "correlation_id": "other"})
    write(logs, "sqs", {"timestamp": "4", "correlation_ids": ["q", "r"]}, {"timestamp": "3", "correlation_id": "r"})

    assert [line["timestamp"] for line in find(logs, "r")] == ["1", "3", "4"]


def test_the_id_of_an_invocation_finds_its_request_and_all_that_it_began(logs):
    write(logs, "api_gateway", {"timestamp": "1", "correlation_id": "r", "function_request_id": "i"})
    write(logs, "sqs", {"timestamp": "2", "correlation_id": "r"})

    assert [line["timestamp"] for line in find(logs, "i")] == ["1", "2"]


def test_an_id_within_a_text_is_no_find(logs):
    write(logs, "sqs", {"message": "r was here"})

    assert find(logs, "r") == []


def test_an_invocation_is_said_in_one_line():
    line = {"timestamp": "2026-11-23T09:18:18.175+00:00", "level": "INFO", "function": "api_gateway",
            "message": "invocation", "route": "GET /v1/books", "status": 200, "duration_ms": 12.34, "queries": 2,
            "sql_ms": 3.21, "cold_start": True}  # fmt: skip

    said = one_line(line)

    facts = "GET /v1/books  200  12.3 ms  2 queries 3.2 ms  cold"
    assert said == f"09:18:18.175 api_gateway INFO     {facts}"


def test_an_exception_is_shown_below_its_message():
    assert one_line({"function": "sqs", "message": "failed", "exception": "Traceback"}).endswith("failed\nTraceback")
