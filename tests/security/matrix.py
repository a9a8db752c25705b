"""Who may do what to whose objects: every route of the URL configuration, every principal, every kind of object.

A route that has no row here fails `test_every_route_has_a_row`; there is no way to leave one out.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import PathView

from lambda_app.apps.feed.models import Follow, Like, Member, Photo, Post
from tests.integration.feed.conftest import make_member, make_photo, make_post
from tests.security.calls import Answer, call

type Route = tuple[str, str]
"""Method and path, such as ("GET", "/v1/posts/{post_id}")."""

type Statuses = Mapping[str, int]
"""What each kind of object answers."""

PRINCIPALS: Mapping[str, Mapping[str, Any] | None] = {
    "anonymous": None,
    "member": {"sub": "subject-of-ada", "preferred_username": "ada"},
    "other member": {"sub": "subject-of-bob", "preferred_username": "bob"},
    "blocked": {"sub": "subject-of-eve", "preferred_username": "eve"},
    # A machine has its own credentials and no name that a member could have.
    "service": {"sub": "1example23456789", "client_id": "1example23456789", "scope": "jobs/run"},
    "token without subject": {"preferred_username": "ada"},
    "token with an odd subject": {"sub": "a\x00da", "preferred_username": "ada"},
}


@dataclass(frozen=True, slots=True)
class World:
    """Objects of ada and of bob: what the paths and bodies of requests can name."""

    private_photo: str
    posted_photo: str
    post: str
    handle: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """`own` and `others` say what a member gets for their own object and for another member's."""

    own: Statuses
    others: Statuses = field(default_factory=dict)
    is_public: bool = False
    path: Callable[[World, str], str] | None = None
    body: Callable[[World, str], object] = lambda world, kind: None


def _same(status: int, *kinds: str) -> Statuses:
    return dict.fromkeys(kinds or ("-",), status)


def _post_path(suffix: str = "") -> Callable[[World, str], str]:
    return lambda world, kind: f"/v1/posts/{world.post}{suffix}"


def _member_path(suffix: str = "") -> Callable[[World, str], str]:
    return lambda world, kind: f"/v1/members/{world.handle}{suffix}"


def _photo_of(world: World, kind: str) -> str:
    return {"private": world.private_photo, "posted": world.posted_photo}[kind]


PUBLIC = Row(own=_same(200), is_public=True)

ROWS: Mapping[Route, Row] = {
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/v1/openapi.json"): PUBLIC,
    ("GET", "/v1/docs"): PUBLIC,
    ("GET", "/v1/docs/{name}"): Row(
        own=_same(200), is_public=True, path=lambda world, kind: "/v1/docs/swagger-ui-init.js"
    ),
    ("GET", "/v1/shared/{post_id}"): Row(
        own=_same(200, "post"),
        others=_same(200, "post"),
        is_public=True,
        path=lambda world, kind: f"/v1/shared/{world.post}",
    ),
    ("GET", "/v1/feed"): Row(own=_same(200)),
    ("GET", "/v1/posts"): Row(own=_same(200)),
    ("POST", "/v1/posts"): Row(
        own={"private": 201, "posted": 200},
        others={"private": 404, "posted": 404},
        body=lambda world, kind: {"photo_id": _photo_of(world, kind)},
    ),
    ("GET", "/v1/posts/{post_id}"): Row(own=_same(200, "post"), others=_same(200, "post"), path=_post_path()),
    ("DELETE", "/v1/posts/{post_id}"): Row(own=_same(204, "post"), others=_same(404, "post"), path=_post_path()),
    ("PUT", "/v1/posts/{post_id}/like"): Row(
        own=_same(202, "post"), others=_same(202, "post"), path=_post_path("/like")
    ),
    ("DELETE", "/v1/posts/{post_id}/like"): Row(
        own=_same(202, "post"), others=_same(202, "post"), path=_post_path("/like")
    ),
    ("POST", "/v1/views"): Row(
        own=_same(202, "post"),
        others=_same(202, "post"),
        body=lambda world, kind: {"views": [{"post_id": world.post}]},
    ),
    ("GET", "/v1/members/{handle}"): Row(own=_same(200, "member"), others=_same(200, "member"), path=_member_path()),
    ("GET", "/v1/members/{handle}/posts"): Row(
        own=_same(200, "member"), others=_same(200, "member"), path=_member_path("/posts")
    ),
    ("PUT", "/v1/members/{handle}/follow"): Row(
        own=_same(409, "member"), others=_same(204, "member"), path=_member_path("/follow")
    ),
    ("DELETE", "/v1/members/{handle}/follow"): Row(
        own=_same(204, "member"), others=_same(204, "member"), path=_member_path("/follow")
    ),
    ("POST", "/v1/photos"): Row(own=_same(201), body=lambda world, kind: {"content_type": "image/png", "size": 1}),
    ("GET", "/v1/photos/{photo_id}"): Row(
        own={"private": 200, "posted": 200},
        others={"private": 404, "posted": 200},
        path=lambda world, kind: f"/v1/photos/{_photo_of(world, kind)}",
    ),
}

REFUSED: Mapping[str, int] = {
    "anonymous": 401,
    "blocked": 403,
    "service": 403,
    "token without subject": 401,
    "token with an odd subject": 401,
}
"""Principals that get no further, whatever they ask for."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One route, asked by one principal for one object of ada's or bob's."""

    route: Route
    principal: str
    owner: str
    kind: str
    expected: int

    def __str__(self) -> str:
        method, path = self.route
        return f"{method} {path}, {self.principal}, {self.kind} of {self.owner}"


def routes_of(patterns: Any = None, prefix: str = "/") -> Iterator[Route]:
    """Yield every route of the URL configuration, as a client could ask for it."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + _readable(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from routes_of(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and not _is_index(pattern):
            yield from ((method, path) for method in _methods_of(pattern.callback))


def missing_rows(rows: Mapping[Route, Row] = ROWS) -> set[Route]:
    """Return the routes without a row that says who may ask for what, and the rows of routes that are gone."""
    return set(routes_of()) ^ set(rows)


def cells(rows: Mapping[Route, Row] = ROWS) -> Iterator[Cell]:
    for route, row in rows.items():
        for principal in PRINCIPALS:
            for owner, statuses in _statuses_for(row, principal).items():
                for kind, status in statuses.items():
                    refused = None if row.is_public else REFUSED.get(principal)
                    yield Cell(route, principal, owner, kind, refused or status)


def violation(cell: Cell, worlds: Mapping[str, World]) -> str | None:
    """Ask, and return what is wrong with the answer, if anything."""
    before = _traces()
    answer = ask(cell, worlds)
    if answer.status != cell.expected:
        return f"{cell}: expected {cell.expected}, got {answer.status} {answer.body[:200]}"
    if answer.status >= 400 and _traces() != before:
        return f"{cell}: refused with {answer.status}, and yet something changed"
    return None


def violations(worlds: Mapping[str, World], asked: Iterable[Cell]) -> list[str]:
    """Return what is wrong with the answers, each asked in the same world."""
    return [fault for cell in asked if (fault := _undone(lambda cell=cell: violation(cell, worlds)))]  # type: ignore[misc]


def _undone[T](run: Callable[[], T]) -> T:
    with transaction.atomic():
        result = run()
        transaction.set_rollback(True)
    return result


def make_worlds() -> dict[str, World]:
    """Make ada and bob with an object of each kind, and eve, who is blocked."""
    Member.objects.create(subject="subject-of-eve", handle="eve", is_active=False)
    return {handle: _world_of(handle) for handle in ("ada", "bob")}


def _world_of(handle: str) -> World:
    owner, post = make_member(handle), make_post(handle)
    return World(str(make_photo(owner).id), str(post.photo_id), str(post.id), handle)


def ask(cell: Cell, worlds: Mapping[str, World], path: str = "") -> Answer:
    row, world = ROWS[cell.route], worlds[cell.owner]
    method, template = cell.route
    address = path or (row.path(world, cell.kind) if row.path else template)
    return call(method, address, claims=PRINCIPALS[cell.principal], body=row.body(world, cell.kind))


def _statuses_for(row: Row, principal: str) -> Mapping[str, Statuses]:
    if not row.others:
        return {"ada": row.own}
    # bob asks for the same objects, of which the others are now his own.
    mine = "bob" if principal == "other member" else "ada"
    return {owner: row.own if owner == mine else row.others for owner in ("ada", "bob")}


def _traces() -> tuple[int, ...]:
    models = (Post, Photo, Follow, Like)
    counts = [model.objects.count() for model in models]  # type: ignore[attr-defined]
    return (*counts, Photo.objects.filter(is_posted=True).count(), Member.objects.filter(is_active=True).count())


def _methods_of(view: Any) -> list[str]:
    owner = getattr(view, "__self__", None) or next(
        (
            cell.cell_contents
            for cell in getattr(view, "__closure__", None) or ()
            if isinstance(cell.cell_contents, PathView)
        ),
        None,
    )
    if isinstance(owner, PathView):
        return [method for operation in owner.operations for method in operation.methods]
    return ["GET"]


def _is_index(pattern: URLPattern) -> bool:
    # ninja's name for the address of the API, which it does not answer.
    return pattern.name == "api-root"


def _readable(pattern: str) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)
