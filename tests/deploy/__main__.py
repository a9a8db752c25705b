"""`make test-deploy`: a stage's life on the laptop's cloud, under a request every 100 ms.

From nothing; a release with a migration; one whose migration fails; back to the first; gone.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.bundles import measure_bundles
from tests.deploy.life import Life
from tests.e2e.conftest import make_laptop
from tests.figures import write_figures

GOALS: Mapping[str, str] = {
    "failed_requests_during_update": "== 0",
    "failed_requests_during_failed_migration": "== 0",
    "requests_during_failed_migration": ">= 20",
    "failed_requests_during_rollback": "== 0",
    "left_after_destroy": "== 0",
    "broken_promises": "== 0",
    "unused_grants": "== 0",
    "missing_grants": "== 0",
    "bundle_s": "<= 10",
    "bundle_differences": "== 0",
}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
        figures = measure_bundles(Path(folder) / "bundles")
        copy = Path(folder) / "laptop"
        copy.mkdir()
        life = Life(make_laptop(copy))
        try:
            life.live()
        finally:
            life.laptop.stop()
    for promise in life.broken:
        print(f"NOT AS PROMISED: {promise}")
    met = write_figures("deploy", life.figures | figures | {"broken_promises": len(life.broken)}, GOALS)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
