"""A phone: one member's requests over real HTTP, with real files, each with a deadline."""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

REQUEST_TIMEOUT_SECONDS = 40
"""Longer than API Gateway waits, so that its own refusal is what we see."""

POLL_SECONDS = 0.1


class MismatchError(AssertionError):
    """The system did not do what it promises."""


def expect(what: str, *, expected: object, seen: object) -> None:
    """Raise MismatchError unless both are equal."""
    if expected != seen:
        raise MismatchError(f"{what}: expected {expected!r}, saw {seen!r}")


def eventually[T](
    read: Callable[[], T], holds: Callable[[T], bool], *, what: str, within_seconds: float, poll: float = POLL_SECONDS
) -> T:
    """Read until `holds`, and return what was read.  Raise MismatchError with the last value when time is over."""
    deadline = time.monotonic() + within_seconds
    while not holds(value := read()):
        if time.monotonic() > deadline:
            raise MismatchError(f"{what}: not within {within_seconds:g} s; saw last {value!r}")
        time.sleep(poll)
    return value


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP reply, read whole."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""

    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


def send(method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """Send one request over its own connection, as a phone that was asleep does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=REQUEST_TIMEOUT_SECONDS)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, target, body=body, headers=dict(headers or {}))
        reply = connection.getresponse()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def download(url: str) -> bytes:
    """Return the file behind a presigned URL.  Raise MismatchError if the storage refuses."""
    answer = send("GET", url)
    if answer.status != HTTPStatus.OK:
        raise MismatchError(f"{url} should answer 200, answered {answer.status} {answer.body[:500]!r}")
    return answer.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """Every method raises MismatchError if the API answers with another status than it promises."""

    url: str
    """Of the API, without a slash at its end."""

    member: str
    token: str

    def request(self, method: str, path: str, *, status: int, body: object = None) -> Any:
        """Send JSON and return the JSON of the reply."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        answer = send(method, f"{self.url}{path}", headers=headers, body=content)
        if answer.status != status:
            raise MismatchError(
                f"{self.member}: {method} {path} should answer {status}, "
                f"answered {answer.status} {answer.body[:500].decode(errors='replace')}"
            )
        return answer.json

    def upload(self, *, content_type: str, file: bytes, filename: str) -> str:
        """Ask for an upload, send the file straight to the storage, and return the photo's id."""
        asked = {"content_type": content_type, "size": len(file)}
        upload = self.request("POST", "/v1/photos", status=201, body=asked)
        answer = send("PUT", upload["url"], headers=upload["headers"], body=file)
        if answer.status != HTTPStatus.OK:
            raise MismatchError(f"the storage refused {filename} with {answer.status} {answer.body[:500]!r}")
        return str(upload["photo"]["id"])

    def photo(self, photo_id: str) -> Any:
        return self.request("GET", f"/v1/photos/{photo_id}", status=200)

    def settled_photo(self, photo_id: str, *, within_seconds: float) -> Any:
        """Return the photo once it is rendered or rejected."""
        return eventually(
            lambda: self.photo(photo_id),
            lambda photo: photo["state"] != "pending",
            what=f"photo {photo_id} leaves the state pending",
            within_seconds=within_seconds,
        )

    def publish(self, *, photo_id: str, caption: str) -> Any:
        return self.request("POST", "/v1/posts", status=201, body={"photo_id": photo_id, "caption": caption})

    def post(self, post_id: str) -> Any:
        return self.request("GET", f"/v1/posts/{post_id}", status=200)

    def profile(self, handle: str) -> Any:
        return self.request("GET", f"/v1/members/{handle}", status=200)

    def follow(self, handle: str) -> None:
        self.request("PUT", f"/v1/members/{handle}/follow", status=204)

    def like(self, post_id: str) -> None:
        self.request("PUT", f"/v1/posts/{post_id}/like", status=202)

    def view(self, post_ids: Sequence[str]) -> None:
        views = [{"post_id": post_id, "duration_ms": 1_500} for post_id in post_ids]
        accepted = self.request("POST", "/v1/views", status=202, body={"views": views})
        expect("views accepted", expected=len(views), seen=accepted["accepted"])

    def feed_pages(self, *, limit: int, max_pages: int = 100) -> Iterator[list[Any]]:
        """Yield the posts of each page, newest first, until there is no further one."""
        cursor: str | None = None
        for _ in range(max_pages):
            query = urlencode({"limit": limit} | ({"cursor": cursor} if cursor else {}))
            page = self.request("GET", f"/v1/feed?{query}", status=200)
            yield page["posts"]
            if (cursor := page["next_cursor"]) is None:
                return
        raise MismatchError(f"{self.member}: the feed has no end after {max_pages} pages")
