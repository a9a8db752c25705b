"""A mirror, or an attacker before it, hands out packages of other bytes than those that were locked."""

import re
import subprocess
import sys
import tomllib
import zipfile

import pytest

from tests.security.audit import ROOT

TOOLS = (ROOT / "requirements-tools.txt").read_text()
[UV_VERSION] = re.findall(r"^uv==(\S+)", TOOLS, re.MULTILINE)
FREE = f"uv=={UV_VERSION}\n"
OTHER = "--hash=sha256:" + 64 * "0"


@pytest.fixture
def mirror(tmp_path):
    """Make a folder with a uv that runs the attacker's code."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    about = f"uv-{UV_VERSION}.dist-info"
    with zipfile.ZipFile(folder / f"uv-{UV_VERSION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("uv/__init__.py", "raise SystemExit('the attacker runs code')")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {UV_VERSION}\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return folder


@pytest.fixture
def install(mirror, tmp_path):
    """Return what pip says as the Makefile calls it, and whether it has installed anything."""

    def install(requirements, *options):
        file, target = tmp_path / "requirements.txt", tmp_path / "installed"
        file.write_text(requirements)
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *options, "-r", file,
                   "--no-index", "--find-links", mirror, "--target", target]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        return run.returncode, run.stderr, target.exists()

    return install


def options_of_the_makefile():
    [line] = re.findall(r"pip install (.*) -r requirements-tools\.txt", (ROOT / "Makefile").read_text())
    return [option for option in line.split() if option not in ("--quiet", "--disable-pip-version-check")]


@pytest.mark.parametrize("requirements", [TOOLS, FREE, f"uv\n{TOOLS}", f"uv=={UV_VERSION} {OTHER}\n"],
                         ids=["as locked", "a line without hash", "both", "the hash of another file"])  # fmt: skip
@pytest.mark.daily(1)
def test_a_uv_of_other_bytes_is_not_installed(install, requirements):
    status, said, installed = install(requirements, *options_of_the_makefile())

    assert (status, installed) == (1, False)
    assert "hash" in said.lower()


def test_the_mirror_of_these_tests_is_taken_where_no_hash_is_asked(install):
    """Else the attack above would fail for another reason than the hash."""
    assert install(FREE)[::2] == (0, True)


def test_no_package_of_the_lock_can_be_replaced():
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    published = [each for each in packages if "registry" in each["source"]]
    files = [file for each in published for file in [*each.get("wheels", []), each.get("sdist")] if file]

    assert [each["name"] for each in packages if each not in published] == ["photo-feed", "serverless-django"]
    assert len(files) > 300
    assert [file["url"] for file in files if not re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"])] == []
