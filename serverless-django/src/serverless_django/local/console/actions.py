"""The console's buttons: each does to the running system what happens to real ones."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serverless_django.local import processes
from serverless_django.local.console.burst import Burst, Request, sample_requests
from serverless_django.local.console.queues import Queues
from serverless_django.local.execution_environment import ExecutionEnvironment

if TYPE_CHECKING:
    from serverless_django.local.cloud import Cloud

type Parameters = Mapping[str, Any]
type Action = Callable[[Parameters], Awaitable[Mapping[str, Any]]]


MAX_REDRIVEN = 100_000
"""At one click."""


class RefusedActionError(Exception):
    """It cannot be done now; the message says why."""


@dataclass
class Actions:
    """Each method is one button, and returns what to tell about it as `said`."""

    cloud: "Cloud"
    queues: Queues

    def by_name(self) -> Mapping[str, Action]:
        return {
            "burst": self.burst, "freeze": self.freeze, "thaw": self.thaw, "kill": self.kill,
            "deliver-twice": self.deliver_twice, "restart-database": self.restart_database,
            "read-dead-letters": self.read_dead_letters, "redrive": self.redrive,
        }  # fmt: skip

    async def burst(self, parameters: Parameters) -> Mapping[str, Any]:
        try:
            burst = Burst(
                self.cloud.url,
                self.cloud.issue_token("ada") if self.cloud.authorizer() else "",
                self._request(str(parameters.get("kind", ""))),
                requests=int(parameters.get("requests", 100)),
                at_once=int(parameters.get("at_once", 20)),
            )
        except ValueError as error:
            raise RefusedActionError(str(error)) from error
        result = await burst.run()
        statuses = ", ".join(f"{count} × {status}" for status, count in result["statuses"].items())  # noqa: RUF001
        times = f"p50 {result['p50']} ms, p95 {result['p95']} ms"
        said = f"{result['requests']} requests in {result['seconds']} s: {statuses}; {times}"
        return dict(result) | {"said": said}

    async def freeze(self, parameters: Parameters) -> Mapping[str, Any]:
        environment = self._environment(parameters)
        environment.hold()
        return {"said": f"environment {environment.number} is frozen until it is thawed"}

    async def thaw(self, parameters: Parameters) -> Mapping[str, Any]:
        environment = self._environment(parameters)
        environment.release()
        return {"said": f"environment {environment.number} is free again"}

    async def kill(self, parameters: Parameters) -> Mapping[str, Any]:
        environment = self._environment(parameters)
        processes.kill_group(environment.pid)
        return {"said": f"environment {environment.number}, process {environment.pid}, was killed"}

    async def deliver_twice(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have the last batch of messages run once more, as SQS may do at any time."""
        if self.cloud.last_delivery is None:
            raise RefusedActionError("no message has been delivered yet; send a burst of requests that enqueue a task")
        function, event = self.cloud.last_delivery
        result = await self.cloud.environments.invoke(function, json.dumps(event).encode())
        left = len((json.loads(result.payload) or {}).get("batchItemFailures", [])) if result.error is None else "all"
        records = len(event["Records"])
        said = f"{records} messages of the last batch were delivered again to {function.source}; left: {left}"
        return {"said": said, "records": records, "left": left, "source": function.source}

    async def restart_database(self, parameters: Parameters) -> Mapping[str, Any]:
        await asyncio.to_thread(self.cloud.postgresql.stop)
        # Here and not in a thread: the server ends with the thread that started it.
        self.cloud.postgresql.start()
        return {"said": "PostgreSQL was stopped and started again"}

    async def read_dead_letters(self, parameters: Parameters) -> Mapping[str, Any]:
        letters = await asyncio.to_thread(self.queues.read_dead_letters, self._queue(parameters))
        return {"said": f"{len(letters)} dead letters", "letters": letters}

    async def redrive(self, parameters: Parameters) -> Mapping[str, Any]:
        """Let the deployed management function redrive, as an operator does on AWS."""
        command = ["dead_letters", "redrive", "--queue", self.queues.name_of(self._queue(parameters)), "--json"]
        told = await asyncio.to_thread(self._manage, [*command, "--limit", str(MAX_REDRIVEN)])
        counts = json.loads(told.splitlines()[-1])
        refused = f", {counts['refused']} were refused" if counts["refused"] else ""
        return {"said": f"{counts['done']} messages were sent back{refused}", "moved": counts["done"]}

    def _manage(self, command: Sequence[str]) -> str:
        """Return what `command` prints in the management function.  Raise RefusedActionError with its error."""
        answer = self.cloud.aws.client("lambda").invoke(
            FunctionName=self.cloud.outputs["FunctionManagementName"],
            Qualifier="live",
            Payload=json.dumps({"command": command}).encode(),
        )
        reply = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RefusedActionError(str(reply.get("errorMessage", reply)))
        return str(reply["output"])

    def _request(self, name: str) -> Request:
        samples = sample_requests(self.cloud.project.root)
        name = name or next(iter(samples), "")
        if name not in samples:
            raise ValueError(f"no sample event events/api_gateway/{name}.json; there are {', '.join(samples)}")
        return samples[name]

    def _environment(self, parameters: Parameters) -> ExecutionEnvironment:
        wanted = parameters.get("number")
        for environment in self.cloud.environments.environments():
            if environment.number == wanted:
                return environment
        raise RefusedActionError(f"environment {wanted} does not live any more")

    def _queue(self, parameters: Parameters) -> str:
        url = str(parameters.get("url", ""))
        if not url.startswith(self.cloud.aws.endpoint):
            raise RefusedActionError(f"{url!r} is no queue of this system")
        return url
