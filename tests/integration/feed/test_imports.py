import subprocess
import sys

import pytest

SCRIPT = "import django, sys; django.setup(); import lambda_app.apps.feed.{module}; print(*sys.modules, sep='\\n')"


@pytest.mark.parametrize("module", ["urls", "tasks"])
def test_only_rendering_pays_for_pillow_and_only_the_storage_for_boto3(module):
    command = [sys.executable, "-c", SCRIPT.format(module=module)]

    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert f"lambda_app.apps.feed.{module}" in modules
    # Powertools imports the package botocore alone, which is empty: half a millisecond.
    assert not {"PIL", "boto3", "botocore.session"} & set(modules)
