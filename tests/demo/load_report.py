"""Samples of a load → a line a second while it runs, and a picture afterwards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Protocol

WIDTH, HEIGHT, MARGIN = 900, 360, 48
LINES = {"p50": "#0b6e4f", "p95": "#b7791f", "p99": "#b83227", "rate": "#7b8794"}


class Sampled(Protocol):
    @property
    def at(self) -> float: ...
    @property
    def ms(self) -> float: ...
    @property
    def is_error(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Second:
    """What was to be sent within one second."""

    number: int
    rate: int
    errors: int
    p50: float
    p95: float
    p99: float
    counts: Mapping[str, int]


@dataclass
class Table:
    """Prints each second once it is over and its answers are there, which takes a moment."""

    seconds: list[Second] = field(default_factory=list)

    def catch_up(self, samples: Sequence[Sampled], elapsed: float, watch: Callable[[], Mapping[str, int]]) -> None:
        while len(self.seconds) + 1 < elapsed:
            number = len(self.seconds)
            if not number:
                print(f"\n{'second':>6} {'rate':>6} {'errors':>7} {'p50':>9} {'p95':>9} {'p99':>9}   counts")
            second = summary(number, [sample for sample in samples if number <= sample.at < number + 1], watch())
            self.seconds.append(second)
            counts = "  ".join(f"{name} {count:,}" for name, count in second.counts.items())
            print(
                f"{number:>6} {second.rate:>6} {second.errors:>7}"
                f" {second.p50:>6.0f} ms {second.p95:>6.0f} ms {second.p99:>6.0f} ms   {counts}",
                flush=True,
            )


def summary(number: int, samples: Sequence[Sampled], counts: Mapping[str, int]) -> Second:
    times = sorted(sample.ms for sample in samples) or [0.0]
    p50, p95, p99 = (times[min(len(times) - 1, len(times) * share // 100)] for share in (50, 95, 99))
    errors = sum(sample.is_error for sample in samples)
    return Second(number, len(samples), errors, p50, p95, p99, counts)


def draw(seconds: Sequence[Second], *, title: str) -> str:
    """Return an SVG of the percentiles, in milliseconds, and of the rate, over time."""
    highest = max([second.p99 for second in seconds] + [second.rate for second in seconds] + [1])
    lines = [_line(name, [getattr(second, name) for second in seconds], highest) for name in LINES]
    names = [
        f'<text x="{WIDTH - MARGIN + 4}" y="{MARGIN + 18 * place}" fill="{colour}">{name}</text>'
        for place, (name, colour) in enumerate(LINES.items())
    ]
    bottom = HEIGHT - MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="24" font-size="15">{escape(title)}</text>',
        f'<text x="4" y="{MARGIN}">{highest:,.0f}</text><text x="4" y="{bottom}">0</text>',
        f'<path d="M{MARGIN} {MARGIN}V{bottom}H{WIDTH - MARGIN}" fill="none" stroke="black"/>',
        f'<text x="{MARGIN}" y="{HEIGHT - 14}">{len(seconds)} seconds; milliseconds, and requests a second</text>',
        *lines,
        *names,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _line(name: str, values: Sequence[float], highest: float) -> str:
    step = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
    points = " ".join(
        f"{MARGIN + place * step:.1f},{HEIGHT - MARGIN - value / highest * (HEIGHT - 2 * MARGIN):.1f}"
        for place, value in enumerate(values)
    )
    return f'<polyline points="{points}" fill="none" stroke="{LINES[name]}" stroke-width="2"/>'
