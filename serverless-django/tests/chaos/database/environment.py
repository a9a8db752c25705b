"""An execution environment: a JSON line in, through the handler that is deployed, a JSON line out."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from serverless_django.handlers.api_gateway import handler
from serverless_django.postgresql import base
from serverless_django.testing import LambdaContext

ANSWER = "> "
"""Begins a line that is an answer; all others are the log."""

IDLE_SECONDS = base.IDLE_SECONDS
EVENT = json.loads(
    (Path(__file__).parents[2] / "projects" / "sample" / "events" / "api_gateway" / "healthz.json").read_text()
)


def request(path: str, query: str = "") -> dict[str, Any]:
    event = json.loads(json.dumps(EVENT)) | {"rawPath": path, "rawQueryString": query}
    event["requestContext"]["http"]["path"] = path
    began = time.monotonic()
    response = handler(event, LambdaContext())
    base.IDLE_SECONDS = IDLE_SECONDS
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return {"status": response["statusCode"], "seconds": time.monotonic() - began, "headers": headers}


def rest() -> None:
    """Let the connection look as if it had been frozen for hours."""
    base.IDLE_SECONDS = -1


def main() -> None:
    commands = {"request": request, "rest": rest}
    for line in sys.stdin:
        command = json.loads(line)
        print(ANSWER + json.dumps(commands[command.pop("do")](**command)), flush=True)


if __name__ == "__main__":
    main()
