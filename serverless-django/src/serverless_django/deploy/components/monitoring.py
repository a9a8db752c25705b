"""The alarms, and the dashboard that shows their metrics."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from serverless_django.deploy.components.alarms import LESS, Alarms, MonthlyBudget
from serverless_django.deploy.components.api import Api
from serverless_django.deploy.components.database import Database
from serverless_django.deploy.components.functions import ALIAS, DjangoFunction
from serverless_django.deploy.components.proxy import DatabaseProxy
from serverless_django.deploy.components.queues import TaskQueue
from serverless_django.deploy.config import Stage
from serverless_django.deploy.config.fit import max_connections_of

APPLICATION_NAMESPACE = "ServerlessDjango"
"""Of the metrics that the functions write into their logs."""

GIGABYTE = 1024**3
FIVE_MINUTES = Duration.minutes(5)


class Monitoring(Construct):
    """Each method adds the alarms of one part and its row of the dashboard; `finish` joins the alarms."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self.alarms = Alarms(self, "Alarms", stage=stage)
        self.dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=stage.prefix, default_interval=Duration.hours(6)
        )
        if stage.monthly_budget_usd:
            MonthlyBudget(self, "Budget", stage=stage, topic=self.alarms.topic)

    def watch_api(self, api: Api) -> None:
        requests = api.deployed.metric_count(period=FIVE_MINUTES, statistic="Sum")
        failed = api.deployed.metric_server_error(period=FIVE_MINUTES, statistic="Sum")
        refused = api.deployed.metric_client_error(period=FIVE_MINUTES, statistic="Sum")
        share = cloudwatch.MathExpression(
            # One failure among two requests at night is no outage.
            expression="IF(requests > 20, 100 * failed / requests, 0)",
            using_metrics={"failed": failed, "requests": requests},
            period=FIVE_MINUTES,
            label="5xx %",
        )
        latencies = [api.deployed.metric_latency(period=FIVE_MINUTES, statistic=name) for name in ("p50", "p90", "p99")]
        slow = self._stage.slow_response
        self.alarms.add("ApiFailures", share, 1, "over 1 % of responses were 5xx", periods=2)
        self.alarms.add("ApiLatency", latencies[-1], _ms(slow), f"1 response in 100 took over {slow}", periods=3)
        self._add_row(Requests=[requests, refused, failed], Latency=latencies)

    def watch_budgets(self) -> None:
        """Of queries, time and bytes: what `observability` holds each route and task to."""
        breaches = self._application_metric("BudgetBreaches")
        pins = self._application_metric("PinningStatements")
        self.alarms.add("BudgetBreaches", breaches, 20, "routes or tasks exceeded their budgets", periods=3)
        self.alarms.add("PinningStatements", pins, 0, "a statement pins its session of the proxy")
        self._add_row(Budgets=[breaches, pins])

    def watch_functions(self, functions: Mapping[str, DjangoFunction]) -> None:
        rows: dict[str, list[cloudwatch.IMetric]] = {"Errors": [], "Throttles": [], "Duration": []}
        for name, function in functions.items():
            errors, throttles = _metric(function, "Errors", "Sum", name), _metric(function, "Throttles", "Sum", name)
            duration = _metric(function, "Duration", "Maximum", name)
            self.alarms.add(f"{name}Errors", errors, 0, f"{name} crashed or timed out", periods=2)
            self.alarms.add(f"{name}Throttles", throttles, 0, f"{name} was refused an environment", periods=2)
            near = 0.9 * _ms(function.timeout)
            self.alarms.add(f"{name}Duration", duration, near, f"{name} came within a tenth of its timeout")
            for row, metric in zip(rows.values(), (errors, throttles, duration), strict=True):
                row.append(metric)
        self._add_row(**rows)

    def watch_queues(self, queues: Iterable[TaskQueue]) -> None:
        rows: dict[str, list[cloudwatch.IMetric]] = {"Waiting": [], "Age": [], "Dead": []}
        for queue in queues:
            name = queue.declaration.name
            dead = _depth(queue.dead_letters, name)
            age = queue.queue.metric_approximate_age_of_oldest_message(
                period=FIVE_MINUTES, statistic="Maximum", label=name
            )
            # What waits longer than a retry of its queue is behind, not unlucky.
            limit = max(timedelta(minutes=10), 2 * queue.declaration.visibility_timeout)
            self.alarms.add(f"{queue.node.id}Dead", dead, 0, f"messages are among the dead letters of {name}")
            self.alarms.add(
                f"{queue.node.id}Age", age, limit.total_seconds(), f"{name} is behind by over {limit}", periods=2
            )
            for row, metric in zip(rows.values(), (_depth(queue.queue, name), age, dead), strict=True):
                row.append(metric)
        unsent = self._application_metric("UnsentCalls")
        self.alarms.add("UnsentCalls", unsent, 0, "committed calls are not sent: their queue is gone, or refuses them")
        strays = self._application_metric("ObjectsWithoutTrigger")
        self.alarms.add("ObjectsWithoutTrigger", strays, 0, "new objects call no task: their trigger or bucket is gone")
        self._add_row(**rows, Unsent=[unsent, strays])

    def watch_database(self, database: Database, proxy: DatabaseProxy) -> None:
        stage, dimensions = self._stage, database.metric_dimensions
        processor = _rds("CPUUtilization", "Average", dimensions)
        connections = _rds("DatabaseConnections", "Maximum", dimensions)
        memory = _rds("FreeableMemory", "Minimum", dimensions)
        self.alarms.add("DatabaseProcessor", processor, 80, "the database computes over 80 % of the time", periods=3)
        many = 0.9 * max_connections_of(stage)
        self.alarms.add("DatabaseConnections", connections, many, "nine in ten connections are open", periods=3)
        if stage.database_engine == "rds":
            self._watch_instance(dimensions)
        pinned = _rds("DatabaseConnectionsCurrentlySessionPinned", "Maximum", {"ProxyName": proxy.name})
        borrowed = _rds("DatabaseConnectionsBorrowLatency", "Maximum", {"ProxyName": proxy.name})
        self.alarms.add("ProxyPinned", pinned, 5, "sessions are pinned: connections are not shared", periods=3)
        self.alarms.add("ProxyBorrow", borrowed, 1_000_000, "a request waited over 1 s for a connection", periods=2)
        self._add_row(Database=[processor, memory], Connections=[connections, pinned], Borrowing=[borrowed])

    def watch_cache(self, name: str) -> None:
        metric = cloudwatch.Metric(
            namespace="AWS/ElastiCache",
            metric_name="ThrottledCmds",
            dimensions_map={"clusterId": name},
            statistic="Sum",
            period=FIVE_MINUTES,
        )
        self.alarms.add("CacheThrottled", metric, 0, "the cache refuses: it is at its limits", periods=3)
        self._add_row(Cache=[metric])

    def finish(self) -> None:
        self.alarms.finish()

    def _watch_instance(self, dimensions: dict[str, str]) -> None:
        space = _rds("FreeStorageSpace", "Minimum", dimensions)
        # It grows by itself up to its limit; under this it could not.
        self.alarms.add("DatabaseSpace", space, 2 * GIGABYTE, "under 2 GB of storage are left", comparison=LESS)
        if self._stage.database_instance_class.startswith("t"):
            balance = _rds("CPUCreditBalance", "Minimum", dimensions)
            description = "the instance is about to run out of credits, or to be billed for more"
            self.alarms.add("DatabaseCredits", balance, 20, description, comparison=LESS, periods=3)

    def _application_metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=APPLICATION_NAMESPACE, metric_name=name, statistic="Sum", period=FIVE_MINUTES, label=name
        )

    def _add_row(self, **graphs: Sequence[cloudwatch.IMetric]) -> None:
        width = 24 // len(graphs)
        self.dashboard.add_widgets(
            *(cloudwatch.GraphWidget(title=title, left=list(metrics), width=width) for title, metrics in graphs.items())
        )


def _metric(function: DjangoFunction, name: str, statistic: str, label: str) -> cloudwatch.Metric:
    lambda_name = function.function.function_name
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        dimensions_map={"FunctionName": lambda_name, "Resource": f"{lambda_name}:{ALIAS}"},
        statistic=statistic,
        period=FIVE_MINUTES,
        label=label,
    )


def _rds(name: str, statistic: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/RDS", metric_name=name, dimensions_map=dimensions, statistic=statistic, period=FIVE_MINUTES
    )


def _depth(queue: sqs.IQueue, label: str) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum", label=label)


def _ms(duration: timedelta) -> float:
    return duration.total_seconds() * 1000
