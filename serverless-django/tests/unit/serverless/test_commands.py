"""Only commands on the list run, and a failure is the caller's to see."""

import pytest
from django.core.management import CommandError

from serverless_django import commands
from serverless_django.commands import CommandFailedError, CommandRefusedError, run_command


@pytest.mark.parametrize("name", ["dbshell", "shell", "flush", "loaddata", "runserver", "", "Migrate", "migrate;id"])
def test_a_command_that_is_not_on_the_list_is_refused(name):
    with pytest.raises(CommandRefusedError, match="allowed are check, dead_letters, migrate, showmigrations"):
        run_command([name])


@pytest.mark.parametrize("command", [None, [], "migrate", [1], ["check", None], {"migrate": 1}])
def test_a_command_of_another_shape_is_refused(command):
    with pytest.raises(CommandRefusedError, match="should be a list"):
        run_command(command)


def test_what_the_command_prints_is_returned():
    assert run_command(["check"]) == "System check identified no issues (0 silenced).\n"


def test_what_the_command_raises_passes_through():
    with pytest.raises(CommandError, match="unrecognized arguments: --nonsense"):
        run_command(["check", "--nonsense"])


def test_an_exit_code_is_an_error_with_the_output(monkeypatch):
    def exit_with_3(name, *arguments, stdout, **options):
        stdout.write("two models clash")
        raise SystemExit(3)

    monkeypatch.setattr(commands, "call_command", exit_with_3)

    with pytest.raises(CommandFailedError, match="check ended with 3: two models clash"):
        run_command(["check"])


def test_an_exit_without_a_code_is_a_success(monkeypatch):
    monkeypatch.setattr(commands, "call_command", lambda *args, **kwargs: exit(0))

    assert run_command(["check"]) == ""
