"""What the rules judge, as plain values: settings, statements that were recorded, the catalogue of the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serverless_django.observability.plans import Node


@dataclass(frozen=True, slots=True)
class MiddlewareCost:
    path: str
    microseconds: float
    """Per request, beyond those before it."""

    queries: int


@dataclass(frozen=True, slots=True)
class AppUse:
    name: str
    unused_because: str
    """Empty if it is used, as far as one can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentStatement:
    """A statement of one route or task, sent `times` times from one line."""

    route: str
    sql: str
    site: str = ""
    advice: str = ""
    """What the ORM's own frames say, if it was an attribute that sent it."""

    times: int = 1
    slowest_ms: float = 0
    limit: int = 0
    offset: int = 0
    """Of the last time that it was sent; 0 if it has none."""

    plan: Node | None = None
    """None if it was not explained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    name: str
    rows: float
    dead_rows: float = 0
    scans: int = 0
    """By any index, since statistics were reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    table: str
    name: str
    columns: tuple[str, ...]
    """In their order, with direction: "author_id", "id DESC"."""

    is_unique: bool = False
    condition: str = ""
    """Of a partial index."""

    scans: int = 0
    most_common_share: float = 0
    """Share of the rows that have the most common value of the first column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known.  No rule complains about a field that is left out."""

    debug: bool = False
    uses_i18n: bool = False
    middleware: tuple[MiddlewareCost, ...] = ()
    apps: tuple[AppUse, ...] = ()
    session_engine: str = ""
    """Empty where no middleware reads sessions."""

    databases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Django's settings, without those that only tests read."""

    caches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    random_keys: tuple[str, ...] = ()
    """Models whose primary key is a random UUID."""

    statements: tuple[SentStatement, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    """Of the server: bytes, milliseconds or plain numbers."""

    memory_mb: int = 0
    """Of the server; 0 if not told."""
