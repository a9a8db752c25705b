"""`make plots`: the last table of each benchmark → docs/performance/NAME.svg, the same bytes for the same table."""

import pygal
from pygal.style import Style

from tests.benchmarks.results import TABLES, Table, read_record
from tests.interleaved import ROOT

FOLDER = ROOT / "docs" / "performance"
TITLES = {
    "http": "A warm request, in microseconds (logarithmic)",
    "cold": "From process start to the first response, in milliseconds",
}
LOGARITHMIC = ("http",)
HIGHLIGHT, OTHER = "#0b6e4f", ("#9aa5b1", "#c3cad3", "#7b8794", "#616e7c")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, title in TITLES.items():
        if (TABLES / f"{name}.json").exists():
            record = read_record(name)
            path = FOLDER / f"{name}.svg"
            path.write_text(draw(name, title, record["table"], measured_at=record["environment"]["measured_at"]))
            print(f"drew {path.relative_to(ROOT)}")


def draw(name: str, title: str, table: Table, *, measured_at: str) -> str:
    """Return the SVG: a bar for each variant in a group for each row, ours in its own colour."""
    variants = list(dict.fromkeys(variant for row in table.values() for variant in row))
    chart = pygal.HorizontalBar(
        title=f"{title}, {measured_at[:10]}",
        style=Style(colors=_colours(variants), background="white", plot_background="white", font_family="sans-serif"),
        # No script, no font and no style sheet from elsewhere; and no id that differs from run to run.
        js=(),
        no_prefix=True,
        disable_xml_declaration=True,
        pretty_print=True,
        logarithmic=name in LOGARITHMIC,
        legend_at_bottom=True,
        legend_at_bottom_columns=4,
        height=140 + 26 * sum(len(row) for row in table.values()),
        print_values=True,
        value_formatter=lambda value: f"{value:,.0f}",
    )
    # A horizontal bar chart is drawn from below.
    chart.x_labels = list(reversed(table))
    for variant in variants:
        chart.add(variant, [table[row].get(variant) for row in reversed(table)])
    return _reproducible(chart.render(is_unicode=True), chart.uuid)


def _colours(variants: list[str]) -> tuple[str, ...]:
    return tuple(HIGHLIGHT if variant == "ours" else OTHER[at % len(OTHER)] for at, variant in enumerate(variants))


def _reproducible(svg: str, uuid: str) -> str:
    lines = (line.rstrip() for line in svg.replace(uuid, "plot").splitlines())
    return "\n".join(line for line in lines if line) + "\n"


if __name__ == "__main__":
    main()
