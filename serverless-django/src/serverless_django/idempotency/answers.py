"""A request and its key → the answer that was stored for it, or the right to make one, within a transaction.

The request that makes the answer holds a lock until its transaction ends: it goes with the commit, the
rollback or the death of its holder, so that no clock decides whether a request is still at work.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from hashlib import sha256
from typing import Self

from serverless_django.postgresql.cursors import run_statement

KEPT = timedelta(hours=24)
"""At least; what is older goes with the daily purge."""

TRY_LOCK = "SELECT pg_try_advisory_xact_lock(%s)"
FIND = "SELECT fingerprint, status, headers::text, body FROM serverless_answer WHERE key = %s"
STORE = """
    INSERT INTO serverless_answer (key, fingerprint, status, headers, body) VALUES (%s, %s, %s, %s::jsonb, %s)
"""
PURGE = "DELETE FROM serverless_answer WHERE created_at < statement_timestamp() - %s::interval"


class State(Enum):
    OPEN = "there is no answer; the caller may make it, and holds the lock until its transaction ends"
    IN_FLIGHT = "another request is about to answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent again."""

    fingerprint: bytes
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What identifies a request for a day: who asks, and what they named it."""

    digest: bytes

    @classmethod
    def of(cls, *, issuer: str, subject: str, name: str) -> Self:
        """Return the key of what `subject`, a user of `issuer`, calls `name` in the header Idempotency-Key."""
        return cls(sha256("\0".join((issuer, subject, name)).encode()).digest())

    @property
    def lock(self) -> int:
        """A number of 64 bits: two requests that share it by chance wait for nothing, one is asked to come again."""
        return int.from_bytes(self.digest[:8], signed=True)


def claim(key: RequestKey) -> Answer | State:
    """Return the answer that is stored for `key`, or whether the caller may make one.

    Call it first in the transaction of the effect.
    """
    [(is_mine,)] = run_statement(TRY_LOCK, [key.lock])
    # After the lock, with its own snapshot: what its last holder committed is seen.
    if rows := run_statement(FIND, [key.digest]):
        [(fingerprint, status, headers, body)] = rows
        return Answer(bytes(fingerprint), status, [(name, value) for name, value in json.loads(headers)], bytes(body))
    return State.OPEN if is_mine else State.IN_FLIGHT


def store(key: RequestKey, answer: Answer) -> None:
    """Keep `answer`, in the transaction that claimed `key`."""
    headers = json.dumps(list(answer.headers))
    run_statement(STORE, [key.digest, answer.fingerprint, answer.status, headers, answer.body])


def purge() -> None:
    """Forget what is older than KEPT, by the clock of the database."""
    run_statement(PURGE, [KEPT])
