"""What the policies allow is what the functions call: nothing less, nothing more without a reason.

The calls were recorded on the laptop, where each function has the credentials of its role
(`tests/e2e/test_least_privilege.py` records them again and compares).
"""

from dataclasses import replace

import pytest

from tests.deployment import actions_of
from tests.privileges.excuses import EXCUSES, without_excuse
from tests.privileges.policies import Call, Grant, grants_of, missing_grants, unused_grants
from tests.privileges.recording import read_record

CALLS = read_record()
WEB, UPLOADS = "WebRole1D1172F5", "{BucketuploadsBucketF6E8D4D5}"
LINK = Call(WEB, "s3:GetObject", "{BucketmediaBucket01930FED}/photos/*")


def test_every_call_that_the_functions_make_is_allowed(any_deployment):
    # Where an edge serves a bucket, nothing signs a link in the name of the web function.
    unsigned = {LINK} if any_deployment.stage.edge != "none" else set()

    assert missing_grants(grants_of(any_deployment.templates), CALLS) == unsigned


def test_every_right_is_used_or_has_a_reason(any_deployment):
    assert without_excuse(unused_grants(grants_of(any_deployment.templates), CALLS)) == set()


def test_no_reason_outlives_what_it_excuses(everything):
    unused = unused_grants(grants_of(everything.templates), CALLS)

    assert [excuse for excuse in EXCUSES if not any(map(excuse.is_for, unused))] == []


def test_each_right_that_is_taken_away_is_missed(local):
    """Each in turn, so that no call is covered twice: two statements would hide the loss of one."""
    grants = grants_of(local.templates)
    used = {grant for grant in grants if grant.effect == "Allow"} - unused_grants(grants, CALLS)

    assert len(used) > 30
    assert [grant for grant in used if not missing_grants(grants - {grant}, CALLS)] == []


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        (WEB, "s3:DeleteObject", f"{UPLOADS}/*"),
        (WEB, "s3:*", f"{UPLOADS}/*"),
        (WEB, "sqs:PurgeQueue", "*"),
        (WEB, "*", "*"),
        (WEB, "secretsmanager:GetSecretValue", "{MasterUserSecret}"),
        ("QueuelikesWorkerRole31AD6FC5", "s3:GetObject", f"{UPLOADS}/*"),
        ("ObjectsWorkerRole685FE4DA", "sqs:SendMessage", "{QueuedefaultDeadLettersB00F1444}"),
    ],
)
def test_a_right_that_is_added_shows(local, role, action, resource):
    added = Grant(role, action, resource)

    found = {*grants_of(local.templates), added}

    assert without_excuse(unused_grants(found, CALLS)) | _wide(found) == {added}


def test_a_right_on_more_than_it_needs_shows(local):
    grants = grants_of(local.templates)
    [narrow] = [grant for grant in grants if grant.role == WEB and grant.action == "s3:PutObject"]

    widened = (grants - {narrow}) | {replace(narrow, resource="*")}

    assert _wide(widened) == {replace(narrow, resource="*")}


def test_a_wildcard_stands_only_where_aws_forces_it(any_deployment):
    assert _wide(grants_of(any_deployment.templates)) == set()


def test_what_the_functions_call_passes_the_endpoints(deployment):
    """The laptop has no network to show that one of them would not."""
    passing = {
        action
        for endpoint in deployment.properties("AWS::EC2::VPCEndpoint")
        for statement in endpoint["PolicyDocument"]["Statement"]
        for action in actions_of(statement)
    }

    called = {call.action for call in CALLS}
    assert called <= passing
    assert {action for action in passing if action not in called and "s3" not in action} == set()


def test_what_is_denied_is_missing_whatever_allows_it():
    call = Call(WEB, "sqs:SendMessage", "{Queue}")
    allowed, denied = Grant(WEB, "sqs:*", "*"), Grant(WEB, "sqs:SendMessage", "*", "Deny", '{"Bool": {}}')

    assert missing_grants({allowed}, {call}) == set()
    assert missing_grants({allowed, denied}, {call}) == {call}


def test_a_right_under_a_condition_is_not_counted_on():
    call = Call(WEB, "sqs:SendMessage", "{Queue}")

    assert missing_grants({Grant(WEB, "sqs:SendMessage", "*", condition='{"Bool": {}}')}, {call}) == {call}


def _wide(grants):
    """Return what names no action, or no resource although AWS knows one.

    A bucket's objects are `{Bucket}/*`, and the queues that a stage has kept begin with its name.
    """
    return {
        grant
        for grant in grants
        if grant.effect == "Allow"
        and ("*" in grant.action or "*" in grant.resource.removesuffix("/*").removesuffix("{AWS::StackName}-Queue*"))
        and not grant.action.startswith(("ec2:", "sqs:ListQueues"))
    }
