"""The log lines of every function, followed as they are written, and found by an id."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

type Line = dict[str, Any]

MAX_BYTES_PER_READ = 4_000_000
IDS = ("correlation_id", "function_request_id", "trace_id", "message_id", "call")


@dataclass
class LogTail:
    """Follows every `folder`/SOURCE/FUNCTION.log from where it ends now; new files from their beginning."""

    folder: Path
    _offsets: dict[Path, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._offsets = {path: path.stat().st_size for path in self.folder.glob("*/*.log")}

    def read(self) -> list[Line]:
        """Return what was written since the last call, whole lines only."""
        return [line for path in sorted(self.folder.glob("*/*.log")) for line in self._read(path)]

    def _read(self, path: Path) -> Iterator[Line]:
        offset = self._offsets.get(path, 0)
        if path.stat().st_size <= offset:
            return
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(MAX_BYTES_PER_READ)
        whole = content.rfind(b"\n") + 1
        # A line without an end that is longer than what is read at once is dropped.
        self._offsets[path] = offset + (whole or (len(content) if len(content) == MAX_BYTES_PER_READ else 0))
        for text in content[:whole].splitlines():
            yield parse(text, source=path.parent.name)


def parse(text: bytes, *, source: str) -> Line:
    """Return the fields of the log line `text` of the function `source`.

    A line that is not JSON, as a crashing interpreter writes it, becomes the message.
    """
    try:
        line = msgspec.json.decode(text)
    except msgspec.DecodeError:
        line = None
    if not isinstance(line, dict):
        line = {"level": "TEXT", "message": text.decode(errors="replace")}
    return line | {"function": source}


def find(folder: Path, wanted: str) -> list[Line]:
    """Return the lines in the logs of `folder` that have the id `wanted`, oldest first.

    The id of one invocation finds the request that began it, and so all lines of that request.
    """
    found = _lines_with(folder, wanted)
    origins = {line["correlation_id"] for line in found if "correlation_id" in line} - {wanted}
    for origin in sorted(origins):
        found += [line for line in _lines_with(folder, origin) if line not in found]
    return sorted(found, key=lambda line: str(line.get("timestamp", "")))


def _lines_with(folder: Path, wanted: str) -> list[Line]:
    needle, found = json.dumps(wanted)[1:-1].encode(), []
    for path in sorted(folder.glob("*/*.log")):
        with path.open("rb") as file:
            found += [parse(text, source=path.parent.name) for text in file if needle in text]
    return [line for line in found if bears(line, wanted)]


def bears(line: Mapping[str, Any], wanted: str) -> bool:
    """Return whether one of the ids of `line` is `wanted`."""
    return any(line.get(name) == wanted for name in IDS) or wanted in line.get("correlation_ids", ())


def one_line(line: Mapping[str, Any], *, paint: Callable[[str, str], str] = lambda text, _: text) -> str:
    """Return `line` as text for people: time, function, level and message, in the colours of `paint`."""
    moment = str(line.get("timestamp", ""))[11:23]
    level = str(line.get("level", ""))
    colour = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow", "TEXT": "yellow"}.get(level, "dim")
    return f"{paint(f'{moment:<12}', 'dim')} {line['function']:<11} {paint(f'{level:<8}', colour)} {_said(line)}"


def _said(line: Mapping[str, Any]) -> str:
    if line.get("message") != "invocation":
        message = line.get("message", "")
        text = message if isinstance(message, str) else json.dumps(message)
        exception = line.get("exception")
        return f"{text}\n{exception}" if exception else text
    names = ("route", "status", "messages", "failed", "error")
    facts = [
        f"{name} {line[name]}" if name not in {"route", "status"} else f"{line[name]}" for name in names if name in line
    ]
    cold = "  cold" if line.get("cold_start") else ""
    sql = f"{line.get('queries', 0)} queries {line.get('sql_ms', 0):.1f} ms"
    return f"{'  '.join(facts)}  {line.get('duration_ms', 0):.1f} ms  {sql}{cold}"
