"""A synthesized template → what the role of each function may do, with every resource named by its logical id."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Template = Mapping[str, Any]

MASTER_SECRET = "MasterUserSecret"
"""An attribute of the database, be it an instance or a cluster."""


@dataclass(frozen=True, order=True)
class Call:
    """What a role did."""

    role: str
    action: str
    resource: str
    """"{LogicalId}", and of an object "{LogicalId}/folder/*"."""


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one pattern of resources, allowed or denied to one role."""

    role: str
    action: str
    resource: str
    effect: str = "Allow"
    condition: str = ""
    """As JSON; empty if the statement always holds."""

    def covers(self, call: Call) -> bool:
        return (
            self.role == call.role
            and _matches(self.action.lower(), call.action.lower())
            and _matches(self.resource, call.resource)
        )


def grants_of(templates: Iterable[Template]) -> set[Grant]:
    """Return what the policies of `templates` say of the roles of python functions."""
    templates = list(templates)
    resources = {name: item for template in templates for name, item in template["Resources"].items()}
    roles = {_role_of(item) for item in resources.values() if _is_ours(item)}
    for role in roles:
        assert "ManagedPolicyArns" not in resources[role]["Properties"], f"{role} has policies of AWS's own"
    return {
        grant
        for name, item in resources.items()
        for role, statement in _statements(name, item)
        if role in roles
        for grant in _grants(role, statement, resources)
    }


def missing_grants(grants: Iterable[Grant], calls: Iterable[Call]) -> set[Call]:
    """Return the calls that no statement allows, or that one denies."""
    grants = list(grants)
    return {call for call in calls if not _is_allowed(call, [grant for grant in grants if grant.covers(call)])}


def unused_grants(grants: Iterable[Grant], calls: Iterable[Call]) -> set[Grant]:
    """Return the actions that are allowed and that no function called."""
    calls = list(calls)
    return {grant for grant in grants if grant.effect == "Allow" and not any(map(grant.covers, calls))}


def _is_allowed(call: Call, covering: list[Grant]) -> bool:
    # A condition is never taken to hold when it allows, nor to fail when it denies.
    denied = any(grant.effect == "Deny" for grant in covering)
    return not denied and any(grant.effect == "Allow" and not grant.condition for grant in covering)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def _is_ours(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] == "AWS::Lambda::Function" and resource["Properties"]["Runtime"].startswith("python")


def _role_of(function: Mapping[str, Any]) -> str:
    return str(function["Properties"]["Role"]["Fn::GetAtt"][0])


def _statements(name: str, resource: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each statement of a policy, or of one within a role, with the logical id of the role."""
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::Policy":
        for role in properties["Roles"]:
            for statement in properties["PolicyDocument"]["Statement"]:
                yield role["Ref"], statement
    elif resource["Type"] == "AWS::IAM::Role":
        for policy in properties.get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def _grants(role: str, statement: Mapping[str, Any], resources: Mapping[str, Any]) -> Iterator[Grant]:
    assert not {"NotAction", "NotResource"} & set(statement), f"{role} has a statement that names what is left out"
    condition = json.dumps(statement["Condition"]) if "Condition" in statement else ""
    for action in _listed(statement["Action"]):
        for resource in _listed(statement["Resource"]):
            yield Grant(role, action, symbol_of(resource, resources), statement["Effect"], condition)


def symbol_of(value: Any, names: Iterable[str]) -> str:
    """Return `value` with each reference, by any intrinsic function, as the logical id in braces."""
    if isinstance(value, str):
        return value
    [(function, argument)] = value.items()
    if function == "Fn::Join":
        return "".join(symbol_of(part, names) for part in argument[1])
    text = json.dumps(value)
    if MASTER_SECRET in text:
        return f"{{{MASTER_SECRET}}}"
    # In an export's name the logical id stands among other words; of several the longest is meant.
    found = max((name for name in names if name in text), key=len, default="")
    return f"{{{found or argument}}}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
