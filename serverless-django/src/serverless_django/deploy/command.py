"""The CDK's command line, called for one stage of a project."""

import os
import subprocess
import sys
from pathlib import Path

from serverless_django.deploy.node import cdk_cli
from serverless_django.deploy.project import Project


def run_cdk(project: Project, stage: str, *arguments: str) -> int:
    """Run the CDK CLI in the project's root and return its exit code.

    Raise InvalidStageError if the project has no such stage, NodeError if the CLI cannot be installed.
    """
    project.stage(stage)
    command = [str(cdk_cli()), *arguments, "--context", f"stage={stage}"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(command, cwd=project.root, env=os.environ | {"PATH": path}, check=False).returncode
