"""One variant in its own process: obeys {"path": …} lines, answers what rendering it took."""

import json
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from tests.benchmarks.uploads.variants import VARIANTS, Render


def measure(render: Render, path: Path) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    images = render(path)
    cost = {"wall_ms": (time.perf_counter() - wall) * 1000, "cpu_ms": (time.process_time() - cpu) * 1000}
    return cost | {"sizes": [Image.open(BytesIO(data)).size for data in images], "bytes": sum(map(len, images))}


def main() -> None:
    render = VARIANTS[sys.argv[1]]
    for line in sys.stdin:
        sys.stdout.write(json.dumps(measure(render, Path(json.loads(line)["path"]))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
