"""The load arrives when it should, in the right proportions, and its report says what happened."""

import json
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from tests.demo.load import MIX, Load, Sample, Visitor, arrivals, figures, kinds, percentile, request_of
from tests.demo.load_report import LINES, Second, draw, summary
from tests.demo.phone import Phone

COUNTS = {"environments": 2, "waiting": 3, "dead": 0}


def test_the_rate_rises_and_then_stays():
    times = arrivals(rate=50, ramp=10, hold=4)

    assert len(times) == 250 + 200
    assert times == sorted(times)
    assert len([at for at in times if at < 5]) == pytest.approx(250 / 4, abs=2)
    assert all(later - earlier == pytest.approx(0.02) for earlier, later in pairwise(times[250:]))


def test_a_load_may_begin_at_its_full_rate():
    assert arrivals(rate=10, ramp=0, hold=1) == [number / 10 for number in range(10)]


def test_requests_are_mixed_as_a_phones_are():
    counts = Counter(kinds(10_000, seed=1))

    assert {kind: pytest.approx(share * 100, rel=0.1) for kind, share in MIX.items()} == counts
    assert kinds(50, seed=1) == kinds(50, seed=1) != kinds(50, seed=2)


def test_every_kind_has_its_request():
    visitor = Visitor(Phone(url="", member="ada", token="t"), photo="p1", posts=["a", "b"])

    requests = {kind: request_of(kind, visitor, number=3) for kind in MIX}

    assert requests["like"][:2] == ("PUT", "/v1/posts/b/like")
    assert requests["post"][2]["photo_id"] == "p1"
    assert len({path for _, path, _ in requests.values()}) == 4


class Server(ThreadingHTTPServer):
    def __init__(self):
        self.paths = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.paths.append(self.path)
        status = 500 if self.path.startswith("/v1/photos") else 200
        body = json.dumps({}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = answer  # noqa: N815 the names that the base class calls

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_request_is_sent_and_every_refusal_is_counted(server, capsys):
    phone = Phone(url=server.url, member="ada", token="t")
    load = Load(server, [Visitor(phone, "p", ["a"])], watch=lambda: COUNTS)

    seconds = load.run(arrivals(rate=100, ramp=0, hold=1), phones=4)
    for connection in load.connections:
        connection.close()

    found = figures(load.samples, seconds, after=0)
    refused = len([path for path in server.paths if path == "/v1/photos"])
    assert (found["requests"], len(server.paths), found["errors"]) == (100, 100, refused)
    assert refused > 0
    assert "environments 2" in capsys.readouterr().out


def test_an_unreachable_server_is_an_error_and_no_end(capsys):
    class Away:
        url = "http://127.0.0.1:9"

    load = Load(Away(), [Visitor(Phone(url="", member="ada", token="t"), "p", ["a"])], watch=lambda: COUNTS)

    load.run([0, 0.01], phones=1)

    assert [sample.is_error for sample in load.samples] == [True, True]


def test_figures_judge_what_came_after_the_rise():
    samples = [Sample("feed", 0, 900, False), Sample("feed", 5, 10, False), Sample("like", 6, 50, True)]

    found = figures(samples, [summary(0, samples, COUNTS)], after=1)

    assert (found["requests"], found["errors"], found["feed_p99_ms"], found["p99_ms"]) == (3, 1, 10, 50)


@pytest.mark.parametrize(("share", "value"), [(50, 51), (99, 100), (100, 100)])
def test_a_percentile_is_one_of_the_values(share, value):
    assert percentile(list(range(1, 101)), share) == value


def test_no_values_have_no_percentile():
    assert percentile([], 99) == 0


def test_the_picture_is_an_svg_with_every_line():
    seconds = [Second(number, 50, 0, 5.0, 8.0, 20.0 + number, COUNTS) for number in range(3)]

    picture = ET.fromstring(draw(seconds, title="<load>"))  # noqa: S314 (our own)

    assert len(picture.findall("{*}polyline")) == len(LINES)
    assert "<load>" in [text.text for text in picture.findall("{*}text")]
