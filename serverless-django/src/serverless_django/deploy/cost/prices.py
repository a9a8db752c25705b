"""One region's list prices, with their date."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("us-east-1.toml")


class UnknownPriceError(LookupError):
    """A template has something that the price list does not."""


@dataclass(frozen=True)
class Prices:
    """`of("cache", "gb_hour")` is a price in US dollars."""

    table: Mapping[str, Any]

    @classmethod
    def read(cls) -> "Prices":
        return cls(tomllib.loads(FILE.read_text()))

    @property
    def source(self) -> str:
        return f"list prices of {self.table['region']}, {self.table['date']}"

    @property
    def hours(self) -> float:
        return float(self.table["hours_per_month"])

    @property
    def seconds(self) -> float:
        return self.hours * 3600

    def of(self, section: str, name: str) -> float:
        """Return the price `name` in `section` of the list, in USD.  Raise UnknownPriceError if there is none."""
        prices = self.table[section]
        if name not in prices:
            raise UnknownPriceError(
                f"{FILE.name} has no price of {name!r}; add it to [{section}], which has {', '.join(prices)}"
            )
        return float(prices[name])
