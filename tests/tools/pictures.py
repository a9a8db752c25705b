"""The pictures in docs/: the architecture, drawn from the topology, and the console of the running system.

`make pictures`, while `make run` runs in another terminal.
"""

import json
import sys
import time
import urllib.request
from html import escape

from lambda_app.topology import TOPOLOGY
from serverless_django.local.running import STATE, RunningCloud
from tests.tools.browser import PROJECT, Browser

PICTURES = PROJECT / "docs" / "pictures"
WIDTH, ROW, TOP = 960, 44, 24
COLUMNS = {"in": 20, "queue": 260, "function": 500, "database": 790}
BOX_WIDTH = 180
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1b1f1d } .soft { fill: #5b635f; font-size: 11px }
  rect { fill: #fff; stroke: #c9ccc6; rx: 6 } .ours { stroke: #0f7a66; stroke-width: 1.5 }
  path { fill: none; stroke: #8b938e; marker-end: url(#arrow) } marker path { fill: #8b938e; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9e6 } .soft { fill: #9aa39e } rect { fill: #1a1d1c; stroke: #444b47 } .ours { stroke: #4fc3a6 }
  }
"""


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / "architecture.svg").write_text(architecture())
    if RunningCloud.is_there(PROJECT / STATE):
        photograph(RunningCloud.find(PROJECT / STATE))
    else:
        sys.stderr.write("the system is not running: the console is not photographed\n")
    return 0


def photograph(cloud: RunningCloud) -> None:
    """Send some traffic, and keep what the console shows of it: wide and narrow, light and dark."""
    with Browser() as browser:
        page = browser.page(f"{cloud.console}/")
        page.until("document.getElementById('link').dataset.state === 'live'")
        for kind in ("feed", "views", "feed"):
            _press(cloud, kind)
        time.sleep(2)
        for width, dark in ((1280, False), (1280, True), (400, False), (400, True)):
            page.resize(width, 900, dark=dark)
            time.sleep(1)
            name = f"console-{'dark' if dark else 'light'}{'' if width > 1000 else '-narrow'}.png"
            (PICTURES / name).write_bytes(page.picture(whole=True))


def _press(cloud: RunningCloud, kind: str) -> None:
    parameters = json.dumps({"kind": kind, "requests": 100, "at_once": 5}).encode()
    request = urllib.request.Request(f"{cloud.console}/actions/burst", parameters, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=120).close()


def architecture() -> str:
    """Return the picture of what `topology.py` declares, as SVG for both colour schemes."""
    queues = TOPOLOGY.every_queue
    rows = ["HTTP", *[queue.name for queue in queues]]
    middle = TOP + ROW * (len(rows) - 1) / 2
    parts = [*_http_row(), *(part for index, queue in enumerate(queues, 1) for part in _queue_row(index, queue.name))]
    parts += [_box("database", middle, "PostgreSQL", "behind RDS Proxy")]
    parts += [_arrow("function", TOP + ROW * index, "database", middle) for index in range(len(rows))]
    height = TOP + ROW * len(rows) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Requests, queues and objects reach functions, and these PostgreSQL"><style>{STYLE}</style>'
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z"/></marker></defs>{"".join(parts)}</svg>\n'
    )


def _http_row() -> list[str]:
    return [
        _box("in", TOP, "phone", ""),
        _box("queue", TOP, "API Gateway", "JWT authorizer"),
        _box("function", TOP, "api_gateway", "Mangum, Django", ours=True),
        _arrow("in", TOP, "queue", TOP),
        _arrow("queue", TOP, "function", TOP),
    ]


def _queue_row(index: int, name: str) -> list[str]:
    y = TOP + ROW * index
    from_objects = name == TOPOLOGY.object_queue.name
    triggers = ", ".join(f"{trigger.bucket}/{trigger.prefix}" for trigger in TOPOLOGY.object_triggers)
    source = ("S3", triggers) if from_objects else ("task.enqueue()", "and schedules")
    return [
        _box("in", y, *source),
        _box("queue", y, f"SQS {name}", "and its dead letters"),
        _box("function", y, "s3" if from_objects else f"sqs: {name}", "tasks, once in effect", ours=True),
        _arrow("in", y, "queue", y),
        _arrow("queue", y, "function", y),
    ]


def _box(column: str, y: float, title: str, note: str, *, ours: bool = False) -> str:
    x, height = COLUMNS[column], 34
    width = 150 if column == "database" else BOX_WIDTH
    kind = ' class="ours"' if ours else ""
    return (
        f'<rect{kind} x="{x}" y="{y - height / 2:g}" width="{width}" height="{height}"/>'
        f'<text x="{x + 12}" y="{y - 1 if note else y + 5:g}">{escape(title)}</text>'
        f'<text class="soft" x="{x + 12}" y="{y + 12:g}">{escape(note)}</text>'
    )


def _arrow(start: str, start_y: float, end: str, end_y: float) -> str:
    x, to = COLUMNS[start] + BOX_WIDTH, COLUMNS[end]
    return f'<path d="M{x} {start_y:g}C{x + 50} {start_y:g} {to - 50} {end_y:g} {to} {end_y:g}"/>'


if __name__ == "__main__":
    sys.exit(main())
