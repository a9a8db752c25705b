"""Events that no gateway sends: sound ones, broken at random places by a hypothesis."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.conformance.sources import SOURCES
from tests.conformance.wire import WireRequest

REQUESTS = [
    WireRequest(query="a=1&b=%CE%BB", headers=[("Cookie", "a=1; b=2"), ("X-Name", "José")]),
    WireRequest(method="POST", headers=[("Content-Type", "application/json")], body=b'{"a": 1}'),
    WireRequest(method="PUT", headers=[("Content-Type", "image/png")], body=b"\x89PNG"),
]

EVENTS = [event_of(request) for event_of in SOURCES.values() for request in REQUESTS]

# Text with halves of surrogate pairs and control characters: JSON can carry both.
TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["", "2.0", "1.0", "GET", "/echo", "%", "\ud800", "\0", "a\r\nb", "=", "::", "unknown", "YWJj"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=5
)
STEPS = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(["replace", "replace", "delete", "rename", "add"]), TEXT, JUNK),
    min_size=1,
    max_size=4,
)


@st.composite
def mutated_events(draw: st.DrawFn) -> Any:
    """Return an event with one to four faults, or, rarely, nothing like an event."""
    if draw(st.integers(0, 49)) == 0:
        return draw(JUNK)
    event = copy.deepcopy(draw(st.sampled_from(EVENTS)))
    for place, change, name, value in draw(STEPS):
        _break(event, place, change, name, value)
    return event


def _break(event: Any, place: int, change: str, name: str, value: Any) -> None:
    places = list(_places(event))
    if not places:
        return
    parent, key = places[place % len(places)]
    if change == "replace":
        parent[key] = value
    elif change == "delete":
        del parent[key]
    elif change == "add" and isinstance(parent, dict):
        parent[name] = value
    elif change == "rename" and isinstance(parent, dict):
        parent[name] = parent.pop(key)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    items: Sequence[tuple[Any, Any]] = []
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, list):
        items = list(enumerate(node))
    for key, value in items:
        yield node, key
        yield from _places(value)
