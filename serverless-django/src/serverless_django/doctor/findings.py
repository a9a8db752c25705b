"""A rule is a function from facts to findings, registered under the item of the advice that it stands for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from serverless_django.doctor.facts import Facts


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    rule: str
    evidence: str
    advice: str


type Check = Callable[[Facts], Iterator[tuple[str, str]]]
"""Yields the evidence and the advice of each finding."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    item: str
    """Of the advice, for the score."""

    check: Check

    def findings(self, facts: Facts) -> list[Finding]:
        return [Finding(self.name, evidence, advice) for evidence, advice in self.check(facts)]


RULES: dict[str, Rule] = {}


def rule(item: str) -> Callable[[Check], Check]:
    """Return a decorator that registers a check under its name, with dashes, for the advice `item`."""

    def register(check: Check) -> Check:
        name = check.__name__.replace("_", "-")
        RULES[name] = Rule(name, item, check)
        return check

    return register


@dataclass(frozen=True, slots=True)
class Diagnosis:
    findings: list[Finding]

    @property
    def broken(self) -> set[str]:
        return {finding.rule for finding in self.findings}

    @property
    def marks(self) -> tuple[int, int]:
        """Rules that hold, and all rules."""
        return len(RULES) - len(self.broken), len(RULES)

    def by_item(self) -> dict[str, tuple[int, int]]:
        """Return, for each item of the advice, how many of its rules hold, and how many there are."""
        items: dict[str, tuple[int, int]] = {}
        for each in RULES.values():
            held, total = items.get(each.item, (0, 0))
            items[each.item] = held + (each.name not in self.broken), total + 1
        return items


def diagnose(facts: Facts) -> Diagnosis:
    """Apply every rule."""
    # They register themselves when they are imported.
    from serverless_django.doctor import rules_database, rules_settings, rules_statements  # noqa: F401

    return Diagnosis([finding for each in RULES.values() for finding in each.findings(facts)])
