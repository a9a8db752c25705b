from pathlib import Path

from cdk.stages import STAGES
from lambda_app.topology import TOPOLOGY
from serverless_django.deploy import Project, synthesize

PROJECT = Project(
    name="sample",
    root=Path(__file__).parent.parent,
    topology=TOPOLOGY,
    stages=STAGES,
    secret_key=False,
)

if __name__ == "__main__":
    synthesize(PROJECT)
