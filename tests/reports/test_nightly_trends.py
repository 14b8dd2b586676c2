"""Trends as charts: honest axes, gaps where nothing was measured, marks that can be told apart."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.history.record import SeriesId
from reports.nightly.document import Trend, TrendLevel, TrendMark, TrendPoint
from reports.trends import short_path
from reports.trends.night_axis import NightScale, date_label, day_of, places_of
from reports.trends.placed_trend import placed
from reports.trends.sparkline import blocks, sparkline
from reports.trends.trend_chart import SMALL, WIDE, TrendWords, draw_trend
from reports.trends.trend_words import (
    change_range,
    change_words,
    finding,
    trend_name,
    value_words,
)
from tests.reports.nightly_documents import night_document


def point(day: int, value: float, status: str = "counted", **more) -> TrendPoint:
    known = {"low": value * 0.99, "high": value * 1.01, **more}
    return TrendPoint.model_validate(
        {
            "night": f"2026-11-{day:02d}",
            "night_id": f"n{day}",
            "sequence": day,
            "at_utc": f"2026-11-{day:02d}T02:00:00Z",
            "value": value,
            "n": 100,
            "status": status,
            **known,
        }
    )


def trend(points, **more) -> Trend:
    series = SeriesId(step="orders", scope="GET /", metric="p95")
    return Trend(series=series, unit="ms", points=list(points), **more)


def drawn(shown: Trend, limit: float | None = None) -> ElementTree.Element:
    text = draw_trend(shown, WIDE, "one", TrendWords("A title", "A finding.", limit))
    return ElementTree.fromstring(text)  # noqa: S314 - our own drawing


def nights(values, start: int = 1) -> list[TrendPoint]:
    return [point(start + index, value) for index, value in enumerate(values)]


def test_the_axis_does_not_begin_at_zero_and_noise_below_a_per_cent_looks_small():
    low, high = placed(trend(nights([100, 100.4, 99.8]))).span
    assert 80 < low < 97
    assert 103 < high < 115
    assert high - low >= 10


def test_a_night_that_does_not_count_does_not_flatten_the_others():
    shown = placed(trend([*nights([100, 101, 99, 100]), point(5, 900, "invalid")]))
    assert shown.span[1] < 150
    # It is drawn at the edge, as a cross.
    root = drawn(trend([*nights([100, 101, 99, 100]), point(5, 900, "invalid")]))
    top = float(root.attrib["data-plot"].split()[2])
    (cross,) = [one for one in root.iter("path") if one.get("stroke-width") == "2"]
    assert float(cross.attrib["d"].split()[1].split("l")[0]) == pytest.approx(top - 3)


def test_one_far_night_that_counts_is_drawn_at_the_edge_with_its_value():
    shown = trend([*nights([100, 101, 99, 100, 102, 98, 100, 900, 101, 100])])
    assert placed(shown).span[1] < 150
    assert "900" in [one.text for one in drawn(shown).iter("text")]


def test_the_last_night_and_a_change_of_several_nights_are_drawn_whole():
    assert placed(trend(nights([100, 101, 99, 100, 102, 98, 100, 101, 900]))).span[1] >= 900
    doubled = [*[100.0] * 20, *[200.0] * 3, *[100.0] * 7]
    assert placed(trend(nights(doubled))).span[1] >= 200


def test_an_interval_without_end_does_not_flatten_the_others():
    wide = point(5, 100, low=1, high=100_000)
    assert placed(trend([*nights([100, 101, 99, 100]), wide])).span[1] < 150


def test_nothing_is_drawn_below_zero():
    low, _ = placed(trend(nights([0.02, 0.03]))).span
    assert low >= 0


@pytest.mark.parametrize(
    ("points", "missing", "runs"),
    [
        (nights([1, 2, 3]), [], [3]),
        ([*nights([1, 2]), *nights([3], start=4)], ["2026-11-03"], [2, 1]),
        # A plan that runs each other day has no night missing in between.
        ([point(1, 1), point(3, 1), point(5, 1)], [], [3]),
        ([point(1, 1), point(2, 9, "invalid"), point(3, 1)], [], [1, 1]),
        ([], ["2026-11-03"], []),
    ],
    ids=["whole", "gap", "each other day", "invalid", "none"],
)
def test_the_line_breaks_where_a_night_is_missing_or_does_not_count(points, missing, runs):
    assert [len(run) for run in placed(trend(points, missing=missing)).runs()] == runs


def test_nights_of_one_date_stand_beside_each_other():
    twice = [("2026-11-01", 1), ("2026-11-02", 2), ("2026-11-02", 3)]
    first, second, third = places_of(twice)
    assert second - first == 1
    assert second < third < first + 2


def test_a_date_that_cannot_be_read_leaves_the_order():
    assert places_of([("2026-11-01", 1), ("?", 7)]) == [1.0, 7.0]
    assert not placed(trend([point(1, 1), point(2, 2).model_copy(update={"night": "?"})])).dated


def test_a_clock_that_went_back_loses_no_night():
    back = point(3, 5).model_copy(update={"night": "2026-10-30"})
    assert len(placed(trend([point(1, 4), point(2, 4), back])).points) == 3


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (1, ["1 Sep"]),
        (10, ["1 Sep", "3 Sep", "5 Sep", "7 Sep", "9 Sep"]),
        (30, ["2 Sep", "9 Sep", "16 Sep", "23 Sep", "30 Sep"]),
        (90, ["1 Sep", "15 Sep", "1 Oct", "15 Oct", "1 Nov", "15 Nov"]),
        (400, ["1 Oct", "1 Jan", "1 Apr", "1 Jul", "1 Oct"]),
    ],
)
def test_ticks_are_dates_that_people_count_by(days, labels):
    first = day_of("2026-09-01")
    assert first is not None
    places = [float(first), float(first + days - 1)]
    scale = NightScale.over(places, 0.0, 320.0, dated=True)
    found = [label for _, label in scale.ticks()]
    assert found == labels or (days == 10 and len(found) <= 6)


def test_days_are_told_without_their_year():
    assert [date_label(day) for day in (day_of("2026-01-31"), day_of("2019-12-01")) if day] == [
        "31 Jan", "1 Dec",
    ]  # fmt: skip


def test_what_stands_out_has_a_shape_of_its_own():
    statuses = ("suspect", "confirmed", "invalid", "unlike")
    points = [*nights([10, 10, 10]), *(point(4 + at, 11, one) for at, one in enumerate(statuses))]
    pins = [one for one in drawn(trend(points)).iter("g") if one.get("data-series") == "1"]
    shapes = [
        (one[0].tag, one[0].get("class"), one[0].get("fill")) for one in pins if one.get("data-at")
    ]
    assert len(set(shapes)) == 4


def test_change_points_are_rules_with_date_and_percentage_and_the_rest_are_letters():
    kinds = ("accepted", "prices", "version", "runtime", "profile", "mute")
    marks = [
        TrendMark(night="2026-11-02", sequence=2, kind="change", text="+11 %"),
        *(
            TrendMark(night=f"2026-11-{5 + 3 * at:02d}", sequence=5 + 3 * at, kind=kind, text=kind)
            for at, kind in enumerate(kinds)
        ),
    ]
    root = drawn(trend(nights(range(10, 40)), marks=marks))
    texts = [one.text for one in root.iter("text")]
    assert "2 Nov +11 %" in texts
    assert [text for text in texts if text in ("a", "$", "v", "r", "p", "m")] == list("a$vrpm")
    titles = [one.findtext("title") for one in root.iter("g") if one.find("title") is not None]
    assert "2026-11-20: profile" not in titles
    assert "2026-11-17: profile" in titles


def test_a_hundred_change_points_are_placed_at_once():
    marks = [
        TrendMark(
            night=f"2026-11-{1 + at % 28:02d}", sequence=1 + at % 28, kind="change", text="+5 %"
        )
        for at in range(100)
    ]
    root = drawn(trend(nights(range(10, 38)), marks=marks))
    assert len([one for one in root.iter("text") if "+5 %" in (one.text or "")]) == 3


def test_where_tonight_would_alarm_is_a_short_line():
    root = drawn(trend(nights([100] * 20)), limit=109.0)
    (line,) = [one for one in root.iter("line") if one.get("class") == "c-limit"]
    assert float(line.attrib["x2"]) - float(line.attrib["x1"]) < 150


def test_levels_have_their_band_and_centre_until_the_next_one_begins():
    levels = [
        TrendLevel(from_sequence=1, to_sequence=10, center=100, low=95, high=105),
        TrendLevel(from_sequence=11, to_sequence=20, center=112, low=106, high=118),
        TrendLevel(from_sequence=90, to_sequence=99, center=1, low=1, high=1),  # not seen
    ]
    shown = placed(trend(nights([100] * 10 + [112] * 10), levels=levels))
    assert [(one.end - one.start, one.center) for one in shown.levels] == [(9, 100), (9, 112)]


def test_a_chart_without_nights_is_not_drawn_and_says_so():
    assert finding(trend([]), None, "2026-11-27") == "No night has measured this figure."


def test_a_small_chart_of_90_nights_takes_less_than_7_kilobytes():
    one = night_document("pass").trends[1]
    assert len(draw_trend(one, SMALL, "n", TrendWords("GET /search, p50", "Tonight."))) < 7_000


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-50, 1200), st.floats(-50, 400)), min_size=1, max_size=30))
def test_short_paths_lead_through_the_same_places(points):
    for commands in (short_path.line(points), short_path.dots(points)):
        assert walked(commands) == [(round(x * 10), round(y * 10)) for x, y in points]


def walked(commands: str) -> list[tuple[int, int]]:
    """Where a path of M, m and l leads, in tenths of a pixel."""
    number = r"-?(?:\d+(?:\.\d)?|\.\d)"
    pairs = re.findall(rf"({number}) ?({number})", re.sub("h0", "", commands))
    places, at = [], (0, 0)
    for x, y in pairs:
        at = (at[0] + round(float(x) * 10), at[1] + round(float(y) * 10))
        places.append(at)
    return places


def test_strokes_go_from_end_to_end():
    assert short_path.strokes([((1, 9), (1, 4)), ((2.5, 8), (2.5, 8.2))]) == "M1 9v-5m1.5 4v.2"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, 2.0, 3.0], "▁▅█"),
        ([1.0, None, 3.0], "▁·█"),
        ([100.0, 100.5, 100.0], "▄▅▄"),
        ([0.0, 0.0], "▄▄"),
        ([None], "·"),
        ([], ""),
    ],
)
def test_a_row_of_blocks_keeps_noise_flat_and_shows_gaps(values, text):
    assert blocks(values) == text


def test_a_row_of_blocks_has_the_last_nights():
    shown = trend([*nights([10] * 20), *nights([20], start=21)], missing=["2026-11-22"])
    assert sparkline(shown, 4) == "▁▁█·"


@pytest.mark.parametrize(
    ("share", "words"), [(0.118, "+12 %"), (-0.031, "−3.1 %"), (0.0001, "0.0 %"), (2.5, "+250 %")]
)
def test_changes_have_their_sign(share, words):
    assert change_words(share).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.043, 0.13), "+4.3 to +13 %"),
        ((-0.02, 0.05), "−2.0 to +5.0 %"),
        ((-0.2, -0.1), "−20 to −10 %"),
    ],
)
def test_intervals_of_changes_have_both_signs(interval, words):
    assert change_range(interval).replace("\N{NO-BREAK SPACE}", " ") == words


def test_values_have_their_unit():
    assert value_words(112.4, "ms").replace("\N{NO-BREAK SPACE}", " ") == "112 ms"
    assert value_words(6.4, "usd_per_million") == "$6.40 per million"
    assert value_words(3.0, "") == "3"


def test_a_chart_is_asked_for_by_the_words_of_its_figure():
    one = SeriesId(step="orders", scope="GET /orders/{id}", metric="p95")
    assert trend_name(one) == "orders-get-orders-id-p95"
    assert trend_name(SeriesId(step="/", scope="/", metric="/")) == "trend"
