"""Charts over time of a load run: a single second that stands out is seen, however long the run."""

from __future__ import annotations

import re
from bisect import bisect_right
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.load_charts import time_figures
from reports.load_document import PhaseSlice, Second
from tests.reports import load_documents


def long_run(length_s, rows, **changes):
    """A run whose other seconds are idle."""
    phase = load_documents.one_second().phases[0]
    phase = PhaseSlice(**(dict(phase) | {"from_s": 0.0, "to_s": float(length_s)}))
    fields = {"seconds": sorted(rows, key=lambda row: row.second), "phases": [phase]}
    return load_documents.nothing_at_all().model_copy(update=fields | changes)


def second(at, **changes) -> Second:
    fields = {"phase": "p", "offered": 9, "admitted": 7, "throttled": {"stage": 2}, "errors": {}}
    return Second(second=at, **(fields | changes))


class Drawn:
    """The widest drawing of a figure, read as a reader's eye does: by pixels and axes."""

    def __init__(self, figure):
        self.figure = figure
        self.root = ElementTree.fromstring(figure.drawings[0])  # noqa: S314 - our own drawing
        self.left, self.right, self.top, self.bottom = map(
            float, self.root.attrib["data-plot"].split()
        )
        self.length_s = float(self.root.attrib["data-x"].split()[2])
        kind, low, high = self.root.attrib["data-y"].split()
        assert kind == "linear"
        self.low, self.high = float(low), float(high)

    def column(self, name) -> int:
        return [column.name for column in self.figure.data.columns].index(name)

    def line(self, name) -> list[tuple[float, float]]:
        """The corners of a stepped line, in pixels."""
        series = str(self.column(name))
        [path] = [
            path.attrib["d"]
            for group in self.root.iter("g")
            if group.attrib.get("data-series") == series and "stretch" not in group.attrib
            for path in group.iter("path")
            if path.attrib["d"].startswith("M") and "h" not in path.attrib["d"]
        ]
        x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)", path).groups())
        corners = [(x, y)]
        for command, value in re.findall(r"([HV])([\d.]+)", path):
            x, y = (float(value), y) if command == "H" else (x, float(value))
            corners.append((x, y))
        return corners

    def highest_near(self, name, second) -> float:
        """The highest value of a line within a pixel of the middle of a second."""
        x = self.left + (second + 0.5) / self.length_s * (self.right - self.left)
        near = [
            min(y, other_y)
            for (at, y), (other, other_y) in zip(self.line(name), self.line(name)[1:], strict=False)
            if at - 1 <= x <= other + 1
        ]
        return self.low + (self.bottom - min(near)) / (self.bottom - self.top) * (
            self.high - self.low
        )

    def cell(self, name, second) -> str:
        rows = self.figure.data.rows
        row = rows[bisect_right([row.x for row in rows], second) - 1]
        return row.cells[self.column(name)]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_second_of_refusals_or_errors_is_seen_in_a_run_of_any_length(data):
    length_s = data.draw(st.integers(301, 200_000))
    at = data.draw(st.integers(0, length_s - 1))
    refused, failed = data.draw(st.integers(50, 5000)), data.draw(st.integers(50, 5000))
    others = data.draw(st.lists(st.integers(0, length_s - 1), max_size=8, unique=True))
    rows = [second(other) for other in others if other != at]
    rows.append(
        second(
            at,
            offered=refused + failed + 1,
            admitted=failed + 1,
            throttled={"stage": refused - 7, "quota": 7},
            errors={"timeout": failed},
        )
    )
    figure, _ = time_figures(long_run(length_s, rows), "run")
    drawn = Drawn(figure)
    tolerance = (drawn.high - drawn.low) / (drawn.bottom - drawn.top)  # a pixel
    for name, count in (("refused", refused), ("failed", failed)):
        line = f"{name}, highest second"
        assert drawn.highest_near(line, at) == pytest.approx(count, abs=tolerance)
        assert float(drawn.cell(line, at).replace(",", "")) == count
    most = float(drawn.cell("offered, single seconds, highest", at).replace(",", ""))
    assert most == refused + failed + 1
    assert len(figure.data.rows) <= 300


def desc(figure) -> str:
    return re.search(r"<desc[^>]*>(.*?)</desc>", figure.drawings[0])[1]


def test_the_finding_names_the_highest_seconds_and_when_they_were():
    rows = [second(at) for at in range(0, 10_000, 10)]
    rows.append(second(7201, offered=600, admitted=88, throttled={"stage": 512}, errors={"x": 3}))
    figure, _ = time_figures(long_run(10_000, rows), "run")
    assert "The highest second: 600/s offered at 2:00:01, 512/s refused at 2:00:01" in desc(figure)
    assert "3/s failed at 2:00:01" in desc(figure)
    assert "each the mean of 1\N{NO-BREAK SPACE}min" in desc(figure)


def test_a_run_that_is_drawn_by_the_second_has_no_lines_of_highest_seconds():
    figure, _ = time_figures(load_documents.five_causes(), "run")
    names = [column.name for column in figure.data.columns]
    assert not [name for name in names if "highest" in name]
    assert len(figure.data.rows) == 134
    assert "The highest second: " in desc(figure)


def test_the_worst_second_is_seen_among_response_times():
    rows = [second(at, response_p99_ms=20.0, response_p95_ms=10.0) for at in range(0, 5000, 2)]
    rows[1234] = second(2468, response_p99_ms=90.0, response_p95_ms=10.0)
    drawn = Drawn(time_figures(long_run(5000, rows), "run")[1])
    assert float(drawn.cell("response p99", 2468)) == 90
    lines = [line.attrib["points"] for line in drawn.root.iter("polyline")]
    tops = [min(float(point.split(",")[1]) for point in line.split()) for line in lines]
    highest = drawn.high * (drawn.bottom - min(tops)) / (drawn.bottom - drawn.top)
    assert highest == pytest.approx(90, abs=0.5)


def test_no_line_stands_where_nothing_was_completed():
    rows = [second(at, response_p99_ms=20.0) for at in (0, 1, 2, 7, 8, 9)]
    rows += [second(at) for at in (3, 4, 5, 6)]
    _, figure = time_figures(long_run(10, rows), "run")
    drawn = Drawn(figure)
    lines = [line.attrib["points"].split() for line in drawn.root.iter("polyline")]
    assert [len(line) for line in lines] == [3, 3]
    assert drawn.cell("response p99", 4) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("that", "more", "label"),
    [
        ("p95(response) < 300ms", {}, "p95(response) < 300\N{NO-BREAK SPACE}ms"),
        ("p99.9(ok_response) <= 2s", {}, "p99.9(ok_response) <= 2\N{NO-BREAK SPACE}s"),
        ("max(service) < 40ms", {"scope": "the run, each 10 s"}, "max(service) < 40\xa0ms"),
        ("p95(response) > 300ms", {}, None),
        ("p95(connect) < 300ms", {}, None),
        ("p95(response) < 300ms", {"scope": "step GET /x"}, None),
        ("p95(response) < 300ms", {"scope": "phase the run"}, None),
        ("rate(throttled) < 1%", {"unit": "share"}, None),
    ],
)
def test_limits_on_response_times_are_lines_with_their_name(that, more, label):
    rows = [second(at, response_p99_ms=20.0) for at in range(10)]
    threshold = load_documents.threshold(that, 20.0, 300.0, **more)
    _, figure = time_figures(long_run(10, rows, thresholds=[threshold]), "run")
    root = ElementTree.fromstring(figure.drawings[0])  # noqa: S314 - our own drawing
    found = [text.text for text in root.iter("text") if "c-limit" in text.attrib["class"]]
    assert found == ([label] if label else [])
    assert ("Lines across are limits" in figure.help) == bool(label)


def test_figures_are_named_and_a_run_of_nothing_has_none():
    figures = time_figures(load_documents.nothing_at_all(), "run")
    assert [(figure.name, figure.drawings) for figure in figures] == [("rate", ()), ("latency", ())]
    figures = time_figures(load_documents.five_causes(), "run")
    assert [figure.name for figure in figures] == ["rate", "latency"]
    assert all("<g><title>" not in drawing for f in figures for drawing in f.drawings)
