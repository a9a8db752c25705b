"""A report of pytest → each attack of the folder attacks/ and whether it was refused.

An attack is one test function, or one of its parameters; its name says what the attacker does not get.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

FOLDER = "tests/security/attacks/"
GOALS = {"attacks": ">= 40", "succeeded": "== 0"}

type Result = Literal["refused", "SUCCEEDED", "not tried"]


@dataclass(frozen=True, slots=True)
class Attack:
    topic: str
    name: str
    result: Result

    def __str__(self) -> str:
        return f"{self.result:<9}  {self.topic:<14} {self.name}"


def attacks_in(report: ET.Element) -> Iterator[Attack]:
    """Yield each attack of a report in pytest's family "xunit1", which names the files."""
    for case in report.iter("testcase"):
        folder, _, rest = case.attrib.get("file", "").partition(FOLDER)
        if rest and not folder:
            topic = rest.removesuffix(".py").removeprefix("test_")
            yield Attack(topic, case.attrib["name"].removeprefix("test_").replace("_", " "), _result_of(case))


def figures_of(attacks: Iterable[Attack]) -> dict[str, int]:
    """Return the number of `attacks` that were tried, and of those that `succeeded`."""
    results = [attack.result for attack in attacks]
    return {"attacks": len(results) - results.count("not tried"), "succeeded": results.count("SUCCEEDED")}


def _result_of(case: ET.Element) -> Result:
    # A fault before or after a test is an error: what could not be shown to fail is taken for a success.
    if case.find("failure") is not None or case.find("error") is not None:
        return "SUCCEEDED"
    return "not tried" if case.find("skipped") is not None else "refused"
