"""What the page for operators says exists, word by word."""

import json
import re
import shlex

import botocore.session
import pytest
from botocore import xform_name

from serverless_django.commands import ALLOWED
from tests.paths import REPOSITORY

OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
HYPOTHESES = (REPOSITORY / "docs" / "aws-hypotheses.md").read_text()
NOT_OF_THE_API = {("s3", "rm"), ("logs", "tail")}
"""Commands that the CLI composes itself."""

SERVICES = {"s3api": "s3", "deploy": "codedeploy"}
"""Names that the CLI has for services."""

OF_THE_CLI = {"query", "output", "cli-binary-format", "region", "profile"}


def commands(text):
    """Return each command of `aws` as its words; what the shell fills in is left as it stands."""
    text = text.replace("\\\n", " ")
    found = re.findall(r"(?<![\w./-])aws ((?:[a-z0-9]+) (?:[a-z0-9-]+)[^\n`;|)]*)", text)
    return [shlex.split(command.replace("…", "").replace("'", "").replace('"', "")) for command in found]


COMMANDS = [words for text in (OPERATIONS, HYPOTHESES) for words in commands(text)]
SESSION = botocore.session.get_session()


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_command_of_aws_and_its_options_are_in_the_model_of_the_api(words):
    service, command, *rest = words
    if (service, command) in NOT_OF_THE_API:
        return
    model = SESSION.get_service_model(SERVICES.get(service, service))
    operations = {xform_name(name, "-"): name for name in model.operation_names}

    assert command in operations
    members = model.operation_model(operations[command]).input_shape.members
    options = {word.removeprefix("--") for word in rest if word.startswith("--")} - OF_THE_CLI
    known = {xform_name(name, "-") for name in members}
    assert {option for option in options if not {option, option.removeprefix("no-")} & known} == set()


def test_there_are_commands_to_check():
    assert len(COMMANDS) > 30
    assert ["rds", "deregister-db-proxy-targets"] in [words[:2] for words in COMMANDS]


def test_what_the_management_function_is_asked_is_allowed():
    asked = [json.loads(command) for command in re.findall(r"manage '(\[.*\])'", OPERATIONS)]

    assert len(asked) > 3
    assert {command[0] for command in asked} <= set(ALLOWED)


def test_every_target_of_make_exists():
    makefiles = "".join(path.read_text() for path in (REPOSITORY / "Makefile", *REPOSITORY.glob("tests/*/targets.mk")))
    targets = set(re.findall(r"^([a-z-]+):", makefiles, re.MULTILINE))

    for text in (OPERATIONS, HYPOTHESES):
        assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets


def test_every_output_that_is_asked_for_exists(prod):
    outputs = {name for template in prod.templates for name in template.get("Outputs", {})}

    asked = set(re.findall(r"output \$P(?:-data)? (\w+)", OPERATIONS))

    assert asked
    assert asked <= outputs


def test_every_alarm_has_its_row(prod, everything):
    rows = re.findall(r"`([A-Z…]\w*)`", OPERATIONS.partition("## Roll back")[0])

    for deployment in (prod, everything):
        without = [
            alarm
            for alarm in deployment.resources("AWS::CloudWatch::Alarm")
            if not any(row.strip("…") in alarm for row in rows)
        ]
        assert without == []


def test_the_policies_of_the_page_are_json_and_name_one_environment_and_the_roles_of_the_bootstrap():
    trust, rights = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", OPERATIONS, re.DOTALL))

    [admitted], [right] = trust["Statement"], rights["Statement"]
    assert admitted["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"].endswith("environment:prod")
    assert right["Action"] == "sts:AssumeRole"
