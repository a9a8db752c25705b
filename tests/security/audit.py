"""`make audit`: what is deployed, and what builds it, held against its locks, known vulnerabilities and bandit.

A service that does not answer is "unknown", which fails as a finding does, so that it is not read as clean.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SBOM = ROOT / ".build" / "sbom.json"
PROGRAMS = Path(sys.executable).parent
REQUIREMENTS = re.compile(r"(^|/)(requirements|constraints)[^/]*(/[^/]+)?\.txt$")
EXPORT = ("export", "--frozen", "--no-emit-workspace", "--quiet")
LIBRARY = "serverless-django"
NODE_FOLDERS = (LIBRARY, f"{LIBRARY}/src/serverless_django/deploy/node")

JUSTIFIED: Mapping[tuple[str, str], str] = {
    ("B308", "lambda_app/apps/feed/docs.py"): "JSON of our own, in which every < is written as its escape",
    ("B703", "lambda_app/apps/feed/docs.py"): "the same",
    ("B608", "lambda_app/apps/feed/feed_page.py"): "put together from constants; every value is a parameter",
    ("B611", "lambda_app/apps/feed/feed_page.py"): "the same",
    ("B608", "serverless-django/src/serverless_django/throttling/buckets.py"): "the same",
    (
        "B310",
        "serverless-django/src/serverless_django/local/emulated_aws.py",
    ): "an address on loopback that we have just started",
    ("B310", "serverless-django/src/serverless_django/local/emulator.py"): "the same",
    ("B310", "serverless-django/src/serverless_django/local/running.py"): "the same",
    ("B310", "serverless-django/src/serverless_django/secrets.py"): "the endpoint that botocore's data names",
}
"""What bandit finds of medium severity and above, by rule and file, and why it stands."""

ACCEPTED: Mapping[str, str] = {}
"""Known vulnerabilities that stay for now, by their id, and why."""


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    is_unknown: bool = False

    def __str__(self) -> str:
        return f"{'unknown' if self.is_unknown else 'FOUND  '}  {self.what}"


def main() -> int:
    """Print every finding and return 1 if there is one, else 0."""
    count = 0
    for name, step in STEPS.items():
        found = list(step())
        count += len(found)
        print(f"{name}: {'clean' if not found else f'{len(found)} findings'}")
        for finding in found:
            print(f"  {finding}")
    return 1 if count else 0


def unlocked_packages() -> Iterator[Finding]:
    """Yield what could be replaced on its way here: a package without a hash, or a lock that is not of this project."""
    for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        if "registry" in package["source"] and not (files and all(each.get("hash") for each in files)):
            yield Finding(f"{package['name']} of uv.lock has a file without a hash")
    for folder in NODE_FOLDERS:
        for name, package in json.loads((ROOT / folder / "package-lock.json").read_text())["packages"].items():
            if name and not package.get("integrity"):
                yield Finding(f"{name} of {folder}/package-lock.json has no hash")
    if _run(_uv(), "lock", "--check", "--quiet").returncode:
        yield Finding("uv.lock is not the lock of pyproject.toml; run uv lock")


def unlocked_build() -> Iterator[Finding]:
    """Yield what builds the library and is not of the lock: it runs on every machine that installs."""
    library = tomllib.loads((ROOT / LIBRARY / "pyproject.toml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = {package["name"] for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    for name in set(library["build-system"]["requires"]) - locked:
        yield Finding(f"{name}, which builds the library, is not in uv.lock")
    if library["project"]["name"] not in project["tool"]["uv"].get("no-build-isolation-package", ()):
        yield Finding("uv builds the library with packages of no lock; name it in no-build-isolation-package")


def unlocked_requirements() -> Iterator[Finding]:
    """Yield what a file of requirements lets pip choose."""
    for path in requirement_files():
        for requirement in _requirements(path.read_text()):
            if "==" not in requirement or "--hash=" not in requirement:
                yield Finding(f"{requirement.split(' ')[0]} of {path.relative_to(ROOT)} has no version or no hash")


def requirement_files() -> list[Path]:
    """Return every file of requirements in the repository, wherever it lies."""
    listed = _run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines()
    return [ROOT / name for name in listed if REQUIREMENTS.search(name)]


def _requirements(text: str) -> list[str]:
    """Return the requirements of a file, each on one line with its hashes, as pip reads them."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def vulnerable_python_packages() -> Iterator[Finding]:
    locked = _run(_uv(), *EXPORT, "--all-groups", "--all-extras").stdout
    # Each by itself: two files may have two versions of a package.
    for requirements in (locked, *(path.read_text() for path in requirement_files())):
        yield from _vulnerable(requirements)


def _vulnerable(with_hashes: str) -> Iterator[Finding]:
    command = (str(PROGRAMS / "pip-audit"), "--requirement", "/dev/stdin", "--disable-pip", "--require-hashes")
    done = _run(*command, "--progress-spinner", "off", "--format", "json", stdin=with_hashes)
    try:
        audited = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        yield Finding(f"pip-audit could not ask: {done.stderr.strip()[-300:]}", is_unknown=True)
        return
    skipped = [each["name"] for each in audited if "skip_reason" in each]
    if skipped:
        yield Finding(f"{len(skipped)} of {len(audited)} packages are not known to the service", is_unknown=True)
    for each in audited:
        for known in each.get("vulns", ()):
            if known["id"] not in ACCEPTED:
                yield Finding(f"{each['name']} {each['version']}: {known['id']}, fixed in {known['fix_versions']}")


def vulnerable_node_packages() -> Iterator[Finding]:
    for folder in NODE_FOLDERS:
        done = _run(str(PROGRAMS / "npm"), "--prefix", folder, "audit", "--json")
        try:
            found = json.loads(done.stdout)["vulnerabilities"]
        except (ValueError, KeyError):
            said = (done.stdout + done.stderr).strip()[:300]
            yield Finding(f"npm audit could not ask about {folder}: {said}", is_unknown=True)
            continue
        for name, known in found.items():
            if name not in ACCEPTED:
                yield Finding(f"{name} {known['range']}: {known['severity']}")


def suspicious_code() -> Iterator[Finding]:
    """Yield bandit's findings without a justification, and justifications of what is not there any more."""
    done = _run(str(PROGRAMS / "bandit"), "--quiet", "--recursive", "-ll", "--format", "json", *FOLDERS)
    found = {
        (each["test_id"], each["filename"].removeprefix("./")): each for each in json.loads(done.stdout)["results"]
    }
    for key, each in found.items():
        if key not in JUSTIFIED:
            yield Finding(f"{key[1]}:{each['line_number']} {key[0]} {each['issue_text']}")
    for rule, file in JUSTIFIED.keys() - found.keys():
        yield Finding(f"{rule} in {file} is justified and not there; take the line out of {Path(__file__).name}")


def missing_components() -> Iterator[Finding]:
    """Write the bill of materials of the bundle, and yield what it lacks."""
    locked = _run(_uv(), *EXPORT, "--no-dev").stdout
    SBOM.parent.mkdir(exist_ok=True)
    command = (str(PROGRAMS / "cyclonedx-py"), "requirements", "--output-reproducible", "--of", "JSON")
    done = _run(*command, "-o", str(SBOM), "-", stdin=locked)
    if done.returncode:
        yield Finding(f"there is no bill of materials: {done.stderr.strip()[-300:]}")
        return
    listed = {component["name"] for component in json.loads(SBOM.read_text())["components"]}
    deployed = {line.partition("==")[0].partition("[")[0] for line in locked.splitlines() if "==" in line}
    for name in sorted(deployed - listed):
        yield Finding(f"{name} is deployed and not in {SBOM.name}")


FOLDERS = ("cdk", "lambda_app", f"{LIBRARY}/src")
STEPS: Mapping[str, Callable[[], Iterator[Finding]]] = {
    "hashes in the locks": unlocked_packages,
    "hashes in files of requirements": unlocked_requirements,
    "build backend": unlocked_build,
    "bandit": suspicious_code,
    "bill of materials (.build/sbom.json)": missing_components,
    "pip-audit": vulnerable_python_packages,
    "npm audit": vulnerable_node_packages,
}


def _uv() -> str:
    installed = ROOT / ".tools" / "bin" / "uv"
    return str(installed) if installed.exists() else "uv"


def _run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=ROOT, check=False, timeout=300)


if __name__ == "__main__":
    raise SystemExit(main())
