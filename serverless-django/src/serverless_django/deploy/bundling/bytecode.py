"""Modules → bytecode that Lambda can use; its own program, because one of its settings belongs to a process.

Python's `compileall` would keep docstrings, or drop them together with the assertions.
"""

import ast
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from marshal import dumps
from pathlib import Path

DEPLOYED_AT = Path("/var/task")
UNCHECKED_HASH = (1).to_bytes(4, "little")
"""The zip has no times and /var/task cannot be written: bytecode checked against its source would be thrown away."""


def main(mode: str, folder: str) -> None:
    """Compile every module of `folder`.

    With the `mode` "packages" bytecode without docstrings replaces the modules, with "source" it is written beside
    them.
    """
    modules = sorted(Path(folder).rglob("*.py"))
    task = partial(_replace if mode == "packages" else _accompany, Path(folder))
    with ProcessPoolExecutor() as processes:
        list(processes.map(task, modules, chunksize=50))


def _replace(folder: Path, module: Path) -> None:
    source = module.read_bytes()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        _drop_docstring(node)
    module.with_suffix(".pyc").write_bytes(_bytecode(tree, source, module.relative_to(folder)))
    module.unlink()


def _accompany(folder: Path, module: Path) -> None:
    source, target = module.read_bytes(), Path(cache_from_source(str(module)))
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(_bytecode(ast.parse(source), source, module.relative_to(folder)))


def _drop_docstring(node: ast.AST) -> None:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
        # A body must not become empty, and a `from __future__` must stay the first statement.
        node.body[:1] = [] if len(node.body) > 1 else [ast.copy_location(ast.Pass(), node.body[0])]


def _bytecode(tree: ast.Module, source: bytes, path: Path) -> bytes:
    code = compile(tree, str(DEPLOYED_AT / path), "exec", dont_inherit=True)
    return MAGIC_NUMBER + UNCHECKED_HASH + source_hash(source) + dumps(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
