"""`serverless-django cost --stage NAME`: what templates cost a month while idle, line by line."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from serverless_django.deploy.cost.lines import Bill, Line
from serverless_django.deploy.cost.prices import Prices


def read_resources(assembly: Path) -> dict[str, dict[str, Any]]:
    """Return the resources of every stack in `assembly`, which `cdk synth` wrote."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"].values()
    files = [item["properties"]["templateFile"] for item in artifacts if item["type"] == "aws:cloudformation:stack"]
    templates = [json.loads((assembly / file).read_text()) for file in files]
    return {name: item for template in templates for name, item in template["Resources"].items()}


def describe(lines: Iterable[Line], prices: Prices) -> str:
    """Return a table of equal lines taken together, the dearest first, and their sum."""
    equal: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        equal.setdefault((line.what, line.detail), []).append(line.usd)
    dearest_first = sorted(equal.items(), key=lambda item: -sum(item[1]))
    rows = [_row(what, detail, len(usd), sum(usd)) for (what, detail), usd in dearest_first]
    total = _row("together", "", 1, sum(map(sum, equal.values())))
    return "\n".join([f"USD a month without requests, {prices.source}, from memory: verify them", *rows, total])


def _row(what: str, detail: str, count: int, usd: float) -> str:
    times = f"{detail}, {count} times" if count > 1 else detail
    return f"  {what:<12} {times:<50} {usd:9.2f}"


def print_cost(assembly: Path) -> None:
    """Print the table for the templates in the folder `assembly`."""
    prices = Prices.read()
    sys.stdout.write(describe(Bill(read_resources(assembly), prices).lines(), prices) + "\n")
