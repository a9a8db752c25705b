"""What every deploy replaces: functions, API, queues, triggers, schedules."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.components.api import Api
from cdk.components.database import DATABASE_NAME
from cdk.components.functions import DjangoFunction, DjangoRuntime, TaskingFunction
from cdk.components.migration import Migration
from cdk.components.names import pascal_case
from cdk.components.objects import ObjectRule
from cdk.components.queues import TaskQueue
from cdk.components.schedules import TaskSchedule
from cdk.config import APP_NAME, Stage
from cdk.nag import accept
from cdk.stacks.data import DataStack
from lambda_app.contract.environment import APPLICATION_ROLE, Environment
from lambda_app.contract.resources import ObjectTrigger, Topology


class AppStack(Stack):
    """Reads as the picture: what comes in, what drains it, and what must be done before."""

    def __init__(
        self, scope: Construct, *, stage: Stage, topology: Topology, data: DataStack, code: lambda_.Code
    ) -> None:
        super().__init__(
            scope,
            stage.prefix,
            description=f"{APP_NAME} {stage.name}: functions, API, queues, schedules",
            tags={"application": APP_NAME, "stage": stage.name},
        )
        self.add_stack_dependency(data)
        self.api = Api(self, "Api", stage=stage)
        self.queues = {
            queue.name: TaskQueue(self, f"Queue-{queue.name}", declaration=queue, stage=stage)
            for queue in topology.queues
        }
        self.objects = TaskQueue(self, "Objects", declaration=topology.object_queue, stage=stage)
        runtime = self._runtime(stage, data, code)

        self.web = TaskingFunction(
            self,
            "Web",
            runtime=runtime,
            handler="api_gateway",
            memory_mb=stage.api_memory_mb,
            timeout=stage.api_timeout,
        )
        self.api.add_routes(topology, function=self.web.alias)
        self.workers = {name: queue.add_worker(runtime, handler="sqs") for name, queue in self.queues.items()}
        self.object_worker = self.objects.add_worker(runtime, handler="s3")
        task_functions = [*self.workers.values(), self.object_worker]
        self.migration = Migration(
            self, "Migration", runtime=runtime, database=data.database, before=[self.web, *task_functions]
        )
        for trigger in topology.object_triggers:
            bucket = data.buckets[trigger.bucket].bucket
            ObjectRule(self, _trigger_id(trigger), declaration=trigger, bucket=bucket, queue=self.objects)
        for schedule in topology.every_schedule:
            queue = self.queues[schedule.queue].queue
            TaskSchedule(self, f"Schedule-{schedule.name}", declaration=schedule, queue=queue)
        for task_queue in self._every_queue():
            task_queue.grant_operate(self.migration.management.function)
        self._grant_buckets(topology, data, task_functions)
        self._accept_findings()
        self._add_outputs()

    def _runtime(self, stage: Stage, data: DataStack, code: lambda_.Code) -> DjangoRuntime:
        environment = Environment(
            stage=stage.name,
            allowed_hosts=(self.api.host,),
            database_host=data.proxy.host,
            database_name=DATABASE_NAME,
            database_user=APPLICATION_ROLE,
            pinning_statements=stage.pinning_statements,
            task_queue_urls={queue.declaration.name: queue.queue.queue_url for queue in self._every_queue()},
            bucket_names={name: bucket.bucket.bucket_name for name, bucket in data.buckets.items()},
        )
        return DjangoRuntime(
            stage=stage,
            code=code,
            environment=environment,
            network=data.network,
            proxy=data.proxy,
            queues=[queue.queue for queue in self.queues.values()],
        )

    def _grant_buckets(self, topology: Topology, data: DataStack, task_functions: list[TaskingFunction]) -> None:
        for name, bucket in data.buckets.items():
            triggers = bool(topology.trigger_prefixes(name))
            grant_web = bucket.grant_upload if triggers else bucket.grant_serve
            grant_task = bucket.grant_consume if triggers else bucket.grant_process
            grant_web(self.web.function)
            for function in task_functions:
                grant_task(function.function)

    def _accept_findings(self) -> None:
        accept(
            self,
            {
                "AwsSolutions-L1": "the bundle is compiled for Python 3.13",
                "AwsSolutions-IAM5[Resource::*]": "EC2 knows no narrower resource for network interfaces",
            },
        )
        accept(self.api, {"AwsSolutions-APIG4": "public by topology, or answered by Django with a public page"})

    def _add_outputs(self) -> None:
        CfnOutput(self, "ApiId", value=self.api.http_api.api_id)
        CfnOutput(self, "ApiUrl", value=f"https://{self.api.host}")
        for name, queue in (self.queues | {self.objects.declaration.name: self.objects}).items():
            CfnOutput(self, f"Queue{pascal_case(name)}Url", value=queue.queue.queue_url)
            CfnOutput(self, f"Queue{pascal_case(name)}DeadLettersUrl", value=queue.dead_letters.queue_url)
        for name, function in self._functions().items():
            CfnOutput(self, f"Function{name}Name", value=function.function.function_name)

    def _every_queue(self) -> list[TaskQueue]:
        return [*self.queues.values(), self.objects]

    def _functions(self) -> dict[str, DjangoFunction]:
        workers = {f"Worker{pascal_case(name)}": worker for name, worker in self.workers.items()}
        return {"Web": self.web, "Objects": self.object_worker, "Management": self.migration.management} | workers


def _trigger_id(trigger: ObjectTrigger) -> str:
    return f"Trigger-{trigger.bucket}-{trigger.prefix.strip('/').replace('/', '-')}".rstrip("-")
