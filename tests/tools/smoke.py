"""`python -m tests.tools.smoke`: every sample event through the handlers of the code in this folder, on any schema.

Prints a JSON object: the sample → "" or what was wrong.  It runs old code too, so it uses nothing but handlers.
"""

import json
import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

EVENTS = Path("events")


class Context:
    """What Lambda passes beside the event."""

    function_name = function_version = log_group_name = log_stream_name = "smoke"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:smoke"
    aws_request_id = "8f5d2a3c-1f0e-4d7b-9f43-0a6c9d1f7e21"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 30_000


def main() -> None:
    logging.disable(logging.CRITICAL)
    # Management's own sample migrates, and the schema is not ours to change.
    samples = [path for path in sorted(EVENTS.rglob("*.json")) if path.parent.name != "management"]
    faults = {str(path.relative_to(EVENTS)): fault_of(path) for path in samples}
    sys.stdout.write(json.dumps(faults) + "\n")


def fault_of(path: Path) -> str:
    """Return what the handler could not do with the sample; poison is what it should refuse."""
    handler = import_module(f"lambda_app.handlers.{path.parent.name}").handler
    response: dict[str, Any] = handler(json.loads(path.read_text()), Context()) or {}
    if response.get("statusCode", 200) >= 500:
        return str(response["body"])
    failures = response.get("batchItemFailures", [])
    return "" if path.name == "poison.json" or not failures else f"{len(failures)} failed"


if __name__ == "__main__":
    main()
