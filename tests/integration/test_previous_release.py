"""Between a migration and the end of a deploy the previous release runs on the new schema: here it does."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).parents[2]

PREVIOUS_RELEASE = "54ed9f73c2e1a90b2ad2d67ceb1a00b860c97558"
"""The commit that runs on the stages while the next deploy migrates: move it with each release."""


@pytest.fixture(scope="module")
def previous(tmp_path_factory):
    """The previous release's code and sample events, in their own folder."""
    folder = tmp_path_factory.mktemp("previous")
    archive = subprocess.run(
        ["git", "archive", PREVIOUS_RELEASE, "lambda_app", "events"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"the previous release is not in this clone: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as file:
        file.extractall(folder, filter="data")
    # The script is of today: the previous release may have had none.
    (folder / "smoke.py").write_text((ROOT / "tests" / "tools" / "smoke.py").read_text())
    return folder


def smoke(folder):
    database = connection.settings_dict
    variables = {"PGHOST": database["HOST"], "PGPORT": str(database["PORT"]), "PGUSER": database["USER"]}
    settings = {"DJANGO_SETTINGS_MODULE": "lambda_app.settings.local", "PGDATABASE": database["NAME"]}
    finished = subprocess.run(
        [sys.executable, "-m", "smoke"],
        cwd=folder,
        env=os.environ | variables | settings | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


@pytest.mark.django_db(transaction=True)
def test_its_handlers_serve_every_sample_event_on_the_new_schema(previous):
    faults = smoke(previous)

    assert len(faults) >= 10
    assert {name: fault for name, fault in faults.items() if fault} == {}


@pytest.mark.django_db(transaction=True)
def test_a_column_that_is_gone_would_be_noticed(previous):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE feed_post RENAME COLUMN caption TO title")
    try:
        faults = smoke(previous)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE feed_post RENAME COLUMN title TO caption")

    assert any(faults.values())
