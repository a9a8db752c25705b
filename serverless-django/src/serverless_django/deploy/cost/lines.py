"""A resource → what it costs in a month without requests."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from serverless_django.deploy.config.instances import instance_of
from serverless_django.deploy.cost.free import FREE_WHILE_IDLE
from serverless_django.deploy.cost.prices import Prices, UnknownPriceError

type Resources = Mapping[str, Mapping[str, Any]]
type Properties = Mapping[str, Any]

SCHEDULED_RUN_SECONDS = 0.1
"""What a schedule's task takes when there is nothing to do."""

SCHEDULED_RUN_GB = 1.0
MONTH_DAYS = 365 / 12


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    detail: str
    usd: float


@dataclass(frozen=True)
class Bill:
    resources: Resources
    prices: Prices

    def lines(self) -> list[Line]:
        """Raise UnknownPriceError if a resource is neither priced nor known to be free while idle."""
        return [line for item in self.resources.values() for line in self._lines_of(item["Type"], item["Properties"])]

    def _lines_of(self, type_: str, properties: Properties) -> Iterator[Line]:
        if type_ in COSTS:
            yield from COSTS[type_](self, properties)
        elif type_ not in FREE_WHILE_IDLE:
            raise UnknownPriceError(
                f"no price is known for {type_}; add it to COSTS in deploy/cost/lines.py, or to deploy/cost/free.py"
            )

    def _first(self, type_: str) -> Properties | None:
        return next((item["Properties"] for item in self.resources.values() if item["Type"] == type_), None)

    # --- by type ------------------------------------------------------------------------------------------------------

    def instance(self, properties: Properties) -> Iterator[Line]:
        name = properties["DBInstanceClass"]
        if name == "db.serverless":
            scaling = (self._first("AWS::RDS::DBCluster") or {})["ServerlessV2ScalingConfiguration"]
            least = float(scaling["MinCapacity"])
            hour = least * self.prices.of("aurora", "capacity_unit_hour")
            yield Line("database", f"Aurora, {least:g} units at least", hour * self.prices.hours)
            return
        copies = 2 if properties.get("MultiAZ") else 1
        storage = int(properties["AllocatedStorage"]) * self.prices.of("storage", "gp3_gb_month")
        standby = " and a standby" if copies == 2 else ""
        yield Line("database", f"{name}{standby}", copies * self.prices.of("database", name) * self.prices.hours)
        yield Line("database", f"{properties['AllocatedStorage']} GB{standby}", copies * storage)

    def proxy(self, properties: Properties) -> Iterator[Line]:
        instance = self._first("AWS::RDS::DBInstance") or {}
        if instance["DBInstanceClass"] == "db.serverless":
            units = self.prices.of("proxy", "least_capacity_units")
            hour, detail = units * self.prices.of("proxy", "capacity_unit_hour"), f"{units:g} units at least"
        else:
            processors = max(2, instance_of(instance["DBInstanceClass"].removeprefix("db.")).processors)
            hour, detail = processors * self.prices.of("proxy", "processor_hour"), f"{processors} processors"
        yield Line("proxy", detail, hour * self.prices.hours)

    def endpoint(self, properties: Properties) -> Iterator[Line]:
        if properties["VpcEndpointType"] == "Interface":
            zones = len(properties["SubnetIds"])
            hour = zones * self.prices.of("network", "interface_endpoint_zone_hour")
            detail = f"interface endpoint in {zones} zones" if zones > 1 else "interface endpoint"
            yield Line("network", detail, hour * self.prices.hours)

    def nat(self, properties: Properties) -> Iterator[Line]:
        yield Line("network", "NAT gateway", self.prices.of("network", "nat_gateway_hour") * self.prices.hours)

    def address(self, properties: Properties) -> Iterator[Line]:
        yield Line("network", "public IPv4 address", self.prices.of("network", "public_ipv4_hour") * self.prices.hours)

    def function(self, properties: Properties) -> Iterator[Line]:
        if "SnapStart" in properties:
            gb = properties["MemorySize"] / 1024
            price = self.prices.of("functions", "snapshot_gb_second")
            yield Line("functions", f"snapshot of {properties['MemorySize']:,} MB", gb * price * self.prices.seconds)

    def alias(self, properties: Properties) -> Iterator[Line]:
        warm = properties.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions", 0)
        if warm:
            function = self.resources[properties["FunctionName"]["Ref"]]["Properties"]
            price = self.prices.of("functions", f"provisioned_gb_second_{function['Architectures'][0]}")
            gb = warm * function["MemorySize"] / 1024
            yield Line("functions", f"{warm} warm of {function['MemorySize']:,} MB", gb * price * self.prices.seconds)

    def polling(self, properties: Properties) -> Iterator[Line]:
        polls = self.prices.of("queues", "polls_per_month")
        yield Line("queues", "looking for messages", polls * self.prices.of("queues", "request"))

    def schedule(self, properties: Properties) -> Iterator[Line]:
        runs = runs_per_month(properties["ScheduleExpression"])
        # On the dearer processor: cents.
        run = SCHEDULED_RUN_SECONDS * SCHEDULED_RUN_GB * self.prices.of("functions", "gb_second_x86_64")
        each = self.prices.of("schedules", "invocation") + self.prices.of("functions", "request") + run
        yield Line("schedules", f"{properties['ScheduleExpression']}, and what it runs", runs * each)

    def secret(self, properties: Properties) -> Iterator[Line]:
        yield Line("secrets", "secret", self.prices.of("secrets", "secret_month"))

    def managed_secret(self, properties: Properties) -> Iterator[Line]:
        if properties.get("ManageMasterUserPassword"):
            yield Line("secrets", "the database's master", self.prices.of("secrets", "secret_month"))

    def database(self, properties: Properties) -> Iterator[Line]:
        yield from self.instance(properties)
        yield from self.managed_secret(properties)

    def alarm(self, properties: Properties) -> Iterator[Line]:
        metrics = sum("MetricStat" in item for item in properties.get("Metrics", ())) or 1
        yield Line("monitoring", "metric under an alarm", metrics * self.prices.of("monitoring", "alarm_metric_month"))

    def composite(self, properties: Properties) -> Iterator[Line]:
        yield Line("monitoring", "composite alarm", self.prices.of("monitoring", "composite_alarm_month"))

    def dashboard(self, properties: Properties) -> Iterator[Line]:
        yield Line("monitoring", "dashboard", self.prices.of("monitoring", "dashboard_month"))

    def cache(self, properties: Properties) -> Iterator[Line]:
        least = self.prices.of("cache", "least_gb")
        yield Line("cache", f"{least:g} GB", least * self.prices.of("cache", "gb_hour") * self.prices.hours)

    def firewall(self, properties: Properties) -> Iterator[Line]:
        rules = len(properties["Rules"])
        usd = self.prices.of("firewall", "list_month") + rules * self.prices.of("firewall", "rule_month")
        yield Line("firewall", f"{rules} rules", usd)


COSTS: Mapping[str, Callable[[Bill, Properties], Iterator[Line]]] = {
    "AWS::CloudWatch::Alarm": Bill.alarm,
    "AWS::CloudWatch::CompositeAlarm": Bill.composite,
    "AWS::CloudWatch::Dashboard": Bill.dashboard,
    "AWS::EC2::EIP": Bill.address,
    "AWS::EC2::NatGateway": Bill.nat,
    "AWS::EC2::VPCEndpoint": Bill.endpoint,
    "AWS::ElastiCache::ServerlessCache": Bill.cache,
    "AWS::Lambda::Alias": Bill.alias,
    "AWS::Lambda::EventSourceMapping": Bill.polling,
    "AWS::Lambda::Function": Bill.function,
    "AWS::RDS::DBCluster": Bill.managed_secret,
    "AWS::RDS::DBInstance": Bill.database,
    "AWS::RDS::DBProxy": Bill.proxy,
    "AWS::Scheduler::Schedule": Bill.schedule,
    "AWS::SecretsManager::Secret": Bill.secret,
    "AWS::WAFv2::WebACL": Bill.firewall,
}


def runs_per_month(expression: str) -> float:
    """Return how often a schedule with `expression` runs in a month.  A cron expression counts once a day."""
    if not (parts := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)):
        return MONTH_DAYS
    return MONTH_DAYS * {"minute": 1440, "hour": 24, "day": 1}[parts[2]] / int(parts[1])
