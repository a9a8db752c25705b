"""A network of the environment's own, from which packets can vanish without a word.  Needs root on Linux."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """Two ends of a cable: ours has the address `host`, the environment's has `guest`."""

    name: str
    host: str
    guest: str

    @property
    def prefix(self) -> list[str]:
        """Return a command that runs another at the guest's end."""
        return ["ip", "netns", "exec", self.name]

    @contextlib.contextmanager
    def black_hole(self) -> Iterator[None]:
        """Drop what we would send to the guest: it gets no answer, no acknowledgement and no error."""
        _ip("route", "add", "blackhole", f"{self.guest}/32")
        try:
            yield
        finally:
            _ip("route", "del", "blackhole", f"{self.guest}/32")


@contextlib.contextmanager
def network() -> Iterator[Network | None]:
    """Lay the cable and take it away afterwards.  None where that is not allowed."""
    number = os.getpid() % 60_000
    name, subnet = f"chaos-{number}", f"10.{200 + number // 12_000}.{number // 50 % 240}"
    made = Network(name, f"{subnet}.{number % 50 * 4 + 1}", f"{subnet}.{number % 50 * 4 + 2}")
    try:
        _ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        _lay(made, f"ch{number}a", f"ch{number}b")
        yield made
    finally:
        _ip("netns", "del", name)


def _lay(made: Network, ours: str, theirs: str) -> None:
    _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", made.name)
    _ip("address", "add", f"{made.host}/30", "dev", ours)
    _ip("link", "set", ours, "up")
    _ip("-n", made.name, "address", "add", f"{made.guest}/30", "dev", theirs)
    _ip("-n", made.name, "link", "set", theirs, "up")
    _ip("-n", made.name, "link", "set", "lo", "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
