"""Where this repository lies, and what a process of a test imports from it."""

import os
import sys
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1]
REPOSITORY = LIBRARY.parent


def import_path() -> str:
    """Return the folders of this repository that this process imports from, as PYTHONPATH of another one."""
    folders = (Path(entry).resolve() for entry in sys.path if entry)
    ours = (
        str(folder) for folder in folders if folder.is_relative_to(REPOSITORY) and "site-packages" not in folder.parts
    )
    return os.pathsep.join(dict.fromkeys(ours))
