"""The working copy under the deployed functions: an edited file takes effect at the next invocation."""

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from serverless_django.contract.resources import Topology
from serverless_django.deploy.bundling import LIBRARY, copy_source, source_files, source_folders
from serverless_django.deploy.project import Project

LOOK_SECONDS = 0.2
"""An edit is seen this late at most; a look costs some hundred calls of stat."""

DEPLOYED_BY = ("cdk", "cdk.json", "uv.lock")
DEPLOYED_BY_LIBRARY = ("contract", "deploy")
"""What decides the template beside the topology: a change there needs a deploy, not just fresh environments."""


def fingerprint_of_template(project: Project) -> str:
    """Return a digest of everything that the template of a stage is made from, the handlers' code excepted."""
    folders = [project.root / name for name in DEPLOYED_BY] + [LIBRARY / name for name in DEPLOYED_BY_LIBRARY]
    return _digest(file for path in (*folders, *_topology_files(project)) for file in _files(path))


def fingerprint_of_source(project: Project) -> str:
    """Return a digest of the code that is deployed, from its contents."""
    return _digest(file.path for file in source_files(project))


def _topology_files(project: Project) -> list[Path]:
    """Return the files of the modules that hold the project's topology."""
    holders = [module for module in list(sys.modules.values()) if _holds(module, project.topology)]
    files = {Path(file) for module in holders if (file := getattr(module, "__file__", None))}
    return sorted(file for file in files if file.is_relative_to(project.root))


def _holds(module: object, topology: Topology) -> bool:
    return any(value is topology for value in vars(module).values())


@dataclass
class Source:
    """Where each version's code lies: as deployed, or with the edited sources in it."""

    project: Project
    code: Path
    """Folder of unpacked code, a folder per hash."""

    deployed: str
    """`fingerprint_of_source` of what was deployed last."""

    follows_edits: bool = True
    """Otherwise each version runs the code that came with it, and an edit waits for a deploy."""

    _attempted: str = field(default="", init=False)
    _is_deploying: bool = field(default=False, init=False)
    _looked_at: float = field(default=0, init=False)
    _stamp: tuple[tuple[str, int, int], ...] = field(default=(), init=False)
    _current: str = field(default="", init=False)

    def root_of(self, code_sha256: str) -> Path:
        """Return the folder that an environment of the code `code_sha256` should run from now."""
        unpacked = self.code / code_sha256
        if (
            self._is_deploying
            or not self.follows_edits
            or (current := self.current()) in (self.deployed, self._attempted)
        ):
            return unpacked
        edited = self.code / f"{code_sha256}.edited-{current[:16]}"
        if not edited.exists():
            _lay_over(self.project, unpacked, edited)
        return edited

    @contextmanager
    def deploying(self, source: str) -> Iterator[None]:
        """Let each version run the code that came with it while `source` is deployed, as on AWS.

        So the old version answers until its alias moves, and takes over again if the deploy fails: what did
        not deploy is laid over nothing until the next edit.
        """
        self._attempted, self._is_deploying = source, True
        try:
            yield
        finally:
            self._is_deploying = False

    def current(self) -> str:
        """Return the fingerprint of the working copy, looked at again after LOOK_SECONDS."""
        if (now := time.monotonic()) - self._looked_at > LOOK_SECONDS:
            self._looked_at = now
            if (stamp := _stamp(self.project)) != self._stamp:
                self._stamp, self._current = stamp, fingerprint_of_source(self.project)
        return self._current


def _lay_over(project: Project, unpacked: Path, edited: Path) -> None:
    """Make `edited`: everything of `unpacked` by reference, but the sources as they are now."""
    draft = edited.with_name(f"{edited.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for entry in unpacked.iterdir():
        if entry.name not in source_folders(project):
            (draft / entry.name).symlink_to(entry)
    copy_source(project, draft)
    draft.rename(edited)


def _stamp(project: Project) -> tuple[tuple[str, int, int], ...]:
    walks = [os.walk(folder) for folder in source_folders(project).values()]
    entries = []
    for folder, folders, files in chain.from_iterable(walks):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            path = f"{folder}/{name}"
            status = os.stat(path)  # noqa: PTH116 (a hot path: no Path per file)
            entries.append((path, status.st_mtime_ns, status.st_size))
    return tuple(sorted(entries))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
