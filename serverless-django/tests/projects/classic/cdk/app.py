from pathlib import Path

from serverless_django.deploy import Project, synthesize

from cdk.stages import STAGES
from lambda_app.topology import TOPOLOGY

PROJECT = Project(
    name="bookshop",
    root=Path(__file__).parent.parent,
    topology=TOPOLOGY,
    stages=STAGES,
    source=(
        "lambda_app",
        "config",
        "accounts",
        "catalogue",
        "orders",
        "templates",
        "static",
        "locale",
    ),
    not_deployed=("*/tests.py", "lambda_app/settings/local.py"),
)

if __name__ == "__main__":
    synthesize(PROJECT)
