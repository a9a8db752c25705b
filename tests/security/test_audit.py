"""The supply chain, as far as it can be judged without asking anybody."""

import json

import pytest

from tests.security import audit


@pytest.mark.parametrize("step", [audit.unlocked_packages, audit.suspicious_code], ids=lambda step: step.__name__)
def test_the_audit_finds_nothing(step):
    assert [str(finding) for finding in step()] == []


def test_the_bill_of_materials_names_every_package_of_the_bundle_with_its_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "SBOM", tmp_path / "sbom.json")

    assert list(audit.missing_components()) == []
    components = json.loads((tmp_path / "sbom.json").read_text())["components"]
    assert {"django", "pyjwt", "psycopg-binary"} <= {each["name"] for each in components}
    assert all(each["externalReferences"][0]["hashes"] for each in components)


@pytest.mark.parametrize("answer", ["", "not json", '{"error": {"code": "E405"}}'])
def test_a_service_that_does_not_answer_is_unknown_and_not_clean(monkeypatch, answer):
    monkeypatch.setattr(audit, "_run", lambda *command, stdin="": FakeRun(answer))

    assert [finding.is_unknown for finding in audit.vulnerable_node_packages()] == [True]
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
