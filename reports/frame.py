"""What all charts share: the drawing area, its root element, the vertical axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from reports import svg
from reports.figures import fixed
from reports.scale import LinearScale, LogScale, Scale, log_domain, nice_span, nice_top

# A range above this factor is drawn on a logarithmic axis: below it, zero can be shown.
LOG_FROM_FACTOR = 10.0

# Room above the plot for the name of the vertical axis, and below it for ticks and a name.
Y_LABEL_PX = 22.0
BELOW_PX = 40.0
RIGHT_PX = 14.0
# From the horizontal axis down to the baseline of what it measures.
X_NAME_PX = 35.0


@dataclass(frozen=True, slots=True)
class Canvas:
    """The drawing area: its size in pixels, and whether it waits for another screen.

    Hidden by an attribute, so that a page without its style sheet does not show everything
    several times; the style sheet swaps them.
    """

    width: int
    height: int
    css: str
    hidden: bool = False


# Half the width of a page, and a phone's or a half page of paper.
WIDE = Canvas(560, 370, "c-wide")
NARROW = Canvas(344, 330, "c-narrow", hidden=True)


@dataclass(frozen=True, slots=True)
class Axis:
    """The domain of an axis, for those who read values off a drawing (the page's script)."""

    kind: Literal["linear", "log"]
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.kind} {axis_value(self.low)} {axis_value(self.high)}"


def axis_value(value: float) -> str:
    """A value of an axis as a program reads it."""
    return f"{value:.10g}"


@dataclass(frozen=True, slots=True)
class PlotArea:
    """Where a plot lies in its drawing, and its axes.

    `rows` says what a row of the chart's data is: a point of the horizontal axis, or a step that
    begins there and ends where the next one begins.
    """

    left: float
    right: float
    top: float
    bottom: float
    x: Axis
    y: Axis
    rows: Literal["point", "step"] = "point"

    def attributes(self) -> dict[str, str | float]:
        """As attributes of the root element."""
        edges = (self.left, self.right, self.top, self.bottom)
        return {
            "data-plot": " ".join(svg.number(edge) for edge in edges),
            "data-x": str(self.x),
            "data-y": str(self.y),
            "data-rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """An axis, mostly the vertical one: what it measures, and the values that it must hold."""

    label: str
    shown: Sequence[float]
    from_zero: bool = True

    @property
    def is_log(self) -> bool:
        """Whether what is shown ranges so widely that it would lie flat on a linear axis."""
        positive = all(value > 0 for value in self.shown)
        wide = bool(self.shown) and max(self.shown) > LOG_FROM_FACTOR * min(self.shown)
        return positive and wide

    def scale(self, bottom: float, top: float) -> Scale:
        """From values to pixels; a linear axis begins at zero unless it is told not to."""
        highest = max(self.shown, default=0.0)
        if self.is_log:
            return LogScale(*log_domain(min(self.shown), highest), bottom, top)
        if not self.from_zero:
            return LinearScale(*nice_span(min(self.shown), highest), bottom, top)
        return LinearScale(0.0, nice_top(highest), bottom, top)

    @property
    def domain(self) -> Axis:
        """What the scale reaches from and to."""
        scale = self.scale(1.0, 0.0)
        return Axis("log" if self.is_log else "linear", scale.low, scale.high)

    def room_px(self) -> float:
        """How much room its tick labels take to the left of the plot."""
        labels = self._texts(self.scale(1.0, 0.0).ticks())
        return max(svg.text_width(label) for label in labels) + 12

    def draw(self, scale: Scale, left: float, right: float) -> list[str]:
        """Its name, ticks and grid lines."""
        ticks = scale.ticks()
        note = " (log scale)" if self.is_log else ""
        drawn = [svg.text((2, 13), self.label + note, fill=svg.INK, css="c-text c-strong")]
        for tick, label in zip(ticks, self._texts(ticks), strict=True):
            y = scale.position(tick)
            drawn.append(svg.line((left, y), (right, y), "c-grid", svg.GRID, 1))
            drawn.append(svg.text((left - 6, y + 4), label, anchor="end"))
        return drawn

    def _texts(self, ticks: Sequence[float]) -> list[str]:
        """What stands at ticks: on a logarithm each has its own decimals, 0.2 beside 10."""
        if self.is_log:
            return [text for tick in ticks for text in tick_texts([tick])]
        return tick_texts(ticks)


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Ticks with the fewest decimals that write all of them exactly."""
    decimals = next((d for d in range(12) if all(_is_exact(tick, d) for tick in ticks)), 12)
    return [fixed(tick, decimals) for tick in ticks]


def _is_exact(value: float, decimals: int) -> bool:
    return abs(round(value, decimals) - value) <= 1e-9 * max(abs(value), 1e-12)


def x_ticks(wanted: Sequence[tuple[float, str]], bottom: float, first: Sequence[int]) -> list[str]:
    """Ticks at pixels with their labels, as many as fit; those in `first` are asked first."""
    labelled = svg.spaced_labels(wanted, first)
    drawn = []
    for index, (x, label) in enumerate(wanted):
        drawn.append(svg.line((x, bottom), (x, bottom + 5), "c-axis", svg.AXIS, 1))
        if index in labelled:
            drawn.append(svg.text((x, bottom + 18), label, anchor="middle"))
    return [svg.element("g", {"class": "x-ticks"}, *drawn)] if drawn else []


def x_axis(left: float, right: float, bottom: float, name: str) -> list[str]:
    """The horizontal line under a plot, and what it measures."""
    line = svg.line((left, bottom), (right, bottom), "c-axis", svg.AXIS, 1)
    return [line, svg.text(((left + right) / 2, bottom + X_NAME_PX), name, anchor="middle")]


def root(
    canvas: Canvas,
    identifier: str,
    title: str,
    finding: str,
    *drawn: str,
    area: PlotArea | None = None,
) -> str:
    """A whole `<svg>`; `identifier` is unique in the page and safe as an id.

    A drawing with a plot says where it is (`area`), so that the page's script can zoom into it.
    """
    title_id, finding_id = f"{identifier}-title", f"{identifier}-desc"
    attributes: dict[str, str | float] = {
        "class": f"chart {canvas.css}",
        "viewBox": f"0 0 {canvas.width} {canvas.height}",
        "width": "100%" if canvas.width > WIDE.width else canvas.width,
        "role": "img",
        "aria-labelledby": title_id,
        "aria-describedby": finding_id,
        "font-family": "system-ui, sans-serif",
        "font-size": svg.number(svg.FONT_PX),
        **(area.attributes() if area else {}),
    }
    if canvas.hidden:
        attributes["display"] = "none"
    return svg.element(
        "svg",
        attributes,
        svg.element("title", {"id": title_id}, escape(title)),
        svg.element("desc", {"id": finding_id}, escape(finding)),
        *drawn,
    )
