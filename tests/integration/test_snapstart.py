"""SnapStart: closed before the snapshot, different and fresh after it, as AWS's runtime client drives it."""

import asyncio
import importlib
import json
import os
import platform
import random

import boto3
import pytest
from django.core.files.storage import storages
from django.db import connection

from cdk.app import PROJECT
from serverless_django import snapstart
from serverless_django.deploy.bundling import build_bundle
from serverless_django.local.execution_environment import ExecutionEnvironment, make_runtime_folder
from serverless_django.local.functions import FunctionVersion
from serverless_django.snapstart import CREDENTIAL_CACHES, prepare_snapshot, renew
from tests.fresh_process import ENVIRONMENT

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]

HANDLER = """
import random
from serverless_django.handlers import api_gateway
from serverless_django import presigning
import uuid6

random.seed(1)
seeded = random.random()
random.seed(1)
session = presigning.session()
first_id = uuid6.uuid7()

def handler(event, context):
    return {
        "is_reseeded": random.random() != seeded,
        "has_new_session": presigning.session() is not session,
        "ids_go_on": uuid6.uuid7() > first_id,
    }
"""


@pytest.fixture
def restored(tmp_path):
    """Return what HANDLER answers in an environment of the given initialization type."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "probe.py").write_text(HANDLER)
    runtime = make_runtime_folder(tmp_path / "runtime")
    bundle = build_bundle(PROJECT, architecture=ARCHITECTURE)
    variables = {
        "PYTHONPATH": os.pathsep.join(map(str, (code, bundle, runtime))),
        "DJANGO_SETTINGS_MODULE": "lambda_app.settings.deployed",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }

    async def invoke(kind):
        environment = ExecutionEnvironment(
            _function(),
            code=code,
            runtime=runtime,
            log=tmp_path / "log",
            variables=variables | {"AWS_LAMBDA_INITIALIZATION_TYPE": kind},
        )
        await environment.start()
        try:
            return json.loads(await environment.invoke(b"{}"))
        finally:
            await environment.stop()

    return lambda kind: asyncio.run(invoke(kind))


def test_a_restored_environment_is_different_and_fresh(restored):
    assert restored("snap-start") == {"is_reseeded": True, "has_new_session": True, "ids_go_on": True}


def test_without_a_snapshot_nothing_is_renewed(restored):
    assert restored("on-demand") == {"is_reseeded": False, "has_new_session": False, "ids_go_on": True}


@pytest.mark.django_db(transaction=True)
def test_before_a_snapshot_the_database_is_left():
    connection.ensure_connection()

    prepare_snapshot()

    assert connection.connection is None


def test_after_a_restore_random_numbers_are_new():
    random.seed(1)
    copied = random.random()
    random.seed(1)

    renew()

    assert random.random() != copied


@pytest.mark.parametrize(("module", "name"), CREDENTIAL_CACHES)
def test_after_a_restore_what_holds_credentials_is_made_again(module, name):
    cached = getattr(importlib.import_module(module), name)
    kept = cached()

    renew()

    assert cached() is not kept


def test_after_a_restore_no_client_of_before_is_used():
    boto3.client("sqs").close()
    storage = storages["media"]

    renew()

    assert boto3.DEFAULT_SESSION is None
    assert storages["media"] is not storage


def test_a_runtime_without_snapshots_needs_no_hooks(monkeypatch):
    monkeypatch.setitem(snapstart.sys.modules, "snapshot_restore_py", None)

    snapstart.register_hooks()


def _function():
    return FunctionVersion(
        name="probe",
        version="1",
        arn="arn:aws:lambda:eu-central-1:123456789012:function:probe",
        role_arn="arn:aws:iam::123456789012:role/probe",
        handler="probe.handler",
        timeout_seconds=30,
        memory_mb=512,
        code_sha256="",
        variables=ENVIRONMENT.variables(),
    )
