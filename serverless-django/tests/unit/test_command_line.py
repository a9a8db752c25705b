"""What a user of the command line can mend is one line with the way out, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import lambda_app

PROJECT = Path(lambda_app.__file__).parents[1]
NO_AWS = {
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def run(*arguments, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, "-c", "from serverless_django.cli import main; main()", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=kept | NO_AWS | variables, check=False, capture_output=True, text=True
    )


def test_a_shell_without_a_region_is_told_so():
    done = run("secrets", "list", "--stage", "prod")

    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["AWS: You must specify a region. Check AWS_PROFILE, AWS_REGION and that you are signed in."],
    )


def test_a_shell_without_credentials_is_told_so():
    done = run("secrets", "list", "--stage", "prod", AWS_DEFAULT_REGION="eu-central-1")

    assert done.returncode == 1
    assert done.stderr.startswith("AWS: Unable to locate credentials")
    assert "Traceback" not in done.stderr
