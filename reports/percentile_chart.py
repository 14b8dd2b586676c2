"""The percentile spectrum: the slow end gets as much room as the middle.

The horizontal axis is 1 / (1 - q), logarithmic: each step to the right is a kind of request that is
rarer by the same factor. A line has as many quantiles as are known of it: some sixty where the run
kept histograms, five where it kept percentiles alone. The named percentiles carry a mark, so that
lines are told apart without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from reports import svg
from reports.figure import Figure
from reports.figures import milliseconds
from reports.frame import (
    BELOW_PX,
    NARROW,
    RIGHT_PX,
    WIDE,
    Y_LABEL_PX,
    Axis,
    Canvas,
    PlotArea,
    ValueAxis,
    root,
    x_axis,
    x_ticks,
)
from reports.label_places import Box, place_labels
from reports.legend import ROW_PX, Entry, arrange, draw_legend
from reports.scale import LogScale, Scale
from reports.spectra import (
    SAME_QUANTILE,
    Spectrum,
    Target,
    percentile_name,
    rarity,
    spectrum_data,
)
from reports.svg import Pixels

# Ticks, in the order in which they are asked when room is short.
_FIRST_TICKS = (0.5, 0.99, 0.999, 0.9999, 0.9, 0.99999, 0.95, 0.999999)
_NAMED = (0.0, *sorted(_FIRST_TICKS))
# As a factor of the axis: room beside the first and the last point.
_AIR = 1.12
_MARKED_UP_TO_POINTS = 8
_NAME = "latency, ms"
_MIDDLE = 0.5
_LINE_PX = 1.75
_LID_PX = 8


def spectrum_figure(
    entries: Sequence[Spectrum],
    identifier: str,
    *,
    title: str,
    finding: str,
    help_text: str,
    name: str = "spectrum",
    canvases: Sequence[Canvas] = (WIDE, NARROW),
    targets: Sequence[Target] = (),
) -> Figure:
    """One chart of several spectra with its data; `identifier` is unique in the page."""
    drawings = [
        draw_percentile_chart(
            entries,
            canvas,
            f"{identifier}-{canvas.css[2:]}",
            finding,
            title=title,
            targets=targets,
        )
        for canvas in canvases
    ]
    return Figure(title, help_text, drawings, spectrum_data(entries), name)


def draw_percentile_chart(
    spectra: Sequence[Spectrum],
    canvas: Canvas,
    identifier: str,
    finding: str,
    *,
    title: str = "Latency by percentile",
    targets: Sequence[Target] = (),
) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    axis = _latency_axis(spectra, targets)
    legend = arrange([_entry(one, number) for number, one in _numbered(spectra)], canvas.width)
    left, right = axis.room_px(), canvas.width - RIGHT_PX
    top, bottom = Y_LABEL_PX + 6, canvas.height - BELOW_PX - len(legend) * ROW_PX
    x, y = LogScale(*_domain(spectra), left, right), axis.scale(bottom, top)
    ticks = [(x.position(rarity(q)), percentile_name(q)) for q in _ticks(x)]
    first = [index for q in _FIRST_TICKS for index, tick in enumerate(_ticks(x)) if tick == q]
    area = PlotArea(left, right, top, bottom, Axis("log", x.low, x.high), axis.domain)
    return root(
        canvas,
        identifier,
        title,
        finding,
        *axis.draw(y, left, right),
        *x_axis(left, right, bottom, "percentile, %"),
        *x_ticks(ticks, bottom, first),
        svg.stretched(*(_band(one, number, x, y) for number, one in _numbered(spectra))),
        svg.stretched(*(_line(one, number, x, y) for number, one in _numbered(spectra))),
        *(mark for number, one in _numbered(spectra) for mark in _marks(one, number, x, y)),
        *_targets(targets, spectra, x, y, Box(left, top, right, bottom)),
        *draw_legend(legend, canvas.height),
        area=area,
    )


def _numbered(spectra: Sequence[Spectrum]) -> list[tuple[int, Spectrum]]:
    return list(enumerate(spectra, start=1))


def _latency_axis(spectra: Sequence[Spectrum], targets: Sequence[Target]) -> ValueAxis:
    """Logarithmic where the slower half ranges widely: the quick half alone is no reason."""
    shown = [(q, ms) for one in spectra for q, ms in one.points]
    shown += [(q, end) for one in spectra for q, *ends in one.tight_band for end in ends]
    limits = [one.limit_ms for one in targets]
    slower = ValueAxis(_NAME, [*(ms for q, ms in shown if q >= _MIDDLE), *limits])
    whole = ValueAxis(_NAME, [*(ms for _, ms in shown), *limits])
    return whole if slower.is_log else slower


def _domain(spectra: Sequence[Spectrum]) -> tuple[float, float]:
    places = [rarity(q) for one in spectra for q, _ in one.points]
    low = min(places) / (_AIR if min(places) > 1 else 1.0)
    return low, max(max(places), 2 * low) * _AIR


def _ticks(x: Scale) -> list[float]:
    return [q for q in _NAMED if x.low <= rarity(q) * (1 + 1e-9) and rarity(q) <= x.high]


def _place(quantile: float, ms: float, x: Scale, y: Scale) -> Pixels:
    return x.position(rarity(quantile)), y.position(ms)


def _band(spectrum: Spectrum, number: int, x: Scale, y: Scale) -> str:
    band = spectrum.tight_band
    if len(band) < 2:
        return ""
    low = [_place(q, value, x, y) for q, value, _ in band]
    high = [_place(q, value, x, y) for q, _, value in band]
    drawn = svg.band(low, high, f"{spectrum.look.css} c-fill c-band", spectrum.look.colour)
    return svg.of_series(number, drawn)


def _line(spectrum: Spectrum, number: int, x: Scale, y: Scale) -> str:
    look = spectrum.look
    at = [_place(q, ms, x, y) for q, ms in spectrum.points]
    return svg.of_series(number, svg.polyline(at, look.css, look.colour, _LINE_PX, look.dash))


def _marks(spectrum: Spectrum, number: int, x: Scale, y: Scale) -> list[str]:
    """Marks at the named percentiles, or at all points where there are few."""
    look = spectrum.look
    few = len(spectrum.points) <= _MARKED_UP_TO_POINTS
    drawn = []
    for q, ms in spectrum.points:
        if not few and not any(abs(q - named) <= SAME_QUANTILE for named in _FIRST_TICKS):
            continue
        at = _place(q, ms, x, y)
        mark = svg.marker(look.shape, at, look.css, look.colour, radius=3.5)
        hover = f"{percentile_name(q)} % of {spectrum.name}: at most {milliseconds(ms)}"
        drawn.append(svg.pinned(at[0], mark, title=hover, series=number))
    return drawn


def _targets(
    targets: Sequence[Target], spectra: Sequence[Spectrum], x: Scale, y: Scale, plot: Box
) -> list[str]:
    """Each limit as a lid over its percentile; its name where lines leave room for it."""
    shown = [one for one in targets if x.low <= rarity(one.quantile) <= x.high]
    places = [_place(one.quantile, one.limit_ms, x, y) for one in shown]
    lines = [
        _around(before, after)
        for one in spectra
        for before, after in pairwise([_place(q, ms, x, y) for q, ms in one.points])
    ]
    lids = [_around((px - _LID_PX, py), (px + _LID_PX, py + _LID_PX)) for px, py in places]
    wanted = [(place, one.label) for place, one in zip(places, shown, strict=True)]
    starts = place_labels(wanted, [*lines, *lids], plot)
    drawn = []
    for one, (px, py), start in zip(shown, places, starts, strict=True):
        commands = f"M{svg.number(px - _LID_PX)} {svg.number(py + 5)}v-5h{2 * _LID_PX}v5"
        lid = [svg.path(commands, "c-limit", svg.FAILED, 2)]
        if start is not None:
            css = "c-limit c-label"
            lid.append(svg.text(start, one.label, fill=svg.FAILED, css=css, halo=True))
        drawn.append(svg.pinned(px, *lid, title=f"limit: {one.label}"))
    return drawn


def _around(one: Pixels, other: Pixels) -> Box:
    (left, right), (top, bottom) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return Box(left - 2, top - 2, right + 2, bottom + 2)


def _entry(spectrum: Spectrum, number: int) -> Entry:
    look = spectrum.look

    def draw(centre: Pixels) -> str:
        x, y = centre
        mark = svg.marker(look.shape, centre, look.css, look.colour, radius=3.5)
        line = svg.line((x - 9, y), (x + 9, y), look.css, look.colour, _LINE_PX, look.dash)
        return line + mark

    return Entry(spectrum.name, draw, number)
