"""Cost against duration: crosses, the front, the curve that is cut, and what is marked."""

from __future__ import annotations

import pytest

from reports.figures import SPACE
from reports.tune_pareto import pareto_figure
from tests.reports import adaptive_documents as adaptive
from tests.reports import documents
from tests.reports.pages import svgs


def drawn(document):
    figure = pareto_figure(document, "run-1")
    assert figure is not None
    return figure, svgs(figure.drawings[0])[0]


def texts(drawing) -> list[str]:
    return [(text.text or "").replace(SPACE, " ") for text in drawing.iter("text")]


def with_front(document, costs):
    """Sizes with these durations and costs; a third value is why one failed."""
    sizes = [
        size.model_copy(
            update={"duration_typical_ms": ms, "cost_usd_per_million": usd, "failure": failure}
        )
        for size, (ms, usd, failure) in zip(document.sizes, costs, strict=False)
    ]
    return document.model_copy(update={"sizes": sizes, "model": None})


def fronted(figure) -> list[str]:
    assert figure.data is not None
    return [row.cells[3] for row in figure.data.rows if "Pareto front" in row.cells[-1]]


@pytest.mark.parametrize(
    ("costs", "front"),
    [
        ([(900, 5, None), (500, 6, None), (300, 7, None)], ["512", "256", "128"]),
        ([(900, 5, None), (500, 5, None), (300, 7, None)], ["512", "256"]),
        ([(900, 5, None), (900, 5, None), (300, 7, None)], ["512", "128", "256"]),
        ([(900, 5, None), (500, 4, "out of memory"), (300, 7, None)], ["512", "128"]),
        ([(900, 9, None), (500, 6, None), (300, 5, None)], ["512"]),
    ],
    ids=["all", "as cheap and faster", "twins", "one that fails", "one alone"],
)
def test_on_the_front_are_usable_sizes_that_no_other_undercuts(costs, front):
    figure, drawing = drawn(with_front(documents.cpu_bound(), costs))
    assert fronted(figure) == front
    steps = [line for line in drawing.iter("polyline") if line.attrib["class"] == "c-taken"]
    # One in the plot, one in the legend.
    assert len(steps) == (2 if len(front) > 1 else 0)


@pytest.mark.parametrize(
    ("costs", "conclusion"),
    [
        ([(900, 5, None), (500, 6, None), (300, 7, None)], "Today's 512 MB is on it: what is"),
        ([(200, 5, None), (250, 6, None), (300, 7, None)], "is undercut in both by 128 MB."),
        ([(900, 9, None), (500, 6, None), (300, 5, None)], "undercuts all others in both."),
        ([(200, 5, None)], ""),
    ],
    ids=["a choice", "no choice", "the only one", "not measured"],
)
def test_whether_todays_size_is_a_choice_is_said(costs, conclusion):
    document = with_front(documents.cpu_bound(), costs)
    figure, _ = drawn(document)
    assert conclusion in said(figure.help)
    assert ("Today's" in figure.help) == bool(conclusion)


def test_the_recommended_and_the_current_size_are_named_and_told_apart_by_shape():
    figure, drawing = drawn(documents.cpu_bound())
    assert {"recommended 1,769 MB", "current 512 MB"} <= set(texts(drawing))
    assert [r.get("class") for r in drawing.iter("rect")].count("c-current") == 1
    rings = [c for c in drawing.iter("circle") if c.attrib["class"] == "c-taken"]
    assert len(rings) == 1
    finding = said(drawing[1].text)
    assert "Recommended: 1,769 MB: " in finding
    assert "Current: 512 MB: " in finding
    assert "eu-west-1, table of 2025-11-01" in figure.help


def said(text) -> str:
    return (text or "").replace(SPACE, " ")


def test_every_point_says_how_many_samples_it_rests_on():
    figure, _ = drawn(documents.cpu_bound())
    assert figure.data is not None
    columns = [column.name for column in figure.data.columns]
    assert columns[5] == "n"
    assert {row.cells[5] for row in figure.data.rows} == {"20"}
    # What the axis shows when a reader zooms in.
    assert columns[0] == "Duration"
    durations = [row.x for row in figure.data.rows]
    assert durations == sorted(durations, key=lambda x: x or 0)


def test_a_size_that_was_not_measured_stands_where_the_curve_expects_it():
    figure, drawing = drawn(adaptive.many_tied())
    assert "current 1,536 MB, estimated" in texts(drawing)
    assert figure.data is not None
    [row] = [row for row in figure.data.rows if row.cells[3] == "1,536"]
    assert row.cells[1] == "\N{EN DASH}"
    assert (row.cells[5], row.cells[-1]) == ("0", "tied, current, estimated")


def test_the_curve_is_cut_at_the_plot_and_can_be_hidden():
    _, drawing = drawn(documents.cpu_bound())
    [clip] = list(drawing.iter("clipPath"))
    cut = [g for g in drawing.iter("g") if g.get("clip-path") == f"url(#{clip.attrib['id']})"]
    assert len(cut) == 1
    numbers = [
        g.get("data-series") for g in drawing.iter("g") if g.find("g[@clip-path]") is not None
    ]
    assert numbers == ["6"]


def test_crosses_are_half_pinned_and_half_stretched():
    _, drawing = drawn(documents.cpu_bound())
    pins = [g for g in drawing.iter("g") if g.get("data-at") and g.find("title") is not None]
    assert len(pins) == 8
    assert all(len(pin.findall("line")) == 1 for pin in pins)
    [stretch] = [g for g in drawing.iter("g") if g.get("class") == "stretch"]
    assert len(list(stretch.iter("line"))) == 8


def test_without_both_figures_there_is_no_chart():
    assert pareto_figure(documents.bare(), "run-1") is None
    assert pareto_figure(documents.empty(), "run-1") is None


def test_sizes_without_intervals_are_points():
    sizes = [
        size.model_copy(update={"cost_interval": None, "duration_interval_ms": None})
        for size in documents.cpu_bound().sizes
    ]
    figure, drawing = drawn(documents.cpu_bound().model_copy(update={"sizes": sizes}))
    assert figure.data is not None
    assert {row.cells[2] for row in figure.data.rows} == {"\N{EN DASH}"}
    assert len(list(drawing.iter("circle"))) >= 8
