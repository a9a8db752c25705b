"""A management command that a deploy or an operator may run inside the cloud, and its output."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

from django.core.management import CommandParser, call_command
from django.db import DEFAULT_DB_ALIAS, connections

from serverless_django.conf import topology
from serverless_django.postgresql.migration import migrate_patiently, migration_session
from serverless_django.postgresql.roles import ensure_application_role

ALLOWED = ("check", "dead_letters", "migrate", "showmigrations", "sqlmigrate", "tasks")
"""Nothing that runs code from its arguments, opens a shell or waits for a terminal; a topology may add some."""

MAX_OUTPUT_CHARACTERS = 100_000
"""The end of a long output is kept; Lambda's response may have 6 MB."""


class CommandRefusedError(ValueError):
    """The command is not one that may run here."""


class CommandFailedError(RuntimeError):
    """The command ended with an exit code other than 0."""


def run_command(command: Any) -> str:
    """Run `command`, such as ["migrate", "shop"], and return what it printed.

    Raise CommandRefusedError if the command is not allowed, CommandFailedError if it exits with an error.
    Exceptions of the command itself, such as Django's CommandError, pass through.
    """
    name, *arguments = _allowed(command)
    output = StringIO()
    try:
        if name == "migrate":
            _migrate(arguments, output)
        else:
            call_command(name, *arguments, stdout=output, stderr=output, no_color=True)
    except SystemExit as error:
        if error.code:
            raise CommandFailedError(f"{name} ended with {error.code}: {output.getvalue()[-1000:]}") from error
    return output.getvalue()[-MAX_OUTPUT_CHARACTERS:]


def _migrate(arguments: Sequence[str], output: StringIO) -> None:
    # With the checks that call_command leaves out: impossible settings end a deploy before it changes a table.
    options = {"stdout": output, "stderr": output, "no_color": True, "skip_checks": False}
    using = _database_of(arguments)
    with migration_session(using):
        migrate_patiently(lambda: call_command("migrate", *arguments, **options), using)
        ensure_application_role(connections[using])


def _database_of(arguments: Sequence[str]) -> str:
    parser = CommandParser(add_help=False, called_from_command_line=False)
    parser.add_argument("--database", default=DEFAULT_DB_ALIAS)
    return str(parser.parse_known_args(arguments)[0].database)


def _allowed(command: Any) -> Sequence[str]:
    if not isinstance(command, list) or not command or not all(isinstance(part, str) for part in command):
        raise CommandRefusedError(f'"command" should be a list such as ["migrate"], got {command!r}')
    allowed = (*ALLOWED, *topology().commands)
    if command[0] not in allowed:
        raise CommandRefusedError(
            f"command {command[0]!r} is not allowed here; allowed are {', '.join(allowed)}; "
            "add it to `commands` of the topology"
        )
    return command
