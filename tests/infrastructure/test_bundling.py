"""The bundle as Lambda gets it, built by the real tools from the real lock."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from cdk.app import PROJECT
from serverless_django.deploy import bundling
from serverless_django.deploy.bundling import PLATFORMS, build_bundle, copy_source
from serverless_django.deploy.bundling.tools import BundlingError, install_packages

ARM64, X86_64 = 183, 62
"""How ELF files name their processor."""


@pytest.fixture(scope="module")
def bundle():
    """What `make synth STAGE=prod` deploys; it is found again if it was built before."""
    return build_bundle(PROJECT, architecture="arm64")


@pytest.fixture(scope="module")
def native():
    return build_bundle(PROJECT, architecture="x86_64")


@pytest.fixture
def project(tmp_path):
    """A project of two modules, whose packages are the real ones."""
    app = tmp_path / "lambda_app"
    (app / "settings").mkdir(parents=True)
    (app / "__init__.py").write_text("")
    (app / "manage.py").write_text("")
    (app / "settings" / "local.py").write_text("")
    (app / "tasks.py").write_text('"""Docstring."""\nCOLOURS = {"red", "green", "blue"}\n')
    shutil.copy(PROJECT.root / "uv.lock", tmp_path)
    return replace(PROJECT, root=tmp_path)


@pytest.mark.nightly
def test_the_same_lock_and_sources_give_the_same_bytes_in_another_folder(bundle, tmp_path):
    for name in ("uv.lock", "pyproject.toml", "serverless-django/pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT.root / name, tmp_path / name)
    shutil.copytree(PROJECT.root / "lambda_app", tmp_path / "lambda_app", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".tools").symlink_to(PROJECT.root / ".tools")

    elsewhere = build_bundle(replace(PROJECT, root=tmp_path), architecture="arm64")

    assert elsewhere.name == bundle.name
    assert _contents(elsewhere) == _contents(bundle)


@pytest.mark.parametrize("name", ["cryptography", "jwt"])
def test_what_verifies_tokens_is_deployed_only_if_a_project_asks_for_it(bundle, name):
    assert not (bundle / name).exists()


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", ARM64), ("x86_64", X86_64)])
def test_every_library_is_for_the_functions_processor(architecture, machine, bundle, native):
    folder = bundle if architecture == "arm64" else native
    machines = {int.from_bytes(path.read_bytes()[18:20], "little") for path in folder.rglob("*.so*")}

    assert machines == {machine}


def test_all_bytecode_is_used_by_lambda_without_a_look_at_its_source(bundle):
    compiled = list(bundle.rglob("*.pyc"))

    assert len(compiled) > 1000
    assert {path.read_bytes()[:8] for path in compiled} == {MAGIC_NUMBER + b"\1\0\0\0"}


def test_every_module_of_ours_is_there_as_source_and_bytecode(bundle):
    modules = list((bundle / "lambda_app").rglob("*.py"))

    assert len(modules) > 30
    assert all((module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc").exists() for module in modules)


def test_what_only_a_developer_runs_is_not_deployed(bundle):
    assert (bundle / "lambda_app" / "settings" / "deployed.py").exists()
    assert not (bundle / "lambda_app" / "settings" / "local.py").exists()
    assert not (bundle / "lambda_app" / "manage.py").exists()


def test_only_the_services_we_call_have_clients(bundle):
    services = {path.name for path in (bundle / "botocore" / "data").iterdir() if path.is_dir()}

    assert services == {"s3", "secretsmanager", "sqs", "sts"}


def test_the_docs_page_finds_its_assets(bundle):
    assert (bundle / "ninja" / "static" / "ninja" / "swagger-ui-bundle.js").exists()


def test_every_handler_starts_from_the_bundle_alone(native):
    """With nothing else on the path: a package that was left out, or too much of one, shows here."""
    program = f"""
import sys; sys.path.insert(0, {str(native)!r})
import importlib
for name in ("api_gateway", "sqs", "s3", "management"):
    importlib.import_module(f"lambda_app.handlers.{{name}}")
import boto3, django.urls, serverless_django.caching.connections
from PIL import Image
from django.core.files.storage import storages
from django.core.management import get_commands
django.urls.get_resolver().url_patterns
[boto3.client(name) for name in ("s3", "secretsmanager", "sqs", "sts")]
storages["media"].url("key")
Image.init()
assert "migrate" in get_commands() and "WEBP" in Image.SAVE
strangers = [m.__file__ for m in sys.modules.values() if "site-packages" in (getattr(m, "__file__", "") or "")]
assert not strangers, strangers
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program], env=_variables(), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_a_function_that_is_told_to_verify_tokens_does_not_start_without_what_verifies_them(native):
    program = f"import sys; sys.path.insert(0, {str(native)!r}); import lambda_app.handlers.api_gateway"
    variables = _variables() | {
        "SERVERLESS_TOKEN_ISSUER": "https://issuer.invalid",
        "SERVERLESS_TOKEN_AUDIENCE": '["app"]',
    }

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program], env=variables, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    # A line of the function's log, in JSON.
    assert r"which verifies tokens; run uv add \"pyjwt[crypto]\" and deploy" in done.stdout


def test_the_laptop_refreshes_code_in_place(project, tmp_path):
    target = tmp_path / "function"
    target.mkdir()
    copy_source(project, target)
    (project.root / "lambda_app" / "tasks.py").write_text("ANSWER = 42\n")
    (project.root / "lambda_app" / "__init__.py").unlink()

    copy_source(project, target)

    assert sorted(path.name for path in (target / "lambda_app").rglob("*.py")) == ["tasks.py"]
    assert b"ANSWER" in next(target.rglob("tasks.*.pyc")).read_bytes()


def test_an_edited_file_reuses_the_packages(project, monkeypatch):
    installed = []
    monkeypatch.setattr(bundling, "install_packages", lambda root, target, **_: installed.append(target))
    before = build_bundle(project, architecture="arm64")
    (project.root / "lambda_app" / "tasks.py").write_text("ANSWER = 42\n")

    after = build_bundle(project, architecture="arm64")

    assert before != after
    assert len(installed) == 1


def test_what_was_not_used_for_long_is_forgotten(project, monkeypatch):
    monkeypatch.setattr(bundling, "install_packages", lambda *_, **__: None)
    bundles = []
    for number in range(6):
        (project.root / "lambda_app" / "tasks.py").write_text(f"ANSWER = {number}\n")
        bundles.append(build_bundle(project, architecture="arm64"))

    assert [bundle.exists() for bundle in bundles] == [False, False, True, True, True, True]


def test_a_contrib_app_stays_if_a_file_of_yours_names_it(project, monkeypatch):
    def install(root, target, *, platform):
        for name in ("admin", "gis"):
            (target / "django" / "contrib" / name).mkdir(parents=True)

    monkeypatch.setattr(bundling, "install_packages", install)
    (project.root / "lambda_app" / "tasks.py").write_text('APPS = ["django.contrib.admin"]\n')

    contrib = build_bundle(project, architecture="arm64") / "django" / "contrib"

    assert [path.name for path in contrib.iterdir()] == ["admin"]


def test_a_bundle_that_lambda_would_refuse_is_refused_at_synth(project, monkeypatch):
    monkeypatch.setattr(bundling, "install_packages", lambda *_, **__: None)
    monkeypatch.setattr(bundling, "MAX_UNZIPPED_BYTES", 10)

    with pytest.raises(BundlingError, match="Lambda takes at most 10; drop a dependency"):
        build_bundle(project, architecture="arm64")

    assert not list((project.root / ".build" / "bundles").iterdir())


def test_a_machine_without_uv_is_told_how_to_get_it(project, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(BundlingError, match="run `make install`"):
        install_packages(project.root, project.root / "target", platform=PLATFORMS["arm64"])


def _contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in folder.rglob("*")
        if path.is_file()
    }


def _variables() -> dict[str, str]:
    from lambda_app.topology import TOPOLOGY
    from serverless_django.contract.environment import Environment

    environment = Environment(
        stage="test",
        allowed_hosts=("api.example.com",),
        database_host="database.example.com",
        database_name="app",
        database_user="app",
        task_queue_urls={queue.name: f"https://sqs.example.com/{queue.name}" for queue in TOPOLOGY.task_queues},
        bucket_names={bucket.name: f"bucket-{bucket.name}" for bucket in TOPOLOGY.buckets},
    )
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}
    return environment.variables() | credentials | {"PATH": os.environ["PATH"], "AWS_REGION": "eu-west-1"}


def test_a_service_that_boto3_does_not_know_is_refused_with_the_names_that_are_close(project):
    with pytest.raises(BundlingError, match="aws_services has 'sesv3', which boto3 does not know; write sesv2"):
        build_bundle(replace(project, aws_services=("sesv3",)), architecture="arm64")
