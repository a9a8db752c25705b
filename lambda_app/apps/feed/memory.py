"""A bound on the memory of this process while it works on a stranger's file: the last line, behind every check."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USED_PAGES = Path("/proc/self/statm")


@contextmanager
def limited_memory(more_bytes: int) -> Iterator[None]:
    """Let the process map at most `more_bytes` more than now: what would take more raises MemoryError instead.

    Without effect where there is no /proc, as on macOS.
    """
    if not USED_PAGES.exists():
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = int(USED_PAGES.read_text().split()[0]) * resource.getpagesize() + more_bytes
    # RLIM_INFINITY is -1 in Python, and smaller than every limit.
    resource.setrlimit(resource.RLIMIT_AS, (min({limit, soft, hard} - {resource.RLIM_INFINITY}), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
