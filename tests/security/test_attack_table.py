"""What `make test-security` counts as an attack, and as one that succeeded."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from tests.security.__main__ import COUNTED, counted_in
from tests.security.attack_table import attacks_in, figures_of

ATTACKS = """
import pytest
@pytest.fixture
def broken():
    raise OSError
def test_a_stranger_reads_nothing(): pass
def test_a_member_gets_no_more(): assert False
@pytest.mark.parametrize("way", ["by header", "by_path"])
def test_nothing_is_written(way): assert way == "by_path"
def test_an_attack_that_cannot_begin_is_no_refusal(broken): pass
@pytest.mark.skip(reason="needs the running system")
def test_the_system_holds(): pass
"""

OTHERS = """
from hypothesis import given, strategies
def test_that_is_no_attack(): assert False
def test_of_forged_tokens(record_property): record_property("forged", 3)
@given(strategies.integers())
def test_of_a_property(number): pass
"""


@pytest.fixture
def report(tmp_path):
    folder = tmp_path / "tests" / "security"
    (folder / "attacks").mkdir(parents=True)
    (folder / "attacks" / "test_samples.py").write_text(ATTACKS)
    (folder / "test_other.py").write_text(OTHERS)
    report = tmp_path / "report.xml"
    options = ("-p", "no:django", "-p", "no:randomly", "-o", "junit_family=xunit1", f"--junitxml={report}")
    command = [sys.executable, "-m", "pytest", *options, "tests"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, timeout=60)
    return ET.parse(report).getroot()  # noqa: S314 (our own file)


@pytest.fixture
def attacks(report):
    return list(attacks_in(report))


def test_each_attack_is_one_line_with_its_result(attacks):
    assert [(attack.name, attack.result) for attack in attacks] == [
        ("a stranger reads nothing", "refused"),
        ("a member gets no more", "SUCCEEDED"),
        ("nothing is written[by header]", "SUCCEEDED"),
        ("nothing is written[by path]", "refused"),
        ("an attack that cannot begin is no refusal", "SUCCEEDED"),
        ("the system holds", "not tried"),
    ]
    assert {attack.topic for attack in attacks} == {"samples"}


@pytest.mark.nightly
def test_what_was_not_tried_is_not_counted(attacks):
    assert figures_of(attacks) == {"attacks": 5, "succeeded": 3}


@pytest.mark.nightly
def test_figures_are_read_beside_what_hypothesis_writes(report):
    written = {each.attrib["name"] for each in report.iter("property")}

    assert any("hypothesis" in name for name in written)
    assert counted_in(report) == dict.fromkeys(COUNTED, 0) | {"forged": 3}
