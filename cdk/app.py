"""The project as the deploy, the laptop and the command line know it.  The CDK CLI runs this file."""

from pathlib import Path

from cdk.stages import STAGES
from lambda_app.topology import TOPOLOGY
from serverless_django.deploy import Project, synthesize

PROJECT = Project(
    name="photo-feed",
    root=Path(__file__).parent.parent,
    topology=TOPOLOGY,
    stages=STAGES,
    # Callers have tokens: there is no session, no form and nothing that Django signs.
    secret_key=False,
)

if __name__ == "__main__":
    synthesize(PROJECT)
