"""An attacker who can send to a queue runs no code but the project's own tasks."""

import sys

import pytest

from serverless_django.handlers.sqs import handler
from serverless_django.testing import LambdaContext
from tests import sample_tasks
from tests.tasks_in_batches import batch, call, failed

pytestmark = pytest.mark.django_db(transaction=True)

SPY = """
def note(what):
    with open({trace!r}, "a") as file:
        file.write(what)
note("imported ")
def __getattr__(name):
    note("asked ")
    raise AttributeError(name)
"""


@pytest.fixture
def spy(tmp_path, monkeypatch):
    """Return a file that tells whether the module `spy_module` on the path was touched."""
    trace = tmp_path / "trace"
    trace.write_text("")
    (tmp_path / "spy_module.py").write_text(SPY.format(trace=str(trace)))
    (tmp_path / "spy_package").mkdir()
    (tmp_path / "spy_package" / "__init__.py").write_text(SPY.format(trace=str(trace)))
    monkeypatch.syspath_prepend(tmp_path)
    yield trace
    for name in ("spy_module", "spy_package"):
        sys.modules.pop(name, None)


def send(path):
    """Let the worker take a message that calls `path`, beside a healthy one."""
    sample_tasks.calls.clear()
    event = batch(call("note", task=path), call("note", "healthy"))

    response = handler(event, LambdaContext())

    assert (failed(response), sample_tasks.calls) == (["m0"], ["healthy"])


@pytest.mark.parametrize(
    "path",
    [
        "spy_module.task",
        "spy_module",
        "spy_package.module.task",
        "spy_module.__getattr__",
        ".spy_module.task",
        "..spy_module.task",
        "lambda_app.spy_module.task",
        "lambda_app...spy_module.task",
        "lambda_appspy_module.task",
    ],
)
def test_a_message_imports_no_module_outside_the_installed_apps(spy, path):
    send(path)

    assert spy.read_text() == ""


def test_a_module_that_is_loaded_is_not_asked_to_make_what_it_lacks(spy):
    import spy_module  # noqa: F401 - as an app may have done

    send("spy_module.anything")

    assert spy.read_text() == "imported "


@pytest.mark.parametrize("module", ["antigravity", "this", "lib2to3.pgen2.driver", "idlelib.idle", "turtledemo.clock"])
def test_a_message_imports_no_module_of_the_standard_library(module):
    before = set(sys.modules)

    send(f"{module}.main")

    assert module not in set(sys.modules) - before


@pytest.mark.parametrize(
    "path",
    [
        "os.system",
        "subprocess.run",
        "builtins.eval",
        "tests.sample_tasks.not_a_task",
        "tests.sample_tasks.calls",
        "tests.sample_tasks.note.func",
        "tests.sample_tasks.note.__reduce__",
        "lambda_app.handlers.sqs.handler",
        "lambda_app.topology",
        "django.core.management.call_command",
        "sys.modules",
        "__main__.main",
        "",
        ".",
        "note",
        "a\0b.c",
        "é.ü",
        "x" * 100_000,
        "." * 1_000,
    ],
    ids=lambda path: ascii(path)[:60],
)
def test_a_message_calls_nothing_but_a_task(path):
    send(path)
