"""All of docs/how-to/extend-a-project.md in one project, on the wheel: no file of the library changes."""

import json
import shlex
from datetime import timedelta

import pytest

from serverless_django.local.emulated_aws import EmulatedAws
from tests.waiting import eventually
from tests.wheel.installed import LIBRARY, Installed, ask, build_wheel
from tests.wheel.pages import commands_of, files_of, write_files

pytestmark = pytest.mark.timeout(1200)

PAGE = "extend-a-project.md"
STAGES = ("local", "dev", "prod")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extended")
    installed = Installed.copy_of("minimal", folder / "project")
    installed.take(build_wheel(LIBRARY, folder))
    write_files(files_of(PAGE), installed.root)
    for command in commands_of(PAGE):
        match shlex.split(command):
            case ["uv", *arguments]:
                installed.uv(*arguments)
            case arguments:
                installed.uv("run", "--quiet", *arguments)
    yield installed
    installed.stop()


@pytest.fixture(scope="module")
def templates(project):
    """Return the resources of each stage, with the folder of its bundle and the text of its templates."""
    found = {}
    for stage in STAGES:
        project.uv("run", "--quiet", "serverless-django", "synth", "--stage", stage)
        texts = [
            path.read_text() for path in sorted((project.root / "cdk.out").glob(f"minimal-{stage}*.template.json"))
        ]
        found[stage] = {name: each for text in texts for name, each in json.loads(text)["Resources"].items()}, texts
    return found


def resources(templates, stage, kind):
    return [each["Properties"] for each in templates[stage][0].values() if each["Type"] == kind]


def functions(templates, stage):
    return [
        each for each in resources(templates, stage, "AWS::Lambda::Function") if each.get("Runtime") == "python3.13"
    ]


def test_its_own_tests_pass(project):
    printed = project.uv("run", "--quiet", "pytest", "-q")

    assert " passed" in printed


@pytest.mark.nightly
def test_a_resource_with_its_grant_and_its_endpoint_is_in_every_stage(templates):
    for stage in STAGES:
        [sender] = resources(templates, stage, "AWS::SES::EmailIdentity")
        policies = resources(templates, stage, "AWS::IAM::Policy")
        endpoints = resources(templates, stage, "AWS::EC2::VPCEndpoint")

        assert sender["EmailIdentity"] == "letters@example.com"
        assert sum("ses:SendEmail" in json.dumps(policy) for policy in policies) == 1
        assert sum(".email" in json.dumps(endpoint["ServiceName"]) for endpoint in endpoints) == 1


@pytest.mark.nightly
def test_one_function_has_the_property_that_was_changed(templates):
    for stage in STAGES:
        sizes = [each["EphemeralStorage"]["Size"] for each in functions(templates, stage) if "EphemeralStorage" in each]
        assert sizes == [2048]


@pytest.mark.nightly
def test_functions_have_the_variables_of_their_stage_and_only_names_of_secrets(templates):
    for function in functions(templates, "prod"):
        variables = function["Environment"]["Variables"]
        assert variables["GREETING"] == "Welcome"
        assert "STRIPE_KEY" not in variables
        assert "STRIPE_KEY" in variables["SERVERLESS_SECRET_NAMES"]
    assert all("GREETING" not in each["Environment"]["Variables"] for each in functions(templates, "dev"))
    assert not any("sk_of_a_laptop" in text for _, texts in templates.values() for text in texts)


@pytest.mark.nightly
def test_the_bundle_holds_the_dependency_and_what_the_hook_added(project, templates):
    bundles = list((project.root / ".build" / "bundles").iterdir())

    assert {bundle.name.partition("-")[0] for bundle in bundles} == {"arm64", "x86_64"}
    for bundle in bundles:
        assert (bundle / "scipy").is_dir()
        assert (bundle / "lambda_app" / "VERSION").read_text() == "1.0.0"


@pytest.fixture(scope="module")
def laptop(project):
    """Return the URL of the API of the project on a laptop, and its AWS."""
    url = project.start()
    running = json.loads((project.root / ".local" / "state" / "running.json").read_text())
    return url, EmulatedAws(running["endpoint"], running["credentials"])


@pytest.mark.nightly
@pytest.mark.e2e
def test_it_runs_on_a_laptop(project, laptop):
    url, aws = laptop
    [uploads] = [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"] if "uploads" in each["Name"]]

    aws.client("s3").put_object(Bucket=uploads, Key="names/all.txt", Body=b"Ada\nBob\n")
    eventually(lambda: ask(f"{url}/greetings")["greetings"] == ["Ada", "Bob"], within=timedelta(seconds=60))

    assert "2 greetings" in manage(project, "count_greetings")
    assert "Hi sk_of_a_laptop" in manage(
        project, "shell", "-c", "from django.conf import settings; print(settings.GREETING, settings.STRIPE_KEY)"
    )


@pytest.mark.nightly
@pytest.mark.e2e
def test_a_letter_is_sent_on_a_laptop(project, laptop):
    _, aws = laptop

    manage(project, "shell", "-c", "from lambda_app.tasks import write_letter; write_letter.enqueue('ada@example.com')")

    eventually(lambda: aws.client("ses").get_send_quota()["SentLast24Hours"] == 1, within=timedelta(seconds=60))


def manage(project, *arguments):
    return project.uv("run", "--quiet", "serverless-django", "manage", *arguments)
