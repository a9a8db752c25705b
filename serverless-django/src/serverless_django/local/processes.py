"""Child processes that never outlive us: each in its own group, ended with it, also when we crash."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ProcessError(RuntimeError):
    """A program that we need did not start, or ended too early."""


def die_with_parent(signal_number: int = signal.SIGKILL) -> Callable[[], None]:
    """Return a `preexec_fn` that lets the kernel send `signal_number` when the thread that started us ends (Linux)."""

    def preexec() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal_number)

    return preexec


def _enter_user_namespace() -> None:
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text("1000 0 1")
    Path("/proc/self/gid_map").write_text("1000 0 1")


@cache
def _user_namespace_works() -> bool:
    try:
        subprocess.run([sys.executable, "-c", ""], preexec_fn=_enter_user_namespace, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def unprivileged(signal_number: int = signal.SIGKILL) -> Callable[[], None]:
    """Return a `preexec` like `die_with_parent` that also runs root as an ordinary user, as PostgreSQL demands.

    The process gets `signal_number` when its parent ends.  Raise ProcessError if we are root and the kernel allows no
    user namespaces.
    """
    die = die_with_parent(signal_number)
    if os.geteuid() != 0:
        return die
    if not _user_namespace_works():
        raise ProcessError(
            "PostgreSQL does not run as root, and this kernel allows no user namespaces; use another user"
        )

    def preexec() -> None:
        _enter_user_namespace()
        die()

    return preexec


def start(
    command: Sequence[str | Path],
    *,
    log: Path | int,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    preexec: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in its own session, in `directory`, with `environment` as variables, and its output added to
    `log`.

    `preexec` runs in the new process before the command.
    """
    output: IO[bytes] | int = log if isinstance(log, int) else log.open("ab")
    try:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=directory,
            start_new_session=True,
            preexec_fn=preexec or die_with_parent(),
        )
    finally:
        if not isinstance(output, int):
            output.close()


def stop(process: subprocess.Popen[bytes], *, signal_number: int = signal.SIGTERM, patience_seconds: float = 5) -> None:
    """Send `signal_number` to `process`, and after `patience_seconds` kill its whole group."""
    if process.poll() is None:
        process.send_signal(signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_seconds)
    kill_group(process.pid)
    process.wait()


def kill_group(pid: int) -> None:
    """Kill the process group `pid`, frozen members included."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_until(
    ready: Callable[[], bool], *, process: subprocess.Popen[bytes], what: str, log: Path, within_seconds: float = 20
) -> None:
    """Poll `ready`, for `within_seconds` at most, while `process` lives; `what` names it in the error.

    Raise ProcessError with the end of `log` if the process ends or the time is over.
    """
    deadline = time.monotonic() + within_seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            state = f"ended with {process.returncode}" if process.returncode is not None else "is not ready"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise ProcessError(f"{what} {state} after {within_seconds:.0f} s at most; its log ends with:\n{tail}")
        time.sleep(0.02)
