"""An edited file is seen, and laid over the deployed code."""

from pathlib import Path

import pytest

from serverless_django.local import source
from serverless_django.local.source import Source


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working copy with one module, deployed as it is."""
    root = tmp_path / "project"
    (root / "lambda_app").mkdir(parents=True)
    (root / "lambda_app" / "urls.py").write_text("value = 1\n")
    monkeypatch.setattr(source, "ROOT", root)
    monkeypatch.setattr(source, "LOOK_SECONDS", 0)
    monkeypatch.setattr(source.fingerprint_of_source, "__defaults__", (root,))
    return root


@pytest.fixture
def deployed(tmp_path, project):
    code = tmp_path / "code"
    (code / "hash" / "lambda_app").mkdir(parents=True)
    (code / "hash" / "django.py").write_text("a package\n")
    return Source(code, deployed=source.fingerprint_of_source(project))


def test_unchanged_code_runs_as_it_was_deployed(deployed):
    assert deployed.root_of("hash") == deployed.code / "hash"


def test_an_edited_module_lies_over_the_deployed_packages(deployed, project):
    (project / "lambda_app" / "urls.py").write_text("value = 22\n")

    edited = deployed.root_of("hash")

    assert edited != deployed.code / "hash"
    assert (edited / "lambda_app" / "urls.py").read_text() == "value = 22\n"
    assert (edited / "django.py").read_text() == "a package\n"


def test_an_edit_that_is_undone_leads_back(deployed, project):
    module: Path = project / "lambda_app" / "urls.py"
    module.write_text("value = 22\n")
    deployed.root_of("hash")

    module.write_text("value = 1\n")

    assert deployed.root_of("hash") == deployed.code / "hash"


def test_a_new_module_is_seen(deployed, project):
    (project / "lambda_app" / "more.py").write_text("")

    assert (deployed.root_of("hash") / "lambda_app" / "more.py").exists()


def test_while_a_deploy_runs_each_version_runs_its_own_code(deployed, project):
    (project / "lambda_app" / "urls.py").write_text("value = 22\n")
    assert deployed.root_of("hash") != deployed.code / "hash"

    with deployed.deploying(source.fingerprint_of_source(project)):
        (project / "lambda_app" / "urls.py").write_text("value = 333\n")

        assert deployed.root_of("hash") == deployed.code / "hash"


def test_edits_wait_for_a_deploy_where_that_is_asked_for(deployed, project):
    (project / "lambda_app" / "urls.py").write_text("value = 22\n")

    waiting = Source(deployed.code, deployed.deployed, follows_edits=False)

    assert waiting.root_of("hash") == deployed.code / "hash"


def test_what_failed_to_deploy_runs_nowhere_until_the_next_edit(deployed, project):
    module = project / "lambda_app" / "urls.py"
    module.write_text("value = 22\n")

    with pytest.raises(RuntimeError), deployed.deploying(source.fingerprint_of_source(project)):
        raise RuntimeError

    assert deployed.root_of("hash") == deployed.code / "hash"
    module.write_text("value = 333\n")
    assert deployed.root_of("hash") != deployed.code / "hash"


def test_the_template_depends_on_the_topology_but_not_on_a_view(tmp_path):
    for name in ("serverless-django/src/serverless_django/contract", "lambda_app/apps", "cdk"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("cdk.json", "package-lock.json", "uv.lock", "lambda_app/topology.py", "lambda_app/apps/views.py"):
        (tmp_path / name).write_text("")
    before = source.fingerprint_of_template(tmp_path)

    (tmp_path / "lambda_app/apps/views.py").write_text("changed")
    after_view = source.fingerprint_of_template(tmp_path)
    (tmp_path / "lambda_app/topology.py").write_text("changed")

    assert after_view == before
    assert source.fingerprint_of_template(tmp_path) != before
