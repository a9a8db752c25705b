"""An edited file is seen, and laid over the deployed code."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from serverless_django.contract.resources import Queue, Topology
from serverless_django.deploy.project import Project
from serverless_django.local import source
from serverless_django.local.source import Source

TOPOLOGY = Topology(queues=(Queue(name="default"),))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working copy with one module, deployed as it is."""
    root = tmp_path / "project"
    (root / "lambda_app").mkdir(parents=True)
    (root / "lambda_app" / "urls.py").write_text("value = 1\n")
    monkeypatch.setattr(source, "LOOK_SECONDS", 0)
    return Project(name="test", root=root, topology=TOPOLOGY, stages=())


@pytest.fixture
def deployed(tmp_path, project):
    code = tmp_path / "code"
    (code / "hash" / "lambda_app").mkdir(parents=True)
    (code / "hash" / "django.py").write_text("a package\n")
    return Source(project, code, deployed=source.fingerprint_of_source(project))


def test_unchanged_code_runs_as_it_was_deployed(deployed):
    assert deployed.root_of("hash") == deployed.code / "hash"


def test_an_edited_module_lies_over_the_deployed_packages(deployed, project):
    (project.root / "lambda_app" / "urls.py").write_text("value = 22\n")

    edited = deployed.root_of("hash")

    assert edited != deployed.code / "hash"
    assert (edited / "lambda_app" / "urls.py").read_text() == "value = 22\n"
    assert (edited / "django.py").read_text() == "a package\n"


def test_an_edit_that_is_undone_leads_back(deployed, project):
    module: Path = project.root / "lambda_app" / "urls.py"
    module.write_text("value = 22\n")
    deployed.root_of("hash")

    module.write_text("value = 1\n")

    assert deployed.root_of("hash") == deployed.code / "hash"


def test_a_new_module_is_seen(deployed, project):
    (project.root / "lambda_app" / "more.py").write_text("")

    assert (deployed.root_of("hash") / "lambda_app" / "more.py").exists()


def test_while_a_deploy_runs_each_version_runs_its_own_code(deployed, project):
    (project.root / "lambda_app" / "urls.py").write_text("value = 22\n")
    assert deployed.root_of("hash") != deployed.code / "hash"

    with deployed.deploying(source.fingerprint_of_source(project)):
        (project.root / "lambda_app" / "urls.py").write_text("value = 333\n")

        assert deployed.root_of("hash") == deployed.code / "hash"


def test_edits_wait_for_a_deploy_where_that_is_asked_for(deployed, project):
    (project.root / "lambda_app" / "urls.py").write_text("value = 22\n")

    waiting = Source(project, deployed.code, deployed.deployed, follows_edits=False)

    assert waiting.root_of("hash") == deployed.code / "hash"


def test_what_failed_to_deploy_runs_nowhere_until_the_next_edit(deployed, project):
    module = project.root / "lambda_app" / "urls.py"
    module.write_text("value = 22\n")

    with pytest.raises(RuntimeError), deployed.deploying(source.fingerprint_of_source(project)):
        raise RuntimeError

    assert deployed.root_of("hash") == deployed.code / "hash"
    module.write_text("value = 333\n")
    assert deployed.root_of("hash") != deployed.code / "hash"


def test_the_template_depends_on_the_topology_but_not_on_a_view(project, monkeypatch):
    root = project.root
    (root / "cdk").mkdir()
    for name in ("cdk/app.py", "cdk.json", "uv.lock", "lambda_app/topology.py", "lambda_app/views.py"):
        (root / name).write_text("")
    holder = ModuleType("holder")
    holder.TOPOLOGY, holder.__file__ = project.topology, str(root / "lambda_app" / "topology.py")
    monkeypatch.setitem(sys.modules, "holder", holder)
    before = source.fingerprint_of_template(project)

    (root / "lambda_app/views.py").write_text("changed")
    after_view = source.fingerprint_of_template(project)
    (root / "lambda_app/topology.py").write_text("changed")

    assert after_view == before
    assert source.fingerprint_of_template(project) != before
