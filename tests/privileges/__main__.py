"""`make record-calls`: plays everything on its own laptop cloud and writes what the functions called."""

import sys
import tempfile
from pathlib import Path

from serverless_django.local.emulated_aws import EmulatedAws
from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import make_laptop
from tests.privileges.play import play
from tests.privileges.recording import read_record, write_record


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="calls-") as folder:
        laptop = make_laptop(Path(folder))
        try:
            laptop.start()
            cloud = RunningCloud.find(laptop.state)
            allowed, refused = play(laptop, EmulatedAws(cloud.endpoint, cloud.credentials).client)
        finally:
            laptop.stop()
    before = read_record()
    for sign, calls in (("+", allowed - before), ("-", before - allowed), ("refused", refused)):
        for call in sorted(calls):
            print(sign, call.role, call.action, call.resource)
    write_record(allowed)
    print(f"{len(allowed)} calls recorded, {len(refused)} refused")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
