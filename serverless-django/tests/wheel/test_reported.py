"""docs/how-to/report-errors-and-traces.md: what its wrappers send has arrived when a handler returns."""

import gzip
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli
import pytest

from tests.wheel.installed import LIBRARY, Installed, build_wheel
from tests.wheel.pages import files_of, write_files

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

HANDLER = """from lambda_app.handlers import reported
from lambda_app.handlers.tracing import traced
from serverless_django.handlers.{name} import handler as serverless_handler

handler = reported(traced(serverless_handler))
"""

TESTS = """import os
from urllib.request import urlopen

import pytest

from lambda_app.tasks import greet
from serverless_django.testing.requests import call_api
from serverless_django.testing.sqs_events import sqs_event, task_body

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def handlers(postgresql):
    # After the server: OpenTelemetry gives each fork a thread, and as root PostgreSQL starts in a fork that has one.
    from lambda_app.handlers import api_gateway, sqs

    return api_gateway.handler, sqs.handler


def received():
    with urlopen(os.environ["COLLECTOR"]) as answer:
        return answer.read().decode(errors="replace")


def test_a_view_that_fails(handlers):
    assert call_api(handlers[0], "POST", "/greetings").status == 500
    assert "MultiValueDictKeyError" in received()


def test_a_task_that_fails(handlers, lambda_context):
    handlers[1](sqs_event(task_body(greet, "x" * 101)), lambda_context)
    assert "value too long" in received()


def test_spans(handlers):
    assert call_api(handlers[0], "GET", "/greetings").status == 200
    assert "GET greetings" in received()
"""


@pytest.fixture
def collector():
    """A server that answers a GET with all that was posted to it."""
    bodies = []

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            unpack = {"gzip": gzip.decompress, "br": brotli.decompress}.get(self.headers.get("Content-Encoding"), bytes)
            bodies.append(unpack(body))
            self._answer(b"{}")

        def do_GET(self):
            self._answer(b"\n".join(bodies))

        def _answer(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collect) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_errors_and_spans_have_left_when_the_handler_returns(tmp_path, collector, monkeypatch):
    project = Installed.copy_of("minimal", tmp_path / "project")
    project.take(build_wheel(LIBRARY, tmp_path))
    project.uv("add", "--quiet", "sentry-sdk", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http",
               "opentelemetry-instrumentation-django", "opentelemetry-instrumentation-asgi")  # fmt: skip
    files = files_of("report-errors-and-traces.md")
    handlers = {f"lambda_app/handlers/{name}.py": HANDLER.format(name=name) for name in ("api_gateway", "sqs")}
    write_files(files | handlers | {"tests/test_reported.py": TESTS}, project.root)
    for name, value in {
        "COLLECTOR": f"http://{collector}/",
        "SENTRY_DSN": f"http://key@{collector}/1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector}",
    }.items():
        monkeypatch.setitem(os.environ, name, value)

    assert "3 passed" in project.uv("run", "--quiet", "pytest", "-q", "tests/test_reported.py")
