"""A program in its own interpreter, with the variables that the template gives to a function."""

import subprocess
import sys
from pathlib import Path

import lambda_app.topology
from lambda_app.topology import TOPOLOGY
from serverless_django.contract.environment import Environment
from tests.paths import import_path

ROOT = Path(lambda_app.topology.__file__).parents[1]
"""The project whose tests run."""

EVENTS = ROOT / "events"
HANDLERS = sorted(path.stem for path in (ROOT / "lambda_app" / "handlers").glob("[!_]*.py"))

ENVIRONMENT = Environment(
    stage="test",
    allowed_hosts=("api.example.com",),
    database_host="proxy.example.com",
    database_name="app",
    database_user="app",
    task_queue_urls={queue.name: f"https://sqs.example.com/1/{queue.name}" for queue in TOPOLOGY.task_queues},
    bucket_names={bucket.name: f"test-{bucket.name}" for bucket in TOPOLOGY.buckets},
)


VARIABLES = {
    "AWS_REGION": "eu-central-1",
    "PYTHONPATH": import_path(),
    "DJANGO_SETTINGS_MODULE": "lambda_app.settings.deployed",
}


def run(program, **variables):
    """Run `program` in a fresh interpreter that sees `variables` and nothing of ours."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=VARIABLES | variables,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
