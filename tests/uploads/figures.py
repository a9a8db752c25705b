"""The figures of uploads are one file, of two commands: `make bench-uploads` and `make chaos-uploads`."""

import json
from collections.abc import Mapping

from tests.figures import BENCH, write_figures

GOALS = {
    "cpu_vs_pillow": "<= 1.15",
    "peak_mb": "<= 400",
    "settled": ">= 1000",
    "lost": "== 0",
    "doubled": "== 0",
}


def write_upload_figures(figures: Mapping[str, float]) -> bool:
    """Write `figures` beside those that the other command has measured; return whether every goal was met."""
    file = BENCH / "uploads.json"
    earlier = json.loads(file.read_text())["figures"] if file.exists() else {}
    merged = {**earlier, **figures}
    return write_figures("uploads", merged, {key: goal for key, goal in GOALS.items() if key in merged})
