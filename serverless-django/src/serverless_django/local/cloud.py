"""The whole system: PostgreSQL, PgBouncer, the emulated AWS with our template deployed to it, and its gateway."""

import asyncio
import contextlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from serverless_django.contract.environment import CACHE_ACCESS, variable_of
from serverless_django.deploy.project import LOCAL, Project
from serverless_django.local import pgbouncer
from serverless_django.local.api_gateway_emulator import DEFAULT_PORT, ApiGatewayEmulator, Exchange, print_line
from serverless_django.local.cloud_addresses import CloudAddresses
from serverless_django.local.console.server import DEFAULT_PORT as CONSOLE_PORT
from serverless_django.local.console.server import Console
from serverless_django.local.console.timeline import Timeline
from serverless_django.local.control import Control, UnknownFunctionError
from serverless_django.local.database import TOOLS, running_database, step
from serverless_django.local.deployed_api import DeployedApi, JwtAuthorizer, read_deployed_api
from serverless_django.local.deployment import STAND_IN, Deployment, write_secrets
from serverless_django.local.emulated_aws import EmulatedAws
from serverless_django.local.emulator import Emulator, new_credentials
from serverless_django.local.environments import Environments, InvokeResult
from serverless_django.local.execution_environment import make_runtime_folder
from serverless_django.local.functions import FunctionVersion
from serverless_django.local.issuer import LocalIssuer
from serverless_django.local.listener import serving
from serverless_django.local.loopback import kept_port, loopback_hosts
from serverless_django.local.processes import ProcessError
from serverless_django.local.running import RECORD, STATE, RunningCloud
from serverless_django.local.source import Source, fingerprint_of_source, fingerprint_of_template
from serverless_django.local.tls import server_certificate
from serverless_django.local.valkey import running_cache


@dataclass
class Cloud:
    """Use as an asynchronous context manager through `running`."""

    project: Project
    state: Path = field(default_factory=Path)
    """Folder that it keeps; by default STATE below the project's root."""

    port: int = DEFAULT_PORT
    console_port: int = CONSOLE_PORT
    follows_edits: bool = True
    """Whether an edited file takes effect at once, or with the next deploy."""

    on_exchange: Callable[[Exchange], None] = print_line
    on_invocation: Callable[[InvokeResult], None] = lambda _: None
    url: str = field(default="", init=False)
    control: str = field(default="", init=False)
    """Address of our own for the emulator and for other commands."""

    console: str = field(default="", init=False)
    """Address of the page that shows what happens."""

    timeline: Timeline = field(default_factory=Timeline, init=False)
    last_delivery: tuple[FunctionVersion, Any] | None = field(default=None, init=False)
    """The last batch of messages that a function was given."""

    outputs: Mapping[str, str] = field(default_factory=dict, init=False)
    _deploying: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _functions: dict[str, FunctionVersion] = field(default_factory=dict, init=False)
    _versions: dict[tuple[str, str], FunctionVersion] = field(default_factory=dict, init=False)
    _credentials: Mapping[str, str] = field(default_factory=new_credentials, init=False, repr=False)
    _control_token: str = field(default_factory=secrets.token_urlsafe, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.state == Path():
            self.state = self.project.root / STATE

    @contextlib.asynccontextmanager
    async def running(self) -> "AsyncIterator[Cloud]":
        """Start everything, deploy what changed, serve; stop everything at the end."""
        self.state.mkdir(parents=True, exist_ok=True)
        async with contextlib.AsyncExitStack() as stack:
            hosts = loopback_hosts(self.state / "addresses.json")
            self.proxy_host = hosts[1]
            self.certificate = server_certificate(self.state / "tls", hosts)
            self.postgresql = await stack.enter_async_context(
                running_database(self.state, instance_host=hosts[0], proxy_host=hosts[1], certificate=self.certificate)
            )
            await self._start_cache(stack, hosts[0])
            control = Control(self._actions(), self._control_token)
            self.control = await stack.enter_async_context(serving(control, port=0))
            await self._start_aws(stack, hosts, control_port=int(self.control.rpartition(":")[2]))
            await self._deploy_if_changed()
            self.issuer = LocalIssuer(self.state / "issuer.pem")
            self.gateway = ApiGatewayEmulator(
                self._read_api(), self._invoke_arn, lambda issuer: self.issuer.jwks, on_exchange=self.on_exchange
            )
            self.url = await stack.enter_async_context(serving(self.gateway, port=self.port))
            console = Console.of(self)
            self.console = await stack.enter_async_context(serving(console, port=self.console_port))
            stack.push_async_callback(console.close)
            stack.enter_context(self._announced())
            retiring = asyncio.create_task(self._retire_forever())
            stack.callback(retiring.cancel)
            yield self

    async def deploy(self) -> None:
        """Synthesize and deploy the working copy, one deploy at a time.  Raise ProcessError if the CLI refuses."""
        async with self._deploying:
            try:
                await self._deploy()
            finally:
                self._versions.clear()

    async def _deploy(self) -> None:
        self._write_secrets()
        source, template = fingerprint_of_source(self.project), fingerprint_of_template(self.project)
        with step("cdk synth: the template of the stage local"):
            await self.deployment.synthesize()
        # If this one is killed the next start deploys again, whatever it was.
        (self.state / "deployed.json").unlink(missing_ok=True)
        with step("cdk deploy: both stacks, the migration before the aliases"), self.source.deploying(source):
            await self.deployment.deploy()
        (self.state / "deployed.json").write_text(json.dumps({"source": source, "template": template}))
        self._adopt(source)

    def _write_secrets(self) -> None:
        stage = self.project.stage(LOCAL)
        if unset := write_secrets(self.aws.client("secretsmanager"), stage, self.project.root):
            print(f"  secrets that .env does not name are {STAND_IN!r}: {', '.join(unset)}", flush=True)

    def issue_token(self, subject: str) -> str:
        """Return a bearer token for `subject`, from the issuer that the deployed authorizer names.

        Raise ProcessError if no route has one.
        """
        if (authorizer := self.authorizer()) is None:
            raise ProcessError("no route of this API has an authorizer, so there are no tokens")
        return self.issuer.issue_token(subject, issuer=authorizer.issuer, audience=authorizer.audience[0])

    def authorizer(self) -> JwtAuthorizer | None:
        """Return the authorizer of the first route that has one."""
        return next((route.authorizer for route in self.gateway.api.routes if route.authorizer is not None), None)

    @property
    def has_pooler(self) -> bool:
        """Whether PgBouncer stands before PostgreSQL, or nothing does."""
        return (self.state / "pgbouncer" / "pgbouncer.ini").exists() and pgbouncer.find(TOOLS / "pgbouncer") is not None

    def bucket_names(self) -> Mapping[str, str]:
        """Return the name in S3 of each bucket of the topology."""
        return dict(json.loads(next(iter(self._functions.values())).variables[variable_of("bucket_names")]))

    def queue_urls(self) -> Mapping[str, str]:
        """Return the URL of each queue of the topology."""
        return dict(json.loads(next(iter(self._functions.values())).variables[variable_of("task_queue_urls")]))

    def totals(self) -> Mapping[str, int]:
        """Return counts of what ran since the start: per function and per queue."""
        return dict(self.environments.counts) | self.aws.count_messages()

    # --- parts, in the order in which they start ----------------------------------------------------------------------

    async def _start_cache(self, stack: contextlib.AsyncExitStack, host: str) -> None:
        # Kept, because it stands in variables; not 6379, which another program may hold on all addresses.
        self.cache_address = host, kept_port(self.state / "cache-port")
        user = self.project.stage(LOCAL).prefix
        with step("Valkey, in the place of ElastiCache"):
            cache = running_cache(
                self.state / "valkey", self.cache_address, certificate=self.certificate, user=user, access=CACHE_ACCESS
            )
            await stack.enter_async_context(cache)

    async def _start_aws(self, stack: contextlib.AsyncExitStack, hosts: tuple[str, str], *, control_port: int) -> None:
        addresses = CloudAddresses(
            control_port=control_port,
            control_token=self._control_token,
            database_host=hosts[0],
            proxy_host=hosts[1],
            cache_host=self.cache_address[0],
            cache_port=self.cache_address[1],
            superuser_conninfo=self.postgresql.conninfo(),
            code=self.state / "code",
        )
        emulator = Emulator(
            self.state / "aws", port=kept_port(self.state / "port"), module="serverless_django.local.ministack_glue",
            credentials=self._credentials, variables=addresses.variables() | {"AUTH": "true"},
        )  # fmt: skip
        self.aws = EmulatedAws(emulator.url, self._credentials)
        self.deployment = Deployment(self.project.root, self.aws.endpoint, self._credentials, self.state / "cdk")
        # Before the emulator: it has functions run for messages that were left from the last time.
        deployed = self._record().get("source") or fingerprint_of_source(self.project)
        self.source = Source(self.project, self.state / "code", deployed, self.follows_edits)
        self.environments = Environments(
            runtime=make_runtime_folder(self.state / "runtime"),
            logs=self.state / "logs",
            code_root=lambda function: self.source.root_of(function.code_sha256),
            credentials=lambda function: asyncio.to_thread(self.aws.assume_role, function),
            variables={
                "AWS_ENDPOINT_URL": self.aws.endpoint,
                variable_of("database_ca_bundle"): str(self.certificate.authority),
                variable_of("cache_ca_bundle"): str(self.certificate.authority),
            },
            on_invocation=self.on_invocation,
            on_change=self.timeline.note,
        )
        stack.push_async_callback(self.environments.stop)
        with step("MiniStack, in the place of AWS"):
            emulator.start()
        stack.callback(emulator.stop)

    async def _deploy_if_changed(self) -> None:
        deployed = self._deployed()
        if deployed == {
            "source": fingerprint_of_source(self.project),
            "template": fingerprint_of_template(self.project),
        }:
            self._adopt(deployed["source"])
            return
        if not deployed:
            with step("cdk bootstrap"):
                await self.deployment.bootstrap()
        await self.deploy()

    # --- what is deployed ---------------------------------------------------------------------------------------------

    def _record(self) -> Mapping[str, str]:
        """Return the fingerprints of what was deployed last, or nothing."""
        record = self.state / "deployed.json"
        return json.loads(record.read_text()) if record.exists() else {}

    def _deployed(self) -> Mapping[str, str]:
        """Return the fingerprints of what the emulator holds: after a crash it may have lost all."""
        wanted = set(self.deployment.outputs())
        return self._record() if wanted and wanted <= self.aws.complete_stacks() else {}

    def _adopt(self, source: str) -> None:
        """Serve what is deployed now, and see later edits against `source`."""
        self.source.deployed = source
        self.outputs = {
            name: value for outputs in self.deployment.outputs().values() for name, value in outputs.items()
        }
        self._functions.clear()
        if self.url:
            self.gateway.api = self._read_api()
            self._write_record()

    def _read_api(self) -> DeployedApi:
        api = read_deployed_api(self.aws.client("apigatewayv2"), self.outputs["ApiId"])
        for route in api.routes:
            self._functions[route.function_arn] = self.aws.read_function(route.function_arn, code=self.state / "code")
        return api

    # --- what the gateway, the emulated AWS and other commands ask for ------------------------------------------------

    async def _invoke_arn(self, function_arn: str, payload: bytes, *, trace_id: str) -> InvokeResult:
        function = self._functions[function_arn]
        if self._deploying.locked():
            # The alias may have moved, and moves back if the deploy fails.
            function = await asyncio.to_thread(self.aws.read_function, function_arn, code=self.state / "code")
        return await self.environments.invoke(function, payload, trace_id=trace_id)

    def _actions(self) -> Mapping[str, Callable[[Mapping[str, Any]], Any]]:
        return {
            "invoke": self._invoke_for_emulator,
            "deploy": self._deploy_on_request,
            "totals": self._count,
            "environments": self._list_environments,
        }

    async def _invoke_for_emulator(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        function = await self._deployed_version(str(request.get("function")), str(request.get("version")))
        event = request.get("event")
        if isinstance(event, Mapping) and event.get("Records"):
            self.last_delivery = function, event
        result = await self.environments.invoke(function, json.dumps(event).encode())
        if isinstance(event, Mapping) and not result.error:
            left = json.loads(result.payload) or {}
            done = len(event.get("Records", [])) - len(left.get("batchItemFailures", []))
            self.environments.counts[f"{function.source} messages"] += done
        return {"payload": json.loads(result.payload), "is_error": result.error is not None}

    async def _deployed_version(self, name: str, version: str) -> FunctionVersion:
        """Return the version that the emulator has of a deployed function, and no other."""
        found = self._versions.get((name, version))
        if found is None or version == "$LATEST" or self._deploying.locked():
            try:
                found = await asyncio.to_thread(
                    self.aws.read_function, name, code=self.state / "code", Qualifier=version
                )
            except (ClientError, ParamValidationError) as error:
                raise UnknownFunctionError(f"no function {name[:80]!r} has a version {version[:20]!r}") from error
            self._versions[name, version] = found
        return found

    async def _deploy_on_request(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            await self.deploy()
        except ProcessError as error:
            return {"error": str(error)}
        return {}

    async def _count(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self.totals)

    async def _list_environments(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        living = self.environments.environments()
        return {"environments": [{"source": item.function.source, "pid": item.pid} for item in living]}

    async def _retire_forever(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self.environments.retire_idle()

    @contextlib.contextmanager
    def _announced(self) -> Iterator[None]:
        """Tell other commands where we are while we run."""
        self._write_record()
        try:
            yield
        finally:
            (self.state / RECORD).unlink(missing_ok=True)

    def _write_record(self) -> None:
        authorizer = self.authorizer()
        running = RunningCloud(
            state=str(self.state), pid=os.getpid(), url=self.url, console=self.console, outputs=self.outputs,
            control=self.control, control_token=self._control_token,
            endpoint=self.aws.endpoint, credentials=self._credentials,
            issuer=authorizer.issuer if authorizer else "", audience=authorizer.audience[0] if authorizer else "",
            variables={**next(iter(self._functions.values())).variables, **self.environments.variables},
        )  # fmt: skip
        running.write(self.state)
