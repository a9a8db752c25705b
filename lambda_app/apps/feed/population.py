"""A feed of any size as a pure function of its number of posts: who exists, who follows whom, who liked what.

Member 0 is the celebrity, whom everyone follows.  Member 1 is the fan, who follows 5,000.  Readers, who follow 100
each, and authors come after them; the other members follow the celebrity alone.  Counters are exact by construction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

CELEBRITY, FAN, FIRST_READER = 0, 1, 2
FOLLOWS_PER_READER = 100
FOLLOWS_OF_FAN = 5_000
"""As many as a member may follow."""

POSTS_PER_AUTHOR = 20
CELEBRITY_POSTS_EVERY = 1_000

START_MS = 1_767_225_600_000
"""Midnight of 1 January 2026 in UTC: the first post.  Fixed, so that the same number gives the same rows forever."""

STEP_MS = 1_500
"""From one post to the next: ten million are half a year."""

MEMBER, PHOTO, POST, VIEW = range(4)
"""Kinds of ids: the same number gives four of them."""


def id_of(kind: int, number: int) -> str:
    """Return the UUIDv7 of a thing: in the order of its number, and random to look at."""
    noise = _mix(number * 4 + kind)
    moment = START_MS - (10**9 if kind == MEMBER else 0) + number * (1 if kind == MEMBER else STEP_MS)
    return f"{moment:012x}7{noise >> 52:03x}{0x8 | (noise >> 50) & 3:x}{noise & (1 << 60) - 1:015x}"


def uuid_of(kind: int, number: int) -> UUID:
    return UUID(id_of(kind, number))


def _mix(number: int) -> int:
    """Scatter `number` over 64 bits, as SplitMix64 does."""
    number = number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    number = (number ^ number >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return number ^ number >> 31


@dataclass(frozen=True)
class Population:
    """Everything that `posts` posts bring with them."""

    posts: int

    @cached_property
    def authors(self) -> int:
        return max(self.posts // POSTS_PER_AUTHOR, 10)

    @cached_property
    def readers(self) -> int:
        return max(self.posts // 200, 10)

    @cached_property
    def members(self) -> int:
        """Half as many as posts, or as many as the rules above need."""
        return max(self.posts // 2, self.first_author + self.authors)

    @property
    def first_author(self) -> int:
        return FIRST_READER + self.readers

    @cached_property
    def follows_per_reader(self) -> int:
        return min(FOLLOWS_PER_READER, self.authors)

    @cached_property
    def followed_by_fan(self) -> int:
        """Authors, beside the celebrity."""
        return min(FOLLOWS_OF_FAN - 1, self.authors)

    # --- one thing each -----------------------------------------------------------------------------------------------

    def followed_by(self, member: int) -> Iterator[int]:
        if member != CELEBRITY:
            yield CELEBRITY
        if member == FAN:
            yield from range(self.first_author, self.first_author + self.followed_by_fan)
        if FIRST_READER <= member < self.first_author:
            start = (member - FIRST_READER) * self.follows_per_reader
            for place in range(start, start + self.follows_per_reader):
                yield self.first_author + place % self.authors

    def following_count(self, member: int) -> int:
        if member == FAN:
            return 1 + self.followed_by_fan
        is_reader = FIRST_READER <= member < self.first_author
        return (member != CELEBRITY) + is_reader * self.follows_per_reader

    def follower_count(self, member: int) -> int:
        if member == CELEBRITY:
            return self.members - 1
        place = member - self.first_author
        if not 0 <= place < self.authors:
            return 0
        rounds, rest = divmod(self.readers * self.follows_per_reader, self.authors)
        return rounds + (place < rest) + (place < self.followed_by_fan)

    def author_of(self, post: int) -> int:
        if post % CELEBRITY_POSTS_EVERY == 0:
            return CELEBRITY
        # Squared: few authors post much, many post little.
        part = (_mix(post) & 0xFFFFFFFF) / 0x100000000
        return self.first_author + int(part * part * self.authors)

    def likes_of(self, post: int) -> list[int]:
        """Return the members who like `post`: none to three."""
        noise = _mix(post ^ 0x5EED)
        return [(noise + index) % self.members for index in range(noise >> 60 & 3)]

    def viewers_of(self, post: int) -> list[int]:
        noise = _mix(post ^ 0xC0FFEE)
        return [(noise + index) % self.members for index in range(noise >> 60 & 1)]
