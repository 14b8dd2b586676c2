"""Charts of characters: in their place, told apart without colour, never wider than a terminal."""

from __future__ import annotations

import io
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.console import Console
from reports.blocks import Column
from reports.chart_view import draws_unicode, show_chart
from reports.figure import Data, DataRow, Figure
from reports.frame import Axis
from reports.plot import Plot, Series, plot_of
from reports.run_charts import chart_named, charts_of
from reports.terminal_canvas import Canvas, Dash
from reports.terminal_chart import chart_lines
from reports.terminal_ticks import horizontal_ticks
from tests.reports import adaptive_documents, documents, load_documents, waterfall_documents

TUNING = charts_of(documents.cpu_bound())
LOAD = charts_of(load_documents.failed())


def plain(plot: Plot, *, unicode: bool = True) -> list[str]:
    return ["".join(cell.character for cell in line) for line in chart_lines(plot, unicode=unicode)]


def line_plot(values, **changes) -> Plot:
    known = {
        "title": "t",
        "finding": "f",
        "x_name": "time since the start, s",
        "y_name": "latency, ms",
        "row_names": [str(row) for row in range(len(values))],
        "rows_are_places": True,
        "unit": "ms",
        "xs": [float(row) for row in range(len(values))],
        "x": Axis("linear", 0, len(values)),
        "y": Axis("linear", 0, 100),
        "steps": True,
        "series": [Series("p50", values, "line", "data")],
    }
    return Plot(**{**known, **changes})


# -- what is drawn --------------------------------------------------------------------------------


def test_a_plot_has_the_axes_and_the_looks_of_its_drawing():
    plot = plot_of(chart_named(TUNING, "cost"))
    assert plot is not None
    assert (plot.x.kind, plot.y.kind, plot.steps) == ("log", "linear", False)
    assert [(one.name, one.look) for one in plot.series] == [
        ("Measured", "points"),
        ("Fitted curve", "line"),
    ]
    assert plot.series[0].spans[0] == (6.29, 6.68)
    names = [rule.name.replace("\N{NO-BREAK SPACE}", " ") for rule in plot.rules]
    assert names == ["recommended 1,769 MB (1 vCPU)", "current 512 MB"]
    assert [round(rule.x) for rule in plot.rules] == pytest.approx([1769, 512], rel=0.01)


def test_layers_are_areas_and_what_was_offered_is_a_line():
    plot = plot_of(chart_named(LOAD, "rate"))
    looks = {one.name: one.look for one in plot.series}
    assert looks["ok"] == "area"
    assert looks["offered"] == "line"
    assert (plot.x_name, plot.y_name) == ("time since the start, min:s", "requests/s")


def test_sizes_on_an_axis_of_durations_have_names_of_their_own():
    plot = plot_of(chart_named(TUNING, "pareto"))
    assert not plot.rows_are_places
    assert "● 1,024" in "\n".join(plain(plot))


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,024", 1024), ("\N{MINUS SIGN}3.5", -3.5), ("0.2\N{NO-BREAK SPACE}%", 0.2), ("12 ms", 12)],
)
def test_values_are_read_off_the_table(cell, value):
    data = Data([Column("x"), Column("y", "ms")], [DataRow(1.0, ["a", cell])])
    figure = Figure("t", "h", ["<svg viewBox='0 0 1 1'/>"], data, "n")
    assert plot_of(figure).series[0].values == [value]


@pytest.mark.parametrize("cell", ["\N{EN DASH}", "", "1 to 2", "none"])
def test_what_is_no_value_is_none(cell):
    data = Data(
        [Column("x"), Column("y", "ms")], [DataRow(1.0, ["a", cell]), DataRow(2.0, ["b", "7"])]
    )
    figure = Figure("t", "h", ["<svg viewBox='0 0 1 1'/>"], data, "n")
    assert plot_of(figure).series[0].values == [None, 7]


def test_thresholds_are_lines_and_phases_have_names():
    limit = load_documents.threshold("p95(response) < 100ms", 102.0, 100.0, ok=False)
    document = load_documents.failed().model_copy(update={"thresholds": [limit]})
    plot = plot_of(chart_named(charts_of(document), "latency"))
    [level] = plot.levels
    assert level.y == pytest.approx(100, rel=0.02)
    assert level.name.startswith("p95(response)")
    assert [label.name for label in plot.labels] == ["warm-up", "ramp", "hold"]
    text = "\n".join(plain(plot))
    assert "╌╌" in text
    assert "ramp" in text


def test_without_data_there_is_no_plot():
    assert plot_of(Figure("t", "No chart: nothing was sent.", ())) is None


# -- the drawing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("unicode", [True, False], ids=["unicode", "ascii"])
def test_no_chart_is_wider_than_80_columns(unicode):
    shown = (
        documents.cpu_bound(), adaptive_documents.whole(), load_documents.failed(),
        load_documents.three_hours(), load_documents.one_second(), waterfall_documents.from_logs(),
    )  # fmt: skip
    for document in shown:
        for figure in charts_of(document):
            plot = plot_of(figure)
            if plot is not None:
                lines = plain(plot, unicode=unicode)
                assert max(map(len, lines)) <= 80, figure.name
                assert len(lines) <= 50


def test_a_peak_of_one_second_stays_visible():
    values = [10.0] * 500
    values[250] = 95.0
    rows = plain(line_plot(values))
    assert any(character != " " for character in rows[2][8:])


def test_a_gap_in_time_is_no_line():
    lines = plain(line_plot([50.0, 50.0, None, None, 50.0, 50.0]))
    drawn = max(
        lines[:-4],
        key=lambda line: sum(character > "\N{BRAILLE PATTERN BLANK}" for character in line),
    )
    assert " " * 20 in drawn.rstrip()[6:]


def test_lines_differ_without_colour_and_are_named_where_they_end():
    two = [Series("p50", [20.0] * 9, "line", "data"), Series("p99", [80.0] * 9, "line", "data")]
    lines = plain(line_plot([0.0] * 9, series=two))
    first, second = (
        next(row for row in lines if row.endswith(f" {name}")) for name in ("p50", "p99")
    )
    assert first[10:60] != second[10:60]
    assert lines.index(second) < lines.index(first)


def test_bars_begin_at_zero_and_carry_their_values():
    bars = line_plot(
        [10.0, 40.0], x=None, y=None, row_names=["queue", "handler"],
        series=[Series("median", [10.0, 40.0], "bars", "data")],
    )  # fmt: skip
    [_, first, second] = plain(bars)
    assert second.count("█") == pytest.approx(4 * first.count("█"), abs=2)
    assert (first.split()[0], first.split()[-1]) == ("queue", "10")


@given(
    values=st.lists(st.one_of(st.none(), st.floats(0, 1e4)), min_size=1, max_size=300),
    log=st.booleans(),
    unicode=st.booleans(),
)
def test_any_values_are_drawn_inside(values, log, unicode):
    axis = Axis("log", 1, 10_000) if log else Axis("linear", 0, 10_000)
    plot = line_plot(values, y=axis)
    if all(value is None for value in values):
        return
    lines = plain(plot, unicode=unicode)
    assert max(map(len, lines)) <= 80
    assert unicode or "".join(lines).isascii()


@pytest.mark.parametrize("name", ["rate", "latency", "spectrum"])
def test_labels_of_an_axis_do_not_touch(name):
    ticks = horizontal_ticks(plot_of(chart_named(LOAD, name)), 60)
    assert len(ticks) >= 3
    ends = [(tick.start, tick.start + len(tick.text)) for tick in ticks]
    assert all(after[0] - before[1] >= 2 for before, after in pairwise(ends))
    assert ends[-1][1] <= 60


def test_percentiles_are_named_on_their_axis():
    ticks = horizontal_ticks(plot_of(chart_named(LOAD, "spectrum")), 60)
    assert [tick.text for tick in ticks][:3] == ["50", "90", "99"]


def test_dots_share_a_character_and_dashes_leave_some_out():
    canvas = Canvas(2, 1, unicode=True)
    canvas.stroke((0, 0), (3, 0), "", "*", Dash(1, 2))
    assert [cell.character for cell in canvas.rows()[0]] == ["⠁", "⠁"]


# -- the terminal ---------------------------------------------------------------------------------


def test_a_terminal_that_cannot_show_it_gets_ascii(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "dumb")
    show_chart(Console(), chart_named(LOAD, "rate"))
    out = capsys.readouterr().out
    assert out.isascii()
    assert "requests/s" in out


def test_an_encoding_without_the_characters_gets_ascii(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert not draws_unicode(Console())


def test_colour_is_left_out_where_it_cannot_be_seen(monkeypatch, capsys):
    show_chart(Console(), chart_named(LOAD, "rate"))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert "Offered" in out
    assert "█ ok" in out
