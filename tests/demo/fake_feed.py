"""A feed in memory that answers what a phone sends, and does one thing wrong on request."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

from tests.demo.phone import Answer
from tests.demo.photographs import image_size

STORAGE = "http://storage.example/uploads"


@dataclass
class FakeFeed:
    """Stands for the system and for the wire: hand `send` to the phone."""

    fault: str = ""
    url: str = "http://api.example"
    photos: dict = field(default_factory=dict)
    posts: dict = field(default_factory=dict)
    following: set = field(default_factory=set)
    likes: set = field(default_factory=set)
    views: dict = field(default_factory=lambda: defaultdict(set))

    def issue_token(self, member):
        return member

    def totals(self):
        dead = {"Queue-likes-DeadLetters": 1 if self.fault == "dead letter" and self.likes else 0}
        return {"sqs invocations": 60, "sqs cold starts": 2, "sqs errors": 0, "Queue-likes": 0} | dead

    def send(self, method, url, *, headers=None, body=None):
        if url.startswith(STORAGE):
            return self._store(method, url, body)
        member = (headers or {}).get("Authorization", "").removeprefix("Bearer ")
        if (not member or member.startswith("forged")) and self.fault != "open door":
            return Answer(401, {}, b'{"message":"Unauthorized"}')
        status, reply = self._answer(method, urlsplit(url), member, json.loads(body or b"null"))
        return Answer(status, {}, b"" if reply is None else json.dumps(reply).encode())

    def _store(self, method, url, body):
        name = url.rpartition("/")[2]
        if method == "GET":
            return Answer(200, {}, b"torn" if self.fault == "torn rendition" else self.photos[name].file)
        self.photos[name].file = body
        return Answer(200, {}, b"")

    def _answer(self, method, url, member, body):
        match method, url.path.strip("/").split("/")[1:]:
            case "GET", ["members", handle]:
                followers = sum(1 for _, followed in self.following if followed == handle)
                return 200, {"handle": handle, "follower_count": followers}
            case "PUT", ["members", handle, "follow"]:
                self.following.add((member, handle))
                return 204, None
            case "GET", ["feed"]:
                return 200, self._page(member, parse_qs(url.query))
            case "POST", ["views"]:
                for view in body["views"]:
                    self.views[view["post_id"]].add(member)
                return 202, {"accepted": len(body["views"])}
            case request:
                return self._answer_about_posts(*request, member)

    def _answer_about_posts(self, method, path, member):
        match method, path:
            case "POST", ["photos"]:
                name = f"photo{len(self.photos)}"
                self.photos[name] = SimpleNamespace(file=None)
                return 201, {"photo": {"id": name}, "url": f"{STORAGE}/{name}", "headers": {}}
            case "GET", ["photos", name]:
                return 200, {"id": name} | self._photo(name)
            case "POST", ["posts"]:
                post = f"post{len(self.posts)}"
                self.posts[post] = member
                return 201, {"id": post}
            case "GET", ["posts", post]:
                return 200, self._post(post)
            case "PUT", ["posts", post, "like"]:
                self.likes.add((member, post))
                return 202, None
        raise AssertionError(f"a phone should not send {method} {path}")

    def _photo(self, name):
        try:
            width, height = image_size(self.photos[name].file)
        except OSError:
            if self.fault != "text accepted":
                return {"state": "rejected", "reason": "not an image", "width": None, "height": None}
            width, height = 10, 10
        size = {"width": width, "height": height}
        return {"state": "ready", "reason": None, **size, "renditions": [size | {"url": f"{STORAGE}/{name}"}]}

    def _post(self, post):
        likes = sum(1 for _, liked in self.likes if liked == post)
        extra = {"counted twice": 1, "lost": -1}.get(self.fault, 0)
        return {"like_count": likes + (extra if likes else 0), "view_count": len(self.views[post])}

    def _page(self, member, query):
        followed = {handle for follower, handle in self.following if follower == member}
        posts = [post for post in sorted(self.posts, reverse=True) if self.posts[post] in followed]
        if self.fault == "oldest first":
            posts.reverse()
        start, limit = int(query.get("cursor", ["0"])[0]), int(query.get("limit", ["20"])[0])
        more = start + limit < len(posts)
        page = [{"id": post} for post in posts[start : start + limit]]
        return {"posts": page, "next_cursor": str(start + limit) if more else None}
