"""A plot as lines of characters, 80 columns wide: axes, areas, lines, points, rules and a legend.

Series differ by colour, and without colour by dashes, marks and fills, and by names at the right
end of lines. Without Unicode it is drawn in ASCII.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.figures import fixed, significant
from reports.frame import tick_texts
from reports.plot import Plot, Series
from reports.scale import Scale
from reports.terminal_areas import fill_areas
from reports.terminal_canvas import Canvas, Cell, Dash
from reports.terminal_marks import draw_marks, scale_of, style_of, write_free
from reports.terminal_ticks import horizontal_ticks

Line = Sequence[Cell]

_HEIGHT = 14
_DASHES = (Dash(), Dash(5, 8), Dash(1, 3), Dash(2, 8), Dash(8, 10), Dash(3, 5))
_POINTS = {True: "●■◆▲✕", False: "o#+x*"}
_LINES = "*+x.o~"
_FILLS = {True: "█▓▒░▚╱╳┄", False: "#%=:-/x."}
_FRAME = {True: ("┤", "│", "└", "─", "┬"), False: ("+", "|", "+", "-", "+")}
_MOST_BARS = 20
_NAME_ROOM = 19


@dataclass(frozen=True, slots=True)
class _Look:
    """How a series is told apart: its style, dash and mark."""

    series: Series
    style: str
    dash: Dash
    mark: str


def chart_lines(plot: Plot, width: int = 80, *, unicode: bool) -> list[Line]:
    """The plot below its title, `width` characters wide at most."""
    if plot.x is None or plot.y is None:
        return list(_bars(plot, width, unicode=unicode))
    looks = list(_looks(plot.series, unicode=unicode))
    vertical = scale_of(plot.y, 1.0, 0.0)
    ticks = dict(_vertical_ticks(vertical))
    left = max(len(text) for text in ticks.values()) + 1
    right = min(_NAME_ROOM, max((len(_short(look)) for look in _named(looks)), default=-1) + 1)
    canvas = Canvas(width - left - 1 - right, _HEIGHT, unicode=unicode)
    _draw(canvas, plot, looks)
    names = _names_at_right(canvas, plot, looks)
    tee, side, *_ = _FRAME[unicode]
    lines: list[Line] = [_cells(plot.y_name)]
    for row, cells in enumerate(canvas.rows()):
        label = ticks.get(row, "")
        edge = tee if row in ticks else side
        name, style = names.get(row, ("", ""))
        lines.append([*_cells(f"{label:>{left}}{edge}"), *cells, *_cells(name, style)])
    lines += _below(plot, canvas.width, left, unicode=unicode)
    return [*lines, *_legend(looks, width, unicode=unicode)]


def _cells(words: str, style: str = "") -> list[Cell]:
    return [Cell(character, style) for character in words]


def _vertical_ticks(scale: Scale) -> Iterator[tuple[int, str]]:
    """Rows with their labels, none nearer than two rows to the next."""
    ticks = scale.ticks()
    while len(ticks) > _HEIGHT // 2:
        ticks = ticks[::2]
    for tick, text in zip(ticks, tick_texts(ticks), strict=True):
        yield round(scale.position(tick) * (_HEIGHT - 1)), text


def _looks(series: Sequence[Series], *, unicode: bool) -> Iterator[_Look]:
    """A dash for each line, a mark for each kind of points, a fill for each area."""
    count = {"line": 0, "points": 0, "area": 0, "bars": 0}
    for one in series:
        number = count[one.look]
        count[one.look] += 1
        marks = {"line": _LINES, "points": _POINTS[unicode]}.get(one.look, _FILLS[unicode])
        dash = _DASHES[number % len(_DASHES)]
        yield _Look(one, style_of(one.colour), dash, marks[number % len(marks)])


def _draw(canvas: Canvas, plot: Plot, looks: Sequence[_Look]) -> None:
    """Areas below, then rules, lines, and points on top."""
    if plot.x is None or plot.y is None:
        return
    areas = [look for look in looks if look.series.look == "area"]
    fill_areas(canvas, plot, [(look.series, look.mark, look.style) for look in areas])
    draw_marks(canvas, plot)
    across = scale_of(plot.x, 0, canvas.dots_across - 1)
    down = scale_of(plot.y, canvas.dots_down - 1, 0)
    for look in looks:
        if look.series.look == "line":
            _draw_line(canvas, plot, look, across, down)
    points = [look for look in looks if look.series.look == "points"]
    for look in reversed(points):  # the first one on top
        _draw_points(canvas, plot, look, across, down)
    if not plot.rows_are_places:
        _name_points(canvas, plot, points, across, down)


def _places(plot: Plot, series: Series) -> Iterator[tuple[float, float, float] | None]:
    """From where to where each row reaches, and its value; None where there is none."""
    ends = [*plot.xs[1:], plot.x.high if plot.x else None]
    for start, end, value in zip(plot.xs, ends, series.values, strict=True):
        if start is None or value is None:
            yield None
        else:
            yield start, start if end is None or not plot.steps else end, value


def _draw_line(canvas: Canvas, plot: Plot, look: _Look, across: Scale, down: Scale) -> None:
    before: tuple[int, int] | None = None
    for place in _places(plot, look.series):
        if place is None:
            # On a curve rows of other series lie between; in time what is missing is a gap.
            before = None if plot.steps else before
            continue
        start, end, value = place
        y = round(down.position(value))
        first, last = (round(across.position(start)), y), (round(across.position(end)), y)
        canvas.stroke(before or first, first, look.style, look.mark, look.dash)
        canvas.stroke(first, last, look.style, look.mark, look.dash)
        before = last


def _draw_points(canvas: Canvas, plot: Plot, look: _Look, across: Scale, down: Scale) -> None:
    per_column, per_row = (2, 4) if canvas.unicode else (1, 1)
    spans = look.series.spans or [None] * len(look.series.values)
    for place, span in zip(_places(plot, look.series), spans, strict=True):
        if place is not None and span is not None:
            x = round(across.position(place[0]))
            ends = [(x, round(down.position(end))) for end in span]
            canvas.stroke(ends[0], ends[1], look.style, ":", Dash())
    for place in _places(plot, look.series):
        if place is not None:
            column = round(across.position(place[0])) // per_column
            row = round(down.position(place[2])) // per_row
            canvas.put(column, row, look.mark, look.style)


def _name_points(
    canvas: Canvas, plot: Plot, looks: Sequence[_Look], across: Scale, down: Scale
) -> None:
    """Each row's name beside its first point, to the right or to the left, where there is room."""
    per_column, per_row = (2, 4) if canvas.unicode else (1, 1)
    for index, name in enumerate(plot.row_names):
        x, values = plot.xs[index], [look.series.values[index] for look in looks]
        value = next((found for found in values if found is not None), None)
        if x is None or value is None:
            continue
        column = round(across.position(x)) // per_column
        row = round(down.position(value)) // per_row
        words = f" {name} ".replace("\N{NO-BREAK SPACE}", " ")
        write_free(canvas, [(column + 1, row), (column - len(words), row)], words, "")


def _named(looks: Sequence[_Look]) -> list[_Look]:
    """The lines that get a name at their right end: where there are several."""
    lines = [look for look in looks if look.series.look == "line"]
    return lines if len(lines) > 1 else []


def _short(look: _Look) -> str:
    """A name that fits beside the plot; the legend has the whole."""
    name = look.series.name
    return name if len(name) < _NAME_ROOM else f"{name[: _NAME_ROOM - 3].rstrip()}.."


def _names_at_right(
    canvas: Canvas, plot: Plot, looks: Sequence[_Look]
) -> dict[int, tuple[str, str]]:
    """Rows with the name of the line that ends there; where two would meet, one moves."""
    if plot.y is None:
        return {}
    down = scale_of(plot.y, canvas.dots_down - 1, 0)
    per_row = canvas.dots_down // canvas.height
    found: dict[int, tuple[str, str]] = {}
    for look in _named(looks):
        known = [value for value in look.series.values if value is not None]
        wanted = round(down.position(known[-1])) // per_row
        free = sorted(set(range(canvas.height)) - set(found), key=lambda row: abs(row - wanted))
        if free:
            found[free[0]] = (f" {_short(look)}", look.style)
    return found


def _below(plot: Plot, width: int, left: int, *, unicode: bool) -> Iterator[Line]:
    """The horizontal axis: its line with ticks, the labels, and what it measures."""
    _, _, corner, level, tick = _FRAME[unicode]
    ticks = horizontal_ticks(plot, width)
    columns = {found.column for found in ticks}
    line = "".join(tick if column in columns else level for column in range(width))
    yield _cells(" " * left + corner + line)
    labels = [" "] * (left + 1 + width)
    for found in ticks:
        start = max(0, left + 1 + found.start)
        labels[start : start + len(found.text)] = found.text
    yield _cells("".join(labels).rstrip())
    yield _cells(" " * (left + 1) + f"{plot.x_name:^{width}}".rstrip())


def _legend(looks: Sequence[_Look], width: int, *, unicode: bool) -> Iterator[Line]:
    """Each series with its look, in as many lines as they need."""
    line: list[Cell] = []
    for look in looks:
        entry = [*_sample(look, unicode=unicode), *_cells(f" {look.series.name}")]
        if line and len(line) + 2 + len(entry) > width:
            yield line
            line = []
        line = [*line, *(_cells("  ") if line else []), *entry]
    if line:
        yield line


def _sample(look: _Look, *, unicode: bool) -> Line:
    if look.series.look != "line":
        return [Cell(look.mark, look.style)]
    canvas = Canvas(4, 1, unicode=unicode)
    middle = canvas.dots_down // 2
    canvas.stroke((0, middle), (canvas.dots_across - 1, middle), look.style, look.mark, look.dash)
    return canvas.rows()[0]


def _bars(plot: Plot, width: int, *, unicode: bool) -> Iterator[Line]:
    """A bar for each row and series, all on one scale that begins at zero."""
    looks = list(_looks(plot.series, unicode=unicode))
    highest = max(value for one in plot.series for value in one.values if value is not None)
    shown = plot.row_names[:_MOST_BARS]
    room = min(max(len(name) for name in shown), 28)
    length = width - room - 14
    yield _cells(plot.unit)
    for row, name in enumerate(shown):
        for number, look in enumerate(looks):
            value = look.series.values[row]
            if value is None:
                continue
            bar = round(length * max(value, 0.0) / highest) if highest > 0 else 0
            words = fixed(value, 0) if value == int(value) else significant(value)
            label = name[:room] if number == 0 else ""
            yield [
                *_cells(f"{label:<{room}} "),
                *_cells(look.mark * bar, look.style),
                *_cells(f" {words}"),
            ]
    if len(plot.row_names) > _MOST_BARS:
        yield _cells(f"{len(plot.row_names) - _MOST_BARS} more rows are on the page")
    if len(looks) > 1:
        yield from _legend(looks, width, unicode=unicode)
