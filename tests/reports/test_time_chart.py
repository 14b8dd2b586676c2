"""Charts over time: true steps, honest gaps, labels that fit, ticks that clocks have."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import svg
from reports.hatch import Fill
from reports.time_axis import TimeScale, time_label
from reports.time_chart import FULL, SMALL, Layer, Line, Span, TimeChart, draw_time_chart

OK = Fill("c-admitted", svg.ADMITTED)
REFUSED = Fill("c-refused", svg.REFUSED, svg.REFUSED_LINE, "rising")


def drawn(canvas=FULL, **parts) -> ElementTree.Element:
    fields = {"title": "t", "finding": "f", "y_label": "y", "edges_s": [0, 1, 2, 3], "spans": []}
    text = draw_time_chart(TimeChart(**(fields | parts)), canvas, "x")
    return ElementTree.fromstring(text)  # noqa: S314 - our own drawing


def line(*values, **more) -> Line:
    return Line("line", values, "c-data", svg.DATA, **more)


def texts(drawing) -> list[str]:
    return [text.text for text in drawing.iter("text")]


def test_a_line_breaks_off_where_nothing_was_measured():
    edges = [0, 1, 2, 3, 4, 5, 6]
    drawing = drawn(edges_s=edges, lines=[line(1, 2, None, 3, None, None)])
    assert [len(p.attrib["points"].split()) for p in drawing.iter("polyline")] == [2]
    # A value alone between gaps is a point.
    assert len(list(drawing.iter("circle"))) == 1


def test_a_stack_begins_at_zero_and_its_top_is_the_sum():
    drawing = drawn(layers=[Layer("a", [1, 1, 1], OK), Layer("b", [0, 5, 9], REFUSED)])
    assert {"0.0", "10.0"} <= set(texts(drawing))
    upper, lower = (path for path in drawing.iter("path") if path.attrib["d"].endswith("Z"))
    # The upper layer is drawn first and only where it has something: not in the first step.
    assert lower.attrib["class"] == "c-admitted"
    assert upper.attrib["fill"] == "url(#x-refused-rising)"
    starts = [float(path.attrib["d"][1:].split(" ")[0]) for path in (lower, upper)]
    assert starts[0] < starts[1]


def test_fills_of_one_hatch_keep_their_tones():
    unnamed = Fill("c-unnamed", svg.UNNAMED, svg.MUTED, "rising")
    layers = [Layer(name, [1, 1, 1], fill) for name, fill in (("a", REFUSED), ("b", unnamed))]
    drawing = drawn(layers=layers)
    patterns = {one.attrib["id"]: one[0].attrib["fill"] for one in drawing.iter("pattern")}
    assert patterns == {"x-refused-rising": svg.REFUSED, "x-unnamed-rising": svg.UNNAMED}


def test_a_layer_of_nothing_draws_nothing():
    drawing = drawn(layers=[Layer("a", [0, 0, 0], OK)])
    assert not [path for path in drawing.iter("path") if path.attrib["d"].endswith("Z")]


def test_equal_steps_are_one_piece_of_a_stepped_line():
    drawing = drawn(lines=[line(4, 4, 7, stepped=True)])
    [path] = [p.attrib["d"] for p in drawing.iter("path") if p.attrib.get("fill") == "none"]
    assert re.fullmatch(r"M[\d.]+ [\d.]+H[\d.]+V[\d.]+H[\d.]+", path)


@pytest.mark.parametrize(
    ("name", "to_s", "label"),
    [
        ("hold", 3.0, "hold"),
        ("x" * 300, 3.0, None),
        ("warm-up", 0.2, "warm-up"),
        ("warm-up", 0.05, "1"),
        ("warm-up", 0.003, None),
    ],
    ids=["whole", "cut", "tight", "number", "nothing"],
)
def test_a_phase_is_named_as_far_as_its_band_has_room(name, to_s, label):
    drawing = drawn(spans=[Span(name, 0.0, to_s, measured=True)], lines=[line(1, 2, 3)])
    named = [t.text for t in drawing.iter("text") if "c-phase-name" in t.attrib["class"]]
    if label is not None:
        assert named == [label]
    elif named:
        assert named[0].endswith("…")
        assert svg.text_width(named[0]) < FULL.width


def test_a_phase_that_does_not_count_says_so_where_there_is_room():
    spans = [Span("warm-up", 0, 1, measured=False), Span("hold", 1, 3, measured=True)]
    assert "warm-up (not measured)" in texts(drawn(spans=spans, lines=[line(1, 2, 3)]))
    assert "warm-up" in texts(drawn(SMALL, spans=spans, lines=[line(1, 2, 3)]))


def test_a_phase_without_length_is_still_a_band():
    [band] = [
        mark
        for mark in drawn(spans=[Span("burst", 1, 1, measured=True)], lines=[line(1, 2, 3)]).iter(
            "rect"
        )
        if "c-phase" in mark.attrib["class"]
    ]
    assert float(band.attrib["width"]) > 0


def test_a_long_legend_makes_the_drawing_taller():
    few = [Layer(f"layer {n}", [1, 1, 1], OK) for n in range(2)]
    many = [Layer(f"a layer with a long name {n}", [1, 1, 1], OK) for n in range(9)]
    heights = [
        float(drawn(SMALL, layers=layers).attrib["viewBox"].split()[3]) for layers in (few, many)
    ]
    assert heights[0] == SMALL.height < heights[1]


@pytest.mark.parametrize(
    ("duration_s", "labels", "unit"),
    [
        (1, ["0", "0.2", "0.4", "0.6", "0.8", "1"], "s"),
        (60, ["0", "10", "20", "30", "40", "50", "60"], "s"),
        (134, ["0:00", "0:30", "1:00", "1:30", "2:00"], "min:s"),
        (10_800, ["0:00", "0:30", "1:00", "1:30", "2:00", "2:30", "3:00"], "h:min"),
    ],
)
def test_ticks_are_those_of_clocks(duration_s, labels, unit):
    scale = TimeScale(duration_s, 0, 500)
    assert [time_label(tick, duration_s) for tick in scale.ticks()] == labels
    assert scale.name == f"time since the start, {unit}"


@given(st.floats(0.05, 1e8), st.floats(100, 2000))
def test_ticks_lie_inside_and_are_neither_few_nor_many(duration_s, width_px):
    scale = TimeScale(duration_s, 0, width_px)
    ticks = scale.ticks()
    assert ticks[0] == 0
    assert ticks[-1] <= duration_s * (1 + 1e-9)
    assert len(ticks) <= max(2, width_px / 80) + 2
    assert 0 <= scale.position(ticks[-1]) <= width_px


def test_a_run_of_no_time_has_no_axis():
    with pytest.raises(ValueError, match="more than 0 s"):
        TimeScale(0, 0, 100)
