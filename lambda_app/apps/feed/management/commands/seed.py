import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lambda_app.apps.feed.population import Population
from lambda_app.apps.feed.seeding import OtherDataError, seed, tidy

WIDTH = 30


class Command(BaseCommand):
    help = "Fill an empty database with a feed of any size: the same rows for the same size, and it can be interrupted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--posts", type=_count, default=10_000, help="such as 10_000_000; everything else follows")

    def handle(self, *, posts: int, **options: Any) -> None:
        population = Population(posts)
        self.stdout.write(f"{population.members:,} members, {population.posts:,} posts")
        bar = Bar(self)
        try:
            seed(population, on_progress=bar.show)
        except OtherDataError as error:
            raise CommandError(str(error)) from error
        tidy()
        self.stdout.write(f"seeded in {time.monotonic() - bar.started:,.0f} s")


class Bar:
    """One line that is drawn over on a terminal, a line for each tenth anywhere else."""

    def __init__(self, command: BaseCommand) -> None:
        self.out = command.stdout
        self.started = self.stage_started = time.monotonic()
        self.last: tuple[str, int] = ("", 0)

    def show(self, name: str, done: int, total: int) -> None:
        if name != self.last[0]:
            self.stage_started = time.monotonic()
            self.last = (name, 0)
        tenth = done * 10 // total
        if self.out.isatty():
            self.out.write(f"\r{self._line(name, done, total)}", ending="\n" if done == total else "")
        elif (name, tenth) != self.last:
            self.out.write(self._line(name, done, total))
        self.last = (name, tenth)
        self.out.flush()

    def _line(self, name: str, done: int, total: int) -> str:
        seconds = max(time.monotonic() - self.stage_started, 1e-6)
        left = seconds / max(done, 1) * (total - done)
        filled = WIDTH * done // total
        bar = "█" * filled + "░" * (WIDTH - filled)
        return f"{name:<8} {bar} {done:>12,} of {total:,}  {done / seconds:>9,.0f} a second, {left:,.0f} s left  "


def _count(text: str) -> int:
    number = int(text.replace(",", ""))
    if number < 1:
        raise ValueError(text)
    return number
