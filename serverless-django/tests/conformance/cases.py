"""What a case is, and how an adapter is held to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.replies import InvalidReplyError, Reply, reply_of
from tests.conformance.sources import SOURCES, Event
from tests.conformance.wire import WireRequest

type Handle = Callable[[Any], Any]
type Edit = Callable[[Event], Any]

ALL = tuple(SOURCES)
NOT_SINGLE = tuple(source for source in SOURCES if source != "alb_single")
"""Where a header or a key may be repeated."""

BALANCED = tuple(source for source in SOURCES if source.startswith("alb_"))
NOT_BALANCED = tuple(source for source in SOURCES if source not in BALANCED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An event, and what must come of it."""

    name: str
    source: str
    event: Any
    saw: Mapping[str, Any] = field(default_factory=dict)
    """What the view saw: fields of `echo`; of `headers` only those named, None for one that must not be there."""

    status: int | Sequence[int] = 200
    headers: Mapping[str, str | None] = field(default_factory=dict)
    """Of the reply; None for one that must not be there."""

    cookies: Sequence[str] | None = None
    """How each Set-Cookie begins."""

    body: bytes | None = None
    contains: Sequence[str] = ()
    lacks: Sequence[str] = ()
    base_path: str = "/"
    raises: bool = False
    """No gateway sent this event: an error is right, an answer is not."""

    @property
    def id(self) -> str:
        return f"{self.source}: {self.name}"


def cases(
    name: str,
    request: WireRequest,
    *,
    edit: Edit = lambda event: None,
    sources: Sequence[str] = ALL,
    **expectations: Any,
) -> list[Case]:
    """Return the case of `request` at each source; `edit` changes the event afterwards."""
    made = []
    for source in sources:
        event = SOURCES[source](request)
        edit(event)
        made.append(Case(name=name, source=source, event=event, **expectations))
    return made


def fault_of(case: Case, handle: Handle) -> str:
    """Return what is wrong with the answer that `handle` gives; empty if nothing is."""
    try:
        raw = handle(case.event)
    except Exception as error:  # noqa: BLE001 - any that escapes is the finding
        return "" if case.raises else f"{type(error).__name__} escapes: {error}"[:200]
    if case.raises:
        return "no error"
    try:
        reply = reply_of(raw, source=case.source)
    except (InvalidReplyError, ValueError) as error:
        return f"no valid reply: {error}"[:200]
    return next(filter(None, _faults(case, reply)), "")[:200]


def _faults(case: Case, reply: Reply) -> list[str]:
    wanted = (case.status,) if isinstance(case.status, int) else case.status
    if reply.status not in wanted:
        return [f"status {reply.status}"]
    return [*_reply_faults(case, reply), *(_saw_faults(case, reply.json) if case.saw else ())]


def _reply_faults(case: Case, reply: Reply) -> list[str]:
    text = reply.body.decode(errors="replace")
    faults = [
        f"header {name} is {reply.header(name)!r}"
        for name, value in case.headers.items()
        if reply.header(name) != value
    ]
    cookies = sorted(reply.headers.get("set-cookie", []))
    if case.cookies is not None and not _begin(cookies, case.cookies):
        faults.append(f"cookies are {cookies}")
    if case.body is not None and reply.body != case.body:
        faults.append(f"body is {reply.body[:60]!r}")
    faults += [f"no {part!r} in the body" for part in case.contains if part not in text]
    return faults + [f"{part!r} in the body" for part in case.lacks if part in text]


def _begin(values: Sequence[str], beginnings: Sequence[str]) -> bool:
    return len(values) == len(beginnings) and all(v.startswith(b) for v, b in zip(values, beginnings, strict=True))


def _saw_faults(case: Case, seen: Mapping[str, Any]) -> list[str]:
    faults = []
    for name, wanted in case.saw.items():
        found = seen[name]
        if name == "headers":
            found = {key: found.get(key) for key in wanted}
        if found != wanted:
            faults.append(f"{name} is {found!r}, not {wanted!r}")
    return faults
