"""`make synth-all`: every stage through the real CLI and every linter, what it is made of, and its wildcards."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cfnlint import lint
from cfnlint.config import ManualArgs

from tests.deployment import STAGES
from tests.privileges.policies import symbol_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "synth"
FORCED: Mapping[str, str] = {
    "endpoint sqs:": "the endpoint is in the stack that lasts, which knows no queue: those of this account",
    "endpoint secretsmanager:": "RDS names the secret of the master, and makes it later: those of this account",
    "role ec2:": "EC2 knows no narrower resource for network interfaces",
    "role s3:": "the objects of one bucket have no common name but the bucket's",
    "endpoint s3:": "the objects of one bucket have no common name but the bucket's",
    "role lambda:InvokeFunction": "CDK's trigger calls the new version",
}
"""Who, and the beginning of an action, with the reason why a wildcard stands in its resource."""

type Template = Mapping[str, Any]


def synthesize(stage: str) -> list[Template]:
    """Return the templates that `make synth STAGE=...` would write.  Raise CalledProcessError at a warning."""
    output = FOLDER / stage
    command = ["cdk", "synth", "--quiet", "--strict", "--context", f"stage={stage}", "--output", str(output)]
    path = f"{ROOT / 'node_modules' / '.bin'}:{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    subprocess.run(
        [*command, "--no-notices"], cwd=ROOT, env=os.environ | {"PATH": path}, check=True, capture_output=True
    )
    return [json.loads(file.read_text()) for file in sorted(output.glob("*.template.json"))]


def linted(templates: Sequence[Template]) -> list[str]:
    """Return what cfn-lint says, but for dependencies that the CDK writes and CloudFormation would see by itself."""
    config = ManualArgs(ignore_checks=["W3005"], regions=["eu-west-1", "us-east-1"])
    return [str(match) for template in templates for match in lint(json.dumps(template), config=config)]


def wildcards(templates: Sequence[Template]) -> Iterator[tuple[str, str]]:
    """Yield who allows which action with a wildcard, and the resource."""
    resources = {name: item for template in templates for name, item in template["Resources"].items()}
    for item in resources.values():
        who = "endpoint" if item["Type"] == "AWS::EC2::VPCEndpoint" else "role"
        for document in _documents(item["Type"], item.get("Properties", {})):
            for statement in document["Statement"]:
                if statement["Effect"] == "Allow":
                    yield from ((f"{who} {action}", resource) for action, resource in _wide(statement, resources))


def _documents(type_: str, properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if type_ in ("AWS::IAM::Policy", "AWS::EC2::VPCEndpoint"):
        return [properties["PolicyDocument"]]
    return [item["PolicyDocument"] for item in properties.get("Policies", ())] if type_ == "AWS::IAM::Role" else []


def _wide(statement: Mapping[str, Any], resources: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for action in _listed(statement["Action"]):
        for resource in _listed(statement["Resource"]):
            symbol = symbol_of(resource, resources)
            if "*" in symbol or "*" in action:
                yield action, symbol


def reason_of(action: str) -> str:
    return next((reason for prefix, reason in FORCED.items() if action.startswith(prefix)), "")


def main() -> int:
    stages = {stage: synthesize(stage) for stage in STAGES}
    said = {stage: linted(templates) for stage, templates in stages.items()}
    counts = {stage: _count(templates) for stage, templates in stages.items()}
    print(f"{'type':<44}" + "".join(f"{stage:>10}" for stage in stages))
    for type_ in sorted(set().union(*counts.values())):
        print(f"{type_:<44}" + "".join(f"{counts[stage][type_] or '':>10}" for stage in stages))
    print(f"{'together':<44}" + "".join(f"{counts[stage].total():>10}" for stage in stages))
    print(f"{'errors and warnings':<44}" + "".join(f"{len(said[stage]):>10}" for stage in stages))
    print("\nwildcards")
    found = {pair for templates in stages.values() for pair in wildcards(templates)}
    for action, resource in sorted(found):
        print(f"  {action:<40} {resource:<60} {reason_of(action) or 'NOTHING NEEDS THIS'}")
    for stage, matches in said.items():
        for match in matches:
            print(f"{stage}: {match}")
    return 1 if any(said.values()) or not all(reason_of(action) for action, _ in found) else 0


def _count(templates: Sequence[Template]) -> Counter[str]:
    return Counter(item["Type"] for template in templates for item in template["Resources"].values())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    sys.exit(main())
