"""A chart as a reader sees it: where its plot, its rows and its parts are on the screen.

Places are worked out here from the drawing's attributes, not by the page's script.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.reports.browser.opened import Opened

_CHARTS = """() => [...document.querySelectorAll("figure.chart-figure")].map((figure, index) => {
  const svg = [...figure.querySelectorAll("svg[data-plot]")].find(isSeen);
  const table = figure.querySelector("details.data table");
  if (!svg || !table) return null;
  const squeezed = node => node.textContent.replace(/\\s+/g, " ").trim();
  const {x, y, width} = svg.getBoundingClientRect();
  return {
    index, svg: svg.id || [...figure.querySelectorAll("svg")].indexOf(svg),
    title: squeezed(figure.querySelector(".part")), name: figure.dataset.name ?? "",
    section: figure.closest("article").id,
    left_px: x, top_px: y + scrollY, scale: width / svg.viewBox.baseVal.width,
    plot: svg.dataset.plot, x: svg.dataset.x, y: svg.dataset.y, steps: svg.dataset.rows === "step",
    // A column's name, and its unit behind a comma.
    names: [...table.tHead.rows[0].cells].map(cell =>
      [...cell.childNodes].map(squeezed).filter(text => text).join(", ")),
    rows: [...table.tBodies[0].rows].filter(row => row.dataset.x !== undefined).map(row =>
      [Number(row.dataset.x), [...row.cells].map(cell => cell.textContent)]),
    series: [...svg.querySelectorAll(".legend > [data-series]")].map(entry =>
      [Number(entry.dataset.series), squeezed(entry)]),
    layers: [...svg.querySelectorAll("path[data-layer]")].map(path => Number(path.dataset.layer)),
    zooms: figure.querySelector(".tools") !== null,
  };
}).filter(chart => chart)"""


@dataclass(frozen=True, slots=True)
class Axis:
    """A domain, and which share of it lies before a value."""

    kind: str
    low: float
    high: float

    @classmethod
    def read(cls, text: str) -> Axis:
        kind, low, high = text.split(" ")
        return cls(kind, float(low), float(high))

    def share(self, value: float) -> float:
        if self.kind == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Chart:
    """What a figure's visible drawing and its table say; `seen` is what was read in the page."""

    opened: Opened
    seen: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.seen[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def words(self) -> str:
        """For messages: which chart this is."""
        return f"{self.section} {self.title}"

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, right, top and bottom of the plot, in the drawing's own pixels."""
        left, right, top, bottom = map(float, self.plot.split(" "))
        return left, right, top, bottom

    @property
    def x_axis(self) -> Axis:
        return Axis.read(self.x)

    @property
    def y_axis(self) -> Axis:
        return Axis.read(self.y)

    def drawn_x(self, share: float) -> float:
        """In the drawing's pixels, for a share of the plot's width."""
        left, right, _, _ = self.edges
        return left + share * (right - left)

    def screen_x(self, share: float) -> float:
        """On the page, for a share of the plot's width."""
        return float(self.left_px + self.scale * self.drawn_x(share))

    def middle_y(self) -> float:
        """The middle of the plot, on the page."""
        _, _, top, bottom = self.edges
        return float(self.top_px + self.scale * (top + bottom) / 2)

    def row_share(self, index: int) -> float:
        """Where a row stands: at its point, or in the middle of its step."""
        start = self.x_axis.share(self.rows[index][0])
        if not self.steps:
            return start
        following = index + 1 < len(self.rows)
        end = self.x_axis.share(self.rows[index + 1][0]) if following else 1.0
        return (start + end) / 2

    def find(self, selector: str) -> Any:
        """Elements of the figure."""
        return self.opened.page.locator("figure.chart-figure").nth(self.index).locator(selector)

    def run(self, script: str, argument: Any = None) -> Any:
        """A function of the visible drawing, its figure and an argument, in the page."""
        return self.opened.run(
            f"""([index, argument]) => {{
              const figure = document.querySelectorAll("figure.chart-figure")[index];
              const shown = [...figure.querySelectorAll("svg[data-plot]")];
              const svg = shown.find(isSeen);
              return ({script})(svg, figure, argument);
            }}""",
            [self.index, argument],
        )

    def scroll_to(self) -> float:
        """Brings the plot to the middle of the window; how far the page is scrolled then."""
        return float(
            self.opened.run(
                "y => { scrollTo(0, y - innerHeight / 2); return scrollY; }", self.middle_y()
            )
        )

    def point(self, share: float) -> None:
        """Moves the pointer over the plot: at its edges, a pixel inside."""
        scrolled = self.scroll_to()
        x = min(max(self.screen_x(share), self.screen_x(0) + 1), self.screen_x(1) - 1)
        self.opened.page.mouse.move(x, self.middle_y() - scrolled)

    def drag(self, low: float, high: float) -> None:
        """Zooms into a part of the plot, as a reader does with a mouse."""
        self.point(low)
        self.opened.page.mouse.down()
        self.point((low + high) / 2)
        self.point(high)
        self.opened.page.mouse.up()

    def tip(self) -> list[list[str]] | None:
        """Names and values that the tooltip shows, or None where it is hidden."""
        script = """(svg, figure) => {
          const tip = figure.querySelector(".tip");
          if (!isSeen(tip)) return null;
          return [...tip.querySelectorAll("tr")].map(row => [...row.cells].map(
            cell => cell.textContent));
        }"""
        found: list[list[str]] | None = self.run(script)
        return found

    def expected_tip(self, index: int, hidden: frozenset[int] = frozenset()) -> list[list[str]]:
        """What the tooltip of a row has to say: the row's cells beside the names of the columns."""
        cells = self.rows[index][1]
        shown = [pair for column, pair in enumerate(zip(self.names, cells, strict=True))
                 if column not in hidden]  # fmt: skip
        return [list(pair) for pair in shown]


def one_of_each(charts: Iterable[Chart]) -> list[Chart]:
    """One chart of each name: the charts of the next run are made alike."""
    return list({(chart.name, chart.title): chart for chart in charts}.values())


def charts_of(opened: Opened) -> list[Chart]:
    """All charts of a page whose values a reader can point at."""
    return [Chart(opened, seen) for seen in opened.run(_CHARTS)]
