"""cdk-nag's AWS Solutions rules, and a written reason for each finding that we accept."""

import re
from collections.abc import Mapping

from aws_cdk import Acknowledgment, App, PolicyValidationPluginReport, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

ACCEPTED_EVERYWHERE: Mapping[str, str] = {
    r"AwsSolutions-IAM5\[Resource::.+/\*\]": "a grant on the objects of one bucket ends in a wildcard",
    r"AwsSolutions-IAM5\[Resource::arn:.+:sqs:.+-Queue\*\]": "names of kept queues are not known",
}
"""Rules whose names hold generated ids: acknowledgements match a name exactly, these match it as a whole."""


class Checks(AwsSolutionsChecks):
    """The rules, less those that ACCEPTED_EVERYWHERE gives a reason for."""

    def validate_scope(self, scope: IConstruct) -> PolicyValidationPluginReport:
        violations = super().validate_scope(scope).violations
        left = [violation for violation in violations if not _is_accepted(violation.rule_name)]
        return PolicyValidationPluginReport(success=not left, violations=left)


def _is_accepted(rule: str) -> bool:
    return any(re.fullmatch(pattern, rule) for pattern in ACCEPTED_EVERYWHERE)


def attach_checks(app: App) -> None:
    """Let every synth of `app` fail on a finding without a reason."""
    Validations.of(app).add_plugins(Checks(app, verbose=True))


def accept(scope: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept the rules that `findings` names, for `scope` and all in it, for the reasons it gives."""
    for rule, reason in findings.items():
        Validations.of(scope).acknowledge(Acknowledgment(id=rule, reason=reason))
