"""`make house`: sizes and shape of the code, as figures with goals; a test holds the goals."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from tests.figures import write_figures

PROJECT = Path(__file__).resolve().parents[2]
LIBRARY = PROJECT / "serverless-django"
PACKAGE = LIBRARY / "src" / "serverless_django"

SHORT_MODULE_LINES = 40
DIALECT = re.compile(
    r"(?<![a-z])(nobody|anybody|somebody|everybody|whoever|whichever|meanwhile|anew|lest"
    r"|for[ _]ever|of[ _](its|their|one's)[ _]own"
    r"|(is|are|was|were|be|been|being)[ _]away)(?![a-z])",
    re.IGNORECASE,
)
"""Words that stood for a clearer one: who, which, or what is unavailable."""

GOALS = {
    "project_lines": "<= 250",
    "folder_circles": "== 0",
    "feed_mentions_in_library": "== 0",
    "function_lines_p90": "<= 25",
    "function_lines_max": "<= 50",
    "modules_under_40_lines": "<= 23",
    "functions_documented": ">= 0.95",
    "dialect_words": "== 0",
}


def measure() -> dict[str, float]:
    """Return every figure of the house."""
    modules = sorted(PACKAGE.rglob("*.py"))
    functions = [explained for module in modules for _, explained in documented_functions(module.read_text())]
    lengths = sorted(length for module in modules for length in function_lengths(module.read_text()))
    owned = list(owned_files(PROJECT))
    return {
        "project_lines": sum(_lines(path) for path in owned),
        "files_owned": len(owned),
        "library_lines": sum(_lines(path) for path in modules),
        "folder_circles": len(circles(folder_imports(PACKAGE))),
        "feed_mentions_in_library": len(list(feed_mentions(LIBRARY))),
        "function_lines_p90": lengths[len(lengths) * 9 // 10],
        "function_lines_max": lengths[-1],
        "modules_under_40_lines": sum(
            _lines(path) < SHORT_MODULE_LINES for path in modules if path.name != "__init__.py"
        ),
        "functions_documented": round(sum(functions) / len(functions), 3),
        "dialect_words": len(list(dialect_words(PROJECT))),
    }


def owned_files(project: Path) -> Iterator[Path]:
    """Yield the files of the project's deployment, without the app that it deploys."""
    yield project / "cdk.json"
    for folder in ("cdk", "lambda_app"):
        for path in sorted((project / folder).rglob("*.py")):
            if "apps" not in path.relative_to(project).parts and path.read_text().strip():
                yield path


def function_lengths(source: str) -> Iterator[int]:
    """Yield the lines of each function in `source`, its docstring and decorators included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.end_lineno - node.lineno + 1


def documented_functions(source: str) -> Iterator[tuple[str, bool]]:
    """Yield each public function of `source` that has parameters, and whether its docstring names them.

    A parameter is explained where its type has its name, as in `message: TaskMessage`.  A method without a docstring
    of a class with bases has the docstring of the method that it overrides, and is not counted.
    """
    module = ast.parse(source)
    owners: list[ast.Module | ast.ClassDef] = [module]
    owners += [node for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for owner in owners:
        for function in owner.body:
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or function.name.startswith("_"):
                continue
            # The parameters of a fixture are other fixtures; those of an overload are the function's.
            if {"overload", "pytest.fixture"} & {
                ast.unparse(node).partition("(")[0] for node in function.decorator_list
            }:
                continue
            if (docstring := _docstring(function)) is None and isinstance(owner, ast.ClassDef) and owner.bases:
                continue
            if parameters := [parameter for parameter in _parameters(function) if parameter.arg not in {"self", "cls"}]:
                yield function.name, all(_is_explained(parameter, docstring or "") for parameter in parameters)


def _docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """Return the docstring of `function`, or the help of a command or of its options, which click prints."""
    texts = [ast.get_docstring(function)]
    for decorator in function.decorator_list:
        keywords = getattr(decorator, "keywords", ())
        texts.extend(ast.unparse(decorator) for keyword in keywords if keyword.arg == "help")
    return " ".join(text for text in texts if text) or None


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.arg]:
    yield from (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)


def _is_explained(parameter: ast.arg, docstring: str) -> bool:
    name = parameter.arg.strip("_")
    type_name = ast.unparse(parameter.annotation) if parameter.annotation else ""
    type_words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type_name).lower()
    words = name.replace("_", "[_ -]")
    named_by_type = re.search(rf"(?<![a-z]){name}(?![a-z])", type_words)
    return bool(named_by_type or re.search(rf"\b{words}\b", docstring, re.IGNORECASE))


def dialect_words(project: Path) -> Iterator[str]:
    """Yield each line under version control that has a word of `DIALECT`."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=project, check=True, capture_output=True, text=True).stdout
    for path in map(Path, sorted(names.split("\0"))):
        if (
            path.suffix in {".py", ".md", ".html", ".js", ".css", ".toml", ".mk", ".yml", ".yaml"}
            or path.name == "Makefile"
        ):
            if not (project / path).exists() or path.name in {"house.py", "test_house.py"}:
                continue
            for number, line in enumerate((project / path).read_text().splitlines(), start=1):
                if DIALECT.search(line):
                    yield f"{path}:{number}: {line.strip()}"


def feed_mentions(library: Path) -> Iterator[str]:
    """Yield each line of the library, of its tests and of its docs that names the example."""
    for path in sorted(library.rglob("*")):
        if path.suffix in {".py", ".md", ".toml", ".html", ".js", ".json"} and path.is_file() and _is_ours(path):
            for number, line in enumerate(path.read_text().splitlines(), start=1):
                # Django's syndication has feeds of its own.
                if re.search(r"\bfeed\b|photo", line, re.IGNORECASE) and "syndication" not in line:
                    yield f"{path.relative_to(library)}:{number}: {line.strip()}"


def folder_imports(package: Path) -> Mapping[str, set[str]]:
    """Return which folders of `package` each folder imports from, at any place of its modules."""
    names = {path.name for path in package.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    imports: dict[str, set[str]] = {name: set() for name in sorted(names)}
    for name in imports:
        for module in (package / name).rglob("*.py"):
            found = re.findall(rf"^\s*(?:from|import) {package.name}\.(\w+)", module.read_text(), re.MULTILINE)
            imports[name] |= {other for other in found if other in names and other != name}
    return imports


def circles(imports: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return the circles among `imports`, each once, beginning at its first name."""
    found = set()

    def walk(path: tuple[str, ...]) -> None:
        for name in imports[path[-1]]:
            if name == path[0]:
                found.add(path)
            elif name > path[0] and name not in path:
                walk((*path, name))

    for name in imports:
        walk((name,))
    return sorted(found, key=lambda path: (len(path), path))


def _is_ours(path: Path) -> bool:
    return not {"node_modules", "__pycache__", "dist"} & set(path.parts) and path.name not in {
        "house.py",
        "test_house.py",
    }


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def main() -> int:
    """Print the figures and what breaks a goal; return 0 if every goal is met, else 1."""
    for circle in circles(folder_imports(PACKAGE)):
        print("circle:", " → ".join(name for pair in pairwise((*circle, circle[0])) for name in pair[:1]))
    for mention in feed_mentions(LIBRARY):
        print("names the example:", mention)
    if "--words" in sys.argv:
        print(*dialect_words(PROJECT), sep="\n")
        for module in sorted(PACKAGE.rglob("*.py")):
            for name, explained in documented_functions(module.read_text()):
                if not explained:
                    print(f"{module.relative_to(PACKAGE)}: {name} has a parameter that its docstring does not name")
    return 0 if write_figures("house", measure(), GOALS) else 1


if __name__ == "__main__":
    sys.exit(main())
