"""The bundle keeps the clients of the services that a project calls by name, and no others."""

import shutil
from pathlib import Path

import boto3
import botocore
import botocore.session
import pytest

from serverless_django.deploy.bundling.aws_clients import prune_clients, services_called_in


@pytest.mark.parametrize(
    ("source", "services"),
    [
        ('boto3.client("sesv2").send_email()', ("sesv2",)),
        ("session.client( 'ses' )", ("ses",)),
        ('boto3.resource(\n    "dynamodb",\n    region_name="eu-west-1")', ("dynamodb",)),
        ('boto3.client(service_name="sns"); boto3.client("sqs")', ("sns", "sqs")),
        ('redis_client("ses"); client(name); text = "sns"', ()),
    ],
)
def test_a_service_is_found_where_its_client_is_made(source, services):
    assert services_called_in([source]) == services


def test_what_is_kept_still_makes_its_clients_and_nothing_else_does(tmp_path):
    shutil.copytree(Path(botocore.__file__).parent / "data", tmp_path / "botocore" / "data")

    prune_clients(tmp_path, {"s3", "sesv2"})

    core = botocore.session.get_session()
    core.get_component("data_loader").search_paths[:] = [str(tmp_path / "botocore" / "data")]
    session = boto3.Session(botocore_session=core, region_name="eu-west-1")
    assert session.get_available_services() == ["s3", "sesv2"]
    assert session.client("sesv2").meta.endpoint_url == "https://email.eu-west-1.amazonaws.com"
    assert "ap-south-1" in session.get_available_regions("sesv2")
