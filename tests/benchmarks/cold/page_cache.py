"""Files that the kernel has forgotten: what a function finds whose code was never read on its machine."""

import ctypes
import mmap
import os
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def drop(folder: Path) -> None:
    """Ask the kernel to forget the content of every file; needs no rights, unlike drop_caches."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            # Pages that were not written yet would stay.
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def share_in_memory(folder: Path) -> float:
    """Return which part of the files' pages the kernel still holds, 0 to 1."""
    counts = [_pages(path) for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    return sum(held for held, _ in counts) / max(1, sum(total for _, total in counts))


def _pages(path: Path) -> tuple[int, int]:
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) as map_,
    ):
        total = -(-len(map_) // mmap.PAGESIZE)
        held = (ctypes.c_ubyte * total)()
        view = (ctypes.c_char * len(map_)).from_buffer(map_)
        failed = _libc.mincore(ctypes.c_void_p(ctypes.addressof(view)), ctypes.c_size_t(len(map_)), held)
        del view
        if failed:
            raise OSError(ctypes.get_errno(), f"mincore of {path}")
        return sum(page & 1 for page in held), total
