"""The supply chain, as far as it can be judged without the network."""

import json
import subprocess

import pytest

from tests.security import audit


@pytest.mark.parametrize(
    "step",
    [audit.unlocked_packages, audit.unlocked_requirements, audit.unlocked_build, audit.suspicious_code],
    ids=lambda step: step.__name__,
)
def test_the_audit_finds_nothing(step):
    assert [str(finding) for finding in step()] == []


@pytest.mark.nightly
def test_the_bill_of_materials_names_every_package_of_the_bundle_with_its_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "SBOM", tmp_path / "sbom.json")

    assert list(audit.missing_components()) == []
    components = json.loads((tmp_path / "sbom.json").read_text())["components"]
    assert {"django", "msgspec", "psycopg-binary"} <= {each["name"] for each in components}
    assert all(each["externalReferences"][0]["hashes"] for each in components)


def test_uv_itself_is_installed_with_a_hash():
    [requirement] = list(audit._requirements((audit.ROOT / "requirements-tools.txt").read_text()))
    recipe = (audit.ROOT / "Makefile").read_text().partition(".tools/bin/uv:\n")[2].partition("\n\n")[0]

    assert requirement.startswith("uv==")
    # One for each platform that uv is published for, and its source.
    assert requirement.count("--hash=sha256:") >= 10
    assert "--require-hashes -r requirements-tools.txt" in recipe


@pytest.mark.parametrize(
    "line", ["uv", "uv==0.13.9", "uv>=0.13 --hash=sha256:00", "uv @ https://example.invalid/uv.whl", "-r other.txt",
             "uv \\\n  --hash=sha256:00", "git+https://example.invalid/uv.git"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["requirements-tools.txt", "tests/requirements/base.txt",
                                  "deep/er/requirements_dev.txt", "constraints.txt"])  # fmt: skip
def test_a_requirement_without_version_and_hash_is_found_in_every_file(tmp_path, monkeypatch, name, line):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"# a comment\nfine==1 \\\n    --hash=sha256:00\n{line}\n")
    monkeypatch.setattr(audit, "ROOT", tmp_path)

    assert [name in str(finding) for finding in audit.unlocked_requirements()] == [True]


@pytest.mark.parametrize(
    ("requires", "without_isolation"),
    [('"hatchling"', ""), ('"hatchling", "setuptools"', "serverless-django"), ('"x"', "other")],
)
def test_a_build_with_packages_of_no_lock_is_found(tmp_path, monkeypatch, requires, without_isolation):
    library = tmp_path / "serverless-django"
    library.mkdir()
    (library / "pyproject.toml").write_text(
        f'build-system.requires = [{requires}]\nproject.name = "serverless-django"\n'
    )
    (tmp_path / "pyproject.toml").write_text(f'tool.uv.no-build-isolation-package = ["{without_isolation}"]\n')
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "hatchling"\n')
    monkeypatch.setattr(audit, "ROOT", tmp_path)

    assert len(list(audit.unlocked_build())) > 0


def test_pip_audit_is_asked_about_every_requirement_file_and_every_extra(monkeypatch):
    asked = []

    def answer(*command, stdin=""):
        if "pip-audit" not in command[0]:
            return real(*command, stdin=stdin)
        asked.append(stdin)
        return FakeRun('{"dependencies": []}')

    real = audit._run
    monkeypatch.setattr(audit, "_run", answer)

    assert list(audit.vulnerable_python_packages()) == []
    assert [("\ncryptography==" in text, "\nuv==" in text) for text in asked] == [(True, False), (False, True)]


@pytest.mark.parametrize("answer", ["", "not json", '{"error": {"code": "E405"}}'])
def test_a_service_that_does_not_answer_is_unknown_and_not_clean(monkeypatch, answer):
    monkeypatch.setattr(audit, "_run", lambda *command, stdin="": FakeRun(answer))

    assert [finding.is_unknown for finding in audit.vulnerable_node_packages()] == [True] * len(audit.NODE_FOLDERS)
    assert [finding.is_unknown for finding in audit.vulnerable_python_packages()] == [True]


def test_a_package_that_the_service_does_not_know_is_unknown_and_one_with_a_hole_is_found(monkeypatch):
    hole = {"name": "b", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    answer = json.dumps({"dependencies": [{"name": "a", "skip_reason": "not there"}, hole]})
    monkeypatch.setattr(audit, "_run", lambda *command, stdin="": FakeRun(answer))

    found = list(audit.vulnerable_python_packages())

    assert [finding.is_unknown for finding in found] == [True, False]
    assert "PYSEC-1" in str(found[1])


class FakeRun:
    returncode, stderr = 0, ""

    def __init__(self, stdout):
        self.stdout = stdout
