"""The values of a statement, at each length that a statement can have."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from psycopg.types.range import Range

STORED = 3
"""Rows of the table; every other id is of none."""


@dataclass(frozen=True)
class Size:
    """How many values a statement carries beside its own, and how long its own are."""

    name: str
    id_count: int = 3
    repetitions: int = 1

    @property
    def ids(self) -> list[UUID]:
        return [UUID(int=number) for number in range(1, self.id_count + 1)]

    @property
    def strings(self) -> list[str]:
        """Short strings, of which only the first are stored: see `models.thing`."""
        return [f"Thing número {number}" for number in range(1, self.id_count + 1)]

    def text(self, text: str = "some text") -> str:
        return text * self.repetitions

    @property
    def words(self) -> list[str]:
        return ["first word", "lasting word"] * self.repetitions

    @property
    def document(self) -> dict[str, object]:
        return {"name": self.text("Thing 1"), "tags": ["red", "it's \\ 100%"] * self.repetitions}

    # The same at each size, and longer than a placeholder.
    day = date(2026, 1, 2)
    moment = datetime(2026, 1, 2, 12, 30, 15, 500, tzinfo=UTC)
    clock = time(1, 30)
    span = timedelta(days=1, seconds=5)
    number = 1_234_567
    big = 10**12 + 1
    negative = -7_654_321
    ratio = 1.2345678901
    amount = Decimal("12345.6789")
    id = UUID(int=1)
    numbers_range = Range(1, 1_234_567)
    days_range = Range(date(2026, 1, 1), date(2026, 2, 1))
    moments_range = Range(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    amounts_range = Range(Decimal("0.25"), Decimal("12345.678"))


FEW = Size("few")
MANY = Size("many", id_count=600)
"""600 ids alone are 28 KB of text."""

VERY_MANY = Size("very many", id_count=6_000)
"""Too many even for their placeholders."""

LONG = Size("long", repetitions=2_500)
LONG_AND_MANY = Size("long and many", id_count=600, repetitions=2_500)
