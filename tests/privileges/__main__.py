"""`make record-calls`: plays everything on a laptop cloud of its own and writes what the functions called."""

import sys
import tempfile
from pathlib import Path

import boto3

from local.emulator import CREDENTIALS, REGION
from local.running import RunningCloud
from tests.e2e.conftest import Laptop, make_laptop
from tests.privileges.policies import Call
from tests.privileges.recording import noted_calls, read_record, write_record
from tests.privileges.scenario import Scenario


def play(laptop: Laptop) -> tuple[set[Call], set[Call]]:
    """Run the demo and the scenario on `laptop`, which runs; return the calls that were allowed and refused."""
    demo = laptop.run("demo")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    cloud = RunningCloud.find(laptop.state)

    def aws(service: str) -> object:
        keys = {name.lower(): CREDENTIALS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        return boto3.client(service, endpoint_url=cloud.endpoint, region_name=REGION, **keys)

    Scenario(laptop, cloud, aws).play()
    return noted_calls(laptop.state / "aws" / "calls.jsonl", aws("cloudformation"))


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="calls-") as folder:
        laptop = make_laptop(Path(folder))
        try:
            laptop.start()
            allowed, refused = play(laptop)
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
