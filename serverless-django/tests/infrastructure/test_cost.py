"""What an idle stage costs."""

import json

import pytest

from serverless_django.deploy.cost.lines import Bill, runs_per_month
from serverless_django.deploy.cost.prices import Prices, UnknownPriceError
from serverless_django.deploy.cost.report import describe, read_resources

PRICES = Prices.read()


def test_every_resource_is_priced_or_known_to_be_free(any_deployment):
    lines = Bill(_resources(any_deployment), PRICES).lines()

    assert all(line.usd > 0 for line in lines)


def test_a_type_without_a_price_is_named():
    bill = Bill({"Search": {"Type": "AWS::OpenSearchService::Domain", "Properties": {}}}, PRICES)

    with pytest.raises(UnknownPriceError, match="no price is known for AWS::OpenSearchService::Domain"):
        bill.lines()


def test_an_instance_that_the_list_lacks_is_named():
    properties = {"DBInstanceClass": "db.r8g.16xlarge", "AllocatedStorage": "20"}

    with pytest.raises(UnknownPriceError, match=r"no price of 'db.r8g.16xlarge'; add it to \[database\]"):
        Bill({"Database": {"Type": "AWS::RDS::DBInstance", "Properties": properties}}, PRICES).lines()


def test_a_standby_costs_as_much_as_what_it_stands_by_for(prod):
    resources = _resources(prod)
    single = json.loads(json.dumps(resources).replace('"MultiAZ": true', '"MultiAZ": false'))

    assert _sum(resources, "database") == pytest.approx(2 * _sum(single, "database"))
    assert _sum(single, "database") == pytest.approx(730 * 0.065 + 20 * 0.115)


def test_the_proxy_of_aurora_is_billed_by_eight_units_and_another_by_two_processors(everything, dev):
    assert _sum(_resources(everything), "proxy") == pytest.approx(87.60)
    assert _sum(_resources(dev), "proxy") == pytest.approx(21.90)


def test_a_snapshot_of_a_gigabyte_costs_four_dollars(staging, dev):
    assert _sum(_resources(staging), "functions") == pytest.approx(3.95 * 1769 / 1024, abs=0.01)
    assert _sum(_resources(dev), "functions") == 0


def test_each_zone_of_an_endpoint_costs_its_hours(prod, dev):
    assert _sum(_resources(prod), "network") == pytest.approx(2 * _sum(_resources(dev), "network")) == 29.2


def test_a_switch_shows_on_the_bill(everything):
    parts = {line.what for line in Bill(_resources(everything), PRICES).lines()}

    assert {"firewall", "cache", "network", "functions", "secrets"} <= parts


def test_the_stages_cost_more_the_more_they_promise(dev, staging, prod):
    totals = [_sum(_resources(deployment)) for deployment in (dev, staging, prod)]

    assert totals == sorted(totals)
    assert totals[2] < prod.stage.monthly_budget_usd


@pytest.mark.parametrize(
    ("expression", "runs"), [("rate(5 minutes)", 8760), ("rate(1 day)", 365 / 12), ("cron(x)", 365 / 12)]
)
def test_schedules_are_counted_by_the_month(expression, runs):
    assert runs_per_month(expression) == pytest.approx(runs)


def test_the_table_adds_up_and_tells_where_its_prices_are_from(dev):
    lines = Bill(_resources(dev), PRICES).lines()

    title, *rows, total = describe(lines, PRICES).splitlines()

    assert "list prices of us-east-1, 2026-11, from memory" in title
    assert float(total.split()[-1]) == pytest.approx(sum(float(row.split()[-1]) for row in rows), abs=0.05)


def test_only_the_stacks_of_the_last_synth_are_counted(tmp_path):
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "one.json"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"one": stack, "tree": {"type": "cdk:tree"}}}))
    (tmp_path / "one.json").write_text(json.dumps({"Resources": {"A": {"Type": "T"}}}))
    (tmp_path / "older.template.json").write_text(json.dumps({"Resources": {"B": {"Type": "T"}}}))

    assert set(read_resources(tmp_path)) == {"A"}


def _resources(deployment):
    return {name: item for template in deployment.templates for name, item in template["Resources"].items()}


def _sum(resources, what=""):
    return sum(line.usd for line in Bill(resources, PRICES).lines() if what in line.what)
