"""What every deploy replaces: functions, API, queues, triggers, schedules."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from serverless_django.contract.environment import APPLICATION_ROLE, Environment
from serverless_django.contract.resources import ObjectTrigger, Topology
from serverless_django.deploy.components.api import Api
from serverless_django.deploy.components.database import DATABASE_NAME
from serverless_django.deploy.components.edge import Edge, OriginSecret
from serverless_django.deploy.components.functions import DjangoFunction, DjangoRuntime, TaskingFunction, WebFunction
from serverless_django.deploy.components.migration import Migration
from serverless_django.deploy.components.monitoring import Monitoring
from serverless_django.deploy.components.objects import ObjectRule
from serverless_django.deploy.components.queues import KEPT_PREFIX, TaskQueue, grant_drain_kept
from serverless_django.deploy.components.rollout import Canary
from serverless_django.deploy.components.schedules import TaskSchedule
from serverless_django.deploy.config import Stage, check_connections
from serverless_django.deploy.nag import accept
from serverless_django.deploy.project import Project, pascal_case
from serverless_django.deploy.stacks.data import DataStack
from serverless_django.deploy.stacks.edge import EdgeStack


class AppStack(Stack):
    """Reads as the picture: what comes in, what drains it, and what must be done before."""

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        project: Project,
        data: DataStack,
        code: lambda_.Code,
        edge: EdgeStack | None = None,
    ) -> None:
        topology = project.topology
        check_connections(stage, topology)
        super().__init__(
            scope,
            stage.prefix,
            description=f"{stage.project} {stage.name}: functions, API, queues, schedules",
            tags={"application": stage.project, "stage": stage.name},
        )
        self.data = data
        """The stack of what lasts."""

        self.add_stack_dependency(data)
        self.api = Api(self, "Api", stage=stage)
        self.origin_secret = None if stage.edge == "none" else OriginSecret(self, "OriginSecret", stage=stage)
        self.queues = {
            queue.name: TaskQueue(self, f"Queue-{queue.name}", declaration=queue) for queue in topology.task_queues
        }
        self.objects = TaskQueue(self, "Objects", declaration=topology.object_queue)
        runtime = self._runtime(stage, project.handlers, data, code)

        self.web = WebFunction(self, "Web", runtime=runtime)
        self.api.add_routes(topology, function=self.web.alias, issuer=data.issuer)
        self.workers = {name: queue.add_worker(runtime, handler="sqs") for name, queue in self.queues.items()}
        self.object_worker = self.objects.add_worker(runtime, handler="s3")
        task_functions = [*self.workers.values(), self.object_worker]
        self.migration = Migration(
            self, "Migration", runtime=runtime, database=data.database, before=[self.web, *task_functions]
        )
        self._add_events(topology, data)
        for task_queue in self._every_queue():
            task_queue.grant_operate(self.migration.management.function)
        grant_drain_kept(self.migration.management.function, self)
        self._grant_buckets(topology, data)
        if stage.rollout == "canary":
            Canary(self, "Canary", function=self.web, api=self.api)
        self.edge = self._edge(stage, topology, edge)
        self._watch(stage, data)
        self._accept_findings()
        self._add_outputs()

    def _add_events(self, topology: Topology, data: DataStack) -> None:
        for trigger in topology.object_triggers:
            bucket = data.buckets[trigger.bucket].bucket
            ObjectRule(self, _trigger_id(trigger), declaration=trigger, bucket=bucket, queue=self.objects)
        for schedule in topology.every_schedule:
            queue = self.queues[schedule.queue].queue
            TaskSchedule(self, f"Schedule-{schedule.name}", declaration=schedule, queue=queue)

    def _runtime(self, stage: Stage, handlers: str, data: DataStack, code: lambda_.Code) -> DjangoRuntime:
        environment = Environment(
            stage=stage.name,
            allowed_hosts=(self.api.host,),
            database_host=data.proxy.host,
            database_name=DATABASE_NAME,
            database_user=APPLICATION_ROLE,
            pinning_statements=stage.pinning_statements,
            task_queue_urls={queue.declaration.name: queue.queue.queue_url for queue in self._every_queue()},
            queue_prefix=KEPT_PREFIX,
            bucket_names={name: bucket.bucket.bucket_name for name, bucket in data.buckets.items()},
            bucket_domains=data.bucket_domains,
            member_writes_per_minute=stage.member_writes_per_minute,
            address_writes_per_minute=stage.address_writes_per_minute,
            secret_ids=data.secrets.ids,
            secrets_url=data.secrets.url,
            secret_names=stage.secrets,
            cache_url=data.cache.url if data.cache else "",
            cache_name=data.cache.name if data.cache else "",
            origin_secret_arn=self.origin_secret.secret_arn if self.origin_secret else "",
        )
        return DjangoRuntime(
            stage=stage,
            handlers=handlers,
            code=code,
            environment=environment,
            secrets=data.secrets,
            network=data.network,
            proxy=data.proxy,
            queues=[queue.queue for queue in self.queues.values()],
            cache=data.cache,
        )

    def _edge(self, stage: Stage, topology: Topology, stack: EdgeStack | None) -> Edge | None:
        if self.origin_secret is None:
            return None
        if stack:
            self.add_stack_dependency(stack)
        self.origin_secret.allow_reading(self.web.function)
        return Edge(
            self,
            "Edge",
            stage=stage,
            topology=topology,
            origin_host=self.api.host,
            secret=self.origin_secret,
            firewall_arn=stack.firewall_arn if stack else None,
        )

    def _grant_buckets(self, topology: Topology, data: DataStack) -> None:
        for name, bucket in data.buckets.items():
            if topology.trigger_prefixes(name):
                bucket.grant_upload(self.web.function)
            elif name not in data.bucket_domains:
                bucket.grant_serve(self.web.function)
        for queue, worker in self._queues_and_workers():
            for name in queue.declaration.reads:
                data.buckets[name].grant_read(worker.function)
            for name in queue.declaration.writes:
                data.buckets[name].grant_write(worker.function)

    def _queues_and_workers(self) -> list[tuple[TaskQueue, TaskingFunction]]:
        tasks = [(self.queues[name], worker) for name, worker in self.workers.items()]
        return [*tasks, (self.objects, self.object_worker)]

    def _watch(self, stage: Stage, data: DataStack) -> None:
        monitoring = Monitoring(self, "Monitoring", stage=stage)
        monitoring.watch_api(self.api)
        monitoring.watch_budgets()
        monitoring.watch_functions(self.functions())
        monitoring.watch_queues(self._every_queue())
        monitoring.watch_database(data.database, data.proxy)
        if data.cache:
            monitoring.watch_cache(data.cache.name)
        monitoring.finish()
        CfnOutput(self, "AlarmTopicArn", value=monitoring.alarms.topic.topic_arn)

    def _accept_findings(self) -> None:
        accept(
            self,
            {
                "AwsSolutions-L1": "the bundle is compiled for the Python that deploys",
                "AwsSolutions-IAM5[Resource::*]": "EC2 knows no narrower resource for network interfaces",
            },
        )
        accept(self.api, {"AwsSolutions-APIG4": "public by topology, or answered by Django with a public page"})

    def _add_outputs(self) -> None:
        CfnOutput(self, "ApiId", value=self.api.http_api.api_id)
        CfnOutput(self, "ApiUrl", value=f"https://{self.edge.host if self.edge else self.api.host}")
        for name, queue in (self.queues | {self.objects.declaration.name: self.objects}).items():
            CfnOutput(self, f"Queue{pascal_case(name)}Url", value=queue.queue.queue_url)
            CfnOutput(self, f"Queue{pascal_case(name)}DeadLettersUrl", value=queue.dead_letters.queue_url)
        for name, function in self.functions().items():
            CfnOutput(self, f"Function{name}Name", value=function.function.function_name)

    def _every_queue(self) -> list[TaskQueue]:
        return [*self.queues.values(), self.objects]

    def functions(self) -> dict[str, DjangoFunction]:
        """Return every function of the project by its name in the outputs, such as "Web" or "WorkerDefault"."""
        workers = {f"Worker{pascal_case(name)}": worker for name, worker in self.workers.items()}
        return {"Web": self.web, "Objects": self.object_worker, "Management": self.migration.management} | workers


def _trigger_id(trigger: ObjectTrigger) -> str:
    return f"Trigger-{trigger.bucket}-{trigger.prefix.strip('/').replace('/', '-')}".rstrip("-")
