"""Deploy hook or operator → one allow-listed management command; its failure is the invocation's failure."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from serverless_django.commands import run_command
from serverless_django.observability.invocations import observed
from serverless_django.sources import source_of, wrong_source
from serverless_django.tasks.kept import report_kept
from serverless_django.warmup import start_django

start_django()

DEPLOY: list[str] = ["migrate", "--no-input"]
"""What an empty event asks for: the deploy's trigger can send no other."""


@observed("management")
def handler(event: dict[str, Any] | None, context: LambdaContext) -> dict[str, Any]:
    """Raise WrongEventSourceError unless `event` is null, {} or {"command": [...]}: any other must not migrate."""
    if source_of(event) != "management":
        raise wrong_source(event, wanted="management")
    command = (event or {}).get("command", DEPLOY)
    output = run_command(command)
    if command == DEPLOY:
        report_kept()
    return {"command": command, "output": output}
