"""The object function's process: it renders each file in a child that begins as it is, and tells what that took.

Reads "CONTENT_TYPE PATH" lines; answers one JSON object a line: megabytes, seconds, reason, and where the
renditions are.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

RESULT = "RESULT "


def load() -> None:
    """Load what an environment has loaded when an object comes: the handler, S3's client, the database's driver."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lambda_app.settings.local")
    import boto3
    import psycopg  # noqa: F401

    from lambda_app.apps.feed import rendering  # noqa: F401
    from serverless_django.handlers import s3  # noqa: F401

    boto3.client("s3", region_name="us-east-1")


def render(content_type: str, path: Path) -> dict[str, Any]:
    from lambda_app.apps.feed.errors import RejectedImageError
    from lambda_app.apps.feed.rendering import render

    started = time.process_time()
    try:
        rendering, reason = render(path.read_bytes(), content_type=content_type), ""
    except RejectedImageError as error:
        rendering, reason = None, str(error)
    seconds = time.process_time() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for number, image in enumerate(rendering.images if rendering else ()):
        path.with_suffix(f".{number}.webp").write_bytes(image.data)
    count = len(rendering.images) if rendering else 0
    return {"peak_mb": peak_mb, "seconds": seconds, "reason": reason, "renditions": count}


def render_in_child(content_type: str, path: Path) -> dict[str, Any]:
    """Return what `render` says, or how the child died.

    Memory is what the child's pages are at most, those that it shares with this process among them.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        with os.fdopen(write, "w") as pipe:
            json.dump(render(content_type, path), pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(answer) if status == 0 else {"crashed": status}


def main() -> None:
    load()
    sys.stdout.write(f"{RESULT}{json.dumps({'idle_mb': idle_mb()})}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        content_type, path = line.split(maxsplit=1)
        sys.stdout.write(f"{RESULT}{json.dumps(render_in_child(content_type, Path(path.strip())))}\n")
        sys.stdout.flush()


def idle_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


if __name__ == "__main__":
    main()
