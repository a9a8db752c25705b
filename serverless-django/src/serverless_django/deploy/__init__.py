"""The deployment of a project: what `cdk/app.py` declares and hands to the CDK.

Importing this package is cheap: `aws_cdk`, which starts Node, is loaded by `synthesize` alone.
"""

from serverless_django.deploy.config.stage import Stage
from serverless_django.deploy.project import Project

__all__ = ["Project", "Stage", "synthesize"]


def synthesize(project: Project) -> None:
    """Write the templates of the stage that the CDK CLI names by `-c stage=NAME`.

    A synth needs no network, no credentials and no Docker.  Raise InvalidStageError if there is no such stage.
    """
    from serverless_django.deploy.app import write_templates

    write_templates(project)
