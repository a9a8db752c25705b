"""The life of one stage on its own laptop: each step says what it took, and notes what was not as promised."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serverless_django.local.deployment import Deployment
from serverless_django.local.emulated_aws import EmulatedAws
from serverless_django.local.running import RunningCloud
from tests.deploy.inventory import leftovers
from tests.deploy.releases import Project
from tests.deploy.requests import Phase, requests_every_100_ms
from tests.e2e.conftest import Laptop, Phone
from tests.privileges.excuses import without_excuse
from tests.privileges.play import play
from tests.privileges.policies import missing_grants, unused_grants
from tests.privileges.recording import APPLICATION, deployed_grants

COLUMNS = "SELECT column_name FROM information_schema.columns WHERE column_name LIKE 'added_by_%'"


@dataclass
class Life:
    laptop: Laptop
    figures: dict[str, float] = field(default_factory=dict, init=False)
    broken: list[str] = field(default_factory=list, init=False)

    def live(self) -> None:
        self.project = Project(self.laptop.project)
        self.begin()
        self.use()
        self.update()
        self.fail()
        self.go_back()
        self.end()

    def begin(self) -> None:
        """Everything from nothing: servers, bootstrap, synth, both stacks."""
        self.project.release("one")
        with self._step("deploy from nothing", "start_s"):
            self.laptop.start("--as-deployed")
        [seconds] = re.findall(r"cdk deploy: .* ([\d.]+) s", self.laptop.log.read_text())
        self.figures["deploy_s"] = float(seconds)
        self.cloud = RunningCloud.find(self.laptop.state)
        self.aws = EmulatedAws(self.cloud.endpoint, self.cloud.credentials)
        self.phone = Phone(self.cloud.url)

    def use(self) -> None:
        """Play the demo and all that it leaves out, and count rights that are missing and that nothing used."""
        with self._step("the demo, failures and an operator"):
            calls, refused = play(self.laptop, self.aws.client)
        grants = deployed_grants(self.laptop.state / "cdk" / "assembly")
        self.figures["missing_grants"] = len(missing_grants(grants, calls) | refused)
        self.figures["unused_grants"] = len(without_excuse(unused_grants(grants, calls)))

    def update(self) -> None:
        self.project.release("two")
        self.project.add_migration("two", "ALTER TABLE feed_post ADD COLUMN added_by_two text")
        with self._step("a release with a migration", "update_s"), requests_every_100_ms(self.phone) as phase:
            deployed = self.laptop.run("deploy", "--stage", "local")
        self._expect("exit code of the update", 0, deployed.returncode)
        self._expect("releases during the update", {"one", "two"}, phase.releases)
        self._expect("columns after the update", {"added_by_two"}, self._columns())
        self._serves("two")
        self._note(phase, "update")

    def fail(self) -> None:
        before = self._alias()
        self.project.release("three")
        self.project.add_migration("three", "ALTER TABLE feed_post ADD COLUMN added_by_three text; SELECT 1/0")
        step = self._step("a release whose migration fails", "failed_deploy_s")
        with step, requests_every_100_ms(self.phone) as phase:
            deployed = self.laptop.run("deploy", "--stage", "local")
        self._expect("exit code of the failed deploy", True, deployed.returncode != 0)
        told = "division by zero" in deployed.stderr
        self._expect("the reason of the failure", "division by zero", "division by zero" if told else deployed.stderr)
        self._expect("releases during the failed migration", {"two"}, phase.releases)
        self._expect("version behind the alias", before, self._alias())
        self._expect("state of the stack", "UPDATE_ROLLBACK_COMPLETE", self._status())
        self._expect("columns after the failed migration", {"added_by_two"}, self._columns())
        self._serves("two")
        self._note(phase, "failed_migration")

    def go_back(self) -> None:
        """Deploy the code of the first release again, as docs/operations.md says: its schema stays ahead."""
        self.project.release("one")
        self.project.remove_migration("three")
        self.project.remove_migration("two")
        with self._step("back to the first release", "rollback_s"), requests_every_100_ms(self.phone) as phase:
            deployed = self.laptop.run("deploy", "--stage", "local")
        self._expect("exit code of the rollback", 0, deployed.returncode)
        self._expect("releases during the rollback", {"one", "two"}, phase.releases)
        self._expect("columns after the rollback", {"added_by_two"}, self._columns())
        self._serves("one")
        self._note(phase, "rollback")

    def end(self) -> None:
        """Empty the buckets, destroy, and delete the queues: CloudFormation leaves both with what they hold."""
        with self._step("destroy", "destroy_s"):
            for name in ("BucketUploadsName", "BucketMediaName"):
                self._empty(self.cloud.outputs[name])
            asyncio.run(Deployment(self.cloud.endpoint, self.cloud.credentials, self.laptop.state / "cdk").destroy())
            sqs: Any = self.aws.client("sqs")
            for url in sqs.list_queues(QueueNamePrefix=f"{APPLICATION}-")["QueueUrls"]:
                sqs.delete_queue(QueueUrl=url)
        left = leftovers(self.aws.client)
        self.figures["left_after_destroy"] = len(left)
        self._expect("what is left", set(), left)

    # --- what the steps ask -------------------------------------------------------------------------------------------

    @contextmanager
    def _step(self, what: str, figure: str = "") -> Iterator[None]:
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        print(f"{seconds:7.1f} s  {what}", flush=True)
        if figure:
            self.figures[figure] = seconds

    def _expect(self, what: str, expected: object, seen: object) -> None:
        if seen != expected:
            self.broken.append(f"{what}: expected {expected!r}, seen {seen!r}"[:4000])

    def _note(self, phase: Phase, name: str) -> None:
        self.figures[f"requests_during_{name}"] = phase.sent
        self.figures[f"failed_requests_during_{name}"] = phase.failed
        self.figures[f"slowest_request_during_{name}_s"] = phase.slowest_seconds
        print(f"           {phase.sent} requests, {phase.failed} failed; answered by {dict(phase.answers)}", flush=True)

    def _serves(self, release: str) -> None:
        answer = self.phone.request("GET", "/readyz")
        self._expect(f"who serves after {release!r}", (200, {"status": release}), (answer.status, answer.json))

    def _alias(self) -> str:
        name = self.cloud.outputs["FunctionWebName"]
        return str(self.aws.client("lambda").get_alias(FunctionName=name, Name="live")["FunctionVersion"])

    def _status(self) -> str:
        [stack] = self.aws.client("cloudformation").describe_stacks(StackName=APPLICATION)["Stacks"]
        return str(stack["StackStatus"])

    def _columns(self) -> set[str]:
        code = f"from django.db import connection; c = connection.cursor(); c.execute({COLUMNS!r}); print(c.fetchall())"
        done = self.laptop.run("manage", "shell", "--no-imports", "-c", code)
        return set(re.findall(r"added_by_\w+", done.stdout))

    def _empty(self, bucket: str) -> None:
        s3: Any = self.aws.client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=item["Key"])
