"""Rules, levels and names of a plot in characters, and what colours are called in a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from reports.frame import Axis
from reports.plot import Plot
from reports.scale import LinearScale, LogScale, Scale
from reports.terminal_canvas import Canvas

# Names of colours in the style sheet, as a terminal has them; the rest is its own colour.
_STYLES = {
    "data": "blue", "admitted": "blue", "low": "cyan", "high": "magenta", "refused": "yellow",
    "refused-line": "yellow", "current": "yellow", "bad": "red", "taken": "green",
    "unnamed": "bright_black", "muted": "bright_black", "axis": "bright_black", "ink": "bold",
}  # fmt: skip
_UPRIGHT = {True: "┊", False: ":"}
_LEVEL = {True: "╌", False: "-"}


def style_of(colour: str) -> str:
    """The style of a colour of the style sheet."""
    return _STYLES.get(colour, "")


def scale_of(axis: Axis, start: float, end: float) -> Scale:
    """An axis as a map to columns, rows or dots."""
    kind = LogScale if axis.kind == "log" else LinearScale
    return kind(axis.low, axis.high, start, end)


def draw_marks(canvas: Canvas, plot: Plot) -> None:
    """Names of phases, lines to hold values against, and places of the axis that have a name."""
    if plot.x is None or plot.y is None:
        return
    across = scale_of(plot.x, 0, canvas.width - 1)
    down = scale_of(plot.y, canvas.dots_down - 1, 0)
    per_row = canvas.dots_down // canvas.height
    for level in plot.levels:
        _draw_level(canvas, round(down.position(level.y)) // per_row, level.name, level.colour)
    for number, rule in enumerate(plot.rules):
        _draw_rule(canvas, round(across.position(rule.x)), number, rule.name, rule.colour)
    for label in plot.labels:
        start = round(across.position(label.x)) - len(label.name) // 2
        write_free(canvas, [(start, 0)], label.name, "bold")


def _draw_level(canvas: Canvas, row: int, name: str, colour: str) -> None:
    style = style_of(colour)
    for column in range(canvas.width):
        if canvas.is_free(column, row, 1):
            canvas.put(column, row, _LEVEL[canvas.unicode], style)
    start = canvas.width - len(name) - 1
    write_free(canvas, [(start, row - 1), (start, row + 1)], name, style)


def _draw_rule(canvas: Canvas, column: int, top: int, name: str, colour: str) -> None:
    style = style_of(colour)
    for row in range(top, canvas.height):
        canvas.put(column, row, _UPRIGHT[canvas.unicode], style)
    starts = (column + 2, column - 1 - len(name))
    rows = range(top, canvas.height // 2)
    write_free(canvas, ((start, row) for row in rows for start in starts), name, style)


def write_free(canvas: Canvas, places: Iterable[tuple[int, int]], words: str, style: str) -> None:
    """Words at the first place where they cover nothing; nowhere, if there is none."""
    for column, row in places:
        if canvas.is_free(column, row, len(words)):
            canvas.write(column, row, words, style)
            return
