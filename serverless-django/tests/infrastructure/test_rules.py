"""What other people's rules say of every template."""

import json
import re

import pytest
from aws_cdk.assertions import Annotations, Match
from cfnlint import lint
from cfnlint.config import ManualArgs

from serverless_django.contract.resources import Bucket, Queue, Topology
from serverless_django.deploy.nag import ACCEPTED_EVERYWHERE, Checks
from tests.synthesized import synthesize


def test_cdk_nag_has_nothing_left_to_say(any_deployment):
    violations = Checks().validate_scope(any_deployment.app).violations

    assert [violation.rule_name for violation in violations] == []


SMALL = {
    "one queue": Topology(queues=(Queue(name="default"),)),
    "an ordered queue": Topology(queues=(Queue(name="default", fifo=True),)),
    "a bucket": Topology(queues=(Queue(name="default"),), buckets=(Bucket(name="files"),)),
}


@pytest.mark.parametrize("topology", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("name", ["prod", "everything", "cdn"])
@pytest.mark.daily(1)
def test_nor_of_a_project_that_declares_little(name, topology, tmp_path):
    deployment = synthesize(name, tmp_path, topology)

    assert [violation.rule_name for violation in Checks().validate_scope(deployment.app).violations] == []


def test_cdk_nag_would_have_something_to_say_without_our_reasons(deployment):
    from cdk_nag import AwsSolutionsChecks

    violations = AwsSolutionsChecks().validate_scope(deployment.app).violations

    assert {rule.rule_name.partition("[")[0] for rule in violations} == {"AwsSolutions-IAM5"}
    assert all(re.fullmatch("|".join(ACCEPTED_EVERYWHERE), rule.rule_name) for rule in violations)


def test_the_cdk_has_no_warning(any_deployment):
    for stack in (any_deployment.data_stack, any_deployment.app_stack):
        assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []
        assert Annotations.from_stack(stack).find_error("*", Match.any_value()) == []


@pytest.mark.parametrize("name", ["prod", "local", "everything", "domain", "cdn"])
@pytest.mark.daily(1)
def test_cfn_lint_finds_nothing(name, request):
    any_deployment = request.getfixturevalue(name)
    # W3005: the CDK writes dependencies that CloudFormation would see by itself.
    config = ManualArgs(ignore_checks=["W3005"], regions=["eu-west-1", "us-east-1"])

    templates = [template for template in any_deployment.templates if template["Resources"]]
    assert [str(match) for template in templates for match in lint(json.dumps(template), config=config)] == []
