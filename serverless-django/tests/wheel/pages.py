"""The code of a how-to page: fenced blocks, each of which names in its title the file that it is."""

import re
from pathlib import Path

HOW_TO = Path(__file__).resolve().parents[3] / "docs" / "how-to"


def files_of(page: str) -> dict[str, str]:
    """Return the text of each file on the page `page`, such as "extend-a-project.md", by its path in a project."""
    blocks = re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', (HOW_TO / page).read_text(), re.MULTILINE | re.DOTALL)
    names = [name for name, _ in blocks]
    assert len(set(names)) == len(names), f"{page} has a file twice: {names}"
    return dict(blocks)


def write_files(files: dict[str, str], root: Path) -> None:
    """Write `files` below `root`, each folder of modules with its `__init__.py`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in {
        path for name in files for path in (root / name).parents if path.is_relative_to(root / "lambda_app")
    }:
        (folder / "__init__.py").touch()


def commands_of(page: str) -> list[str]:
    """Return the lines of the page's blocks of shell commands."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (HOW_TO / page).read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]
