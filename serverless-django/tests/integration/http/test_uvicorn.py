"""The application that Lambda gets is an ASGI application: any server runs it."""

import http.client
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "projects" / "sample"


@pytest.fixture
def server(postgresql):
    """Serve lambda_app/asgi.py with uvicorn, and yield a connection to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "uvicorn", "lambda_app.asgi:application", "--fd", str(listener.fileno())]
    variables = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "lambda_app.settings.local",
        "PGHOST": str(postgresql.sockets),
        "PGDATABASE": "postgres",
        "PGUSER": "postgres",
    }
    process = subprocess.Popen(
        [*command, "--log-level", "warning", "--lifespan", "off"], env=variables, cwd=ROOT, pass_fds=[listener.fileno()]
    )
    connection = http.client.HTTPConnection(*listener.getsockname(), timeout=60)
    yield connection
    connection.close()
    listener.close()
    process.terminate()
    process.wait(10)


def test_uvicorn_serves_the_application(server):
    server.request("GET", "/healthz")
    response = server.getresponse()

    assert (response.status, json.loads(response.read())) == (200, {"status": "ok"})
    assert response.headers["X-Request-Id"]


def test_an_error_is_a_problem_there_too(server):
    server.request("GET", "/v1/nowhere")
    response = server.getresponse()

    assert (response.status, response.headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(response.read())["title"] == "Not Found"


def test_it_reaches_its_database(server):
    server.request("GET", "/readyz")

    assert server.getresponse().status == 200
