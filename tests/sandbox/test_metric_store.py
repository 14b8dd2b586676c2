"""The store of metrics against a plain list of values, its bounds, and its delay."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telemetry import metrics as module
from sandbox.telemetry.contract import MetricSink
from sandbox.telemetry.distribution import MAX_VALUES, Distribution, rounded
from sandbox.telemetry.metrics import Metric, MetricStore, Series
from sandbox.telemetry.statistic import statistic

T0 = 1_767_225_600  # a whole day
DIMENSIONS = (("ApiName", "shop"), ("Stage", "prod"))
LATENCY = Metric("AWS/ApiGateway", "Latency", DIMENSIONS)


class Clock:
    def __init__(self, now_s: float = T0 + 600) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def put(store: MetricStore, minute: int, counts: Mapping[float, int], **changes: Any) -> None:
    metric = {"namespace": "AWS/ApiGateway", "name": "Latency", "dimensions": DIMENSIONS}
    given = {**metric, "unit": "Milliseconds", **changes}
    store.add(minute_s=T0 + 60 * minute, counts=counts, **given)


def read(
    store: MetricStore,
    name: str,
    *,
    start: float = 0,
    end: float = 60,
    period_s: int = 60,
    unit: str | None = None,
) -> dict[int, float | None]:
    """By minutes since T0."""
    measure = statistic(name)
    assert measure is not None
    found = store.periods(LATENCY, T0 + 60 * start, T0 + 60 * end, period_s, unit)
    return {(begin_s - T0) // 60: measure(values) for begin_s, values in found}


def of(values: list[float]) -> Distribution:
    return Distribution.of(Counter(values))


def measured(name: str, values: list[float]) -> float | None:
    measure = statistic(name)
    assert measure is not None
    return measure(of(values))


TEN = [float(value) for value in range(10, 101, 10)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 10.0),
        ("Sum", 550.0),
        ("Average", 55.0),
        ("Minimum", 10.0),
        ("Maximum", 100.0),
        ("p0", 10.0),
        ("p10", 10.0),
        ("p10.1", 20.0),
        ("p50", 50.0),
        ("p90", 90.0),
        ("p99.9", 100.0),
        ("P100", 100.0),
        ("tm90", 50.0),
        ("tm95", 55.0),
        ("TM(10%:90%)", 55.0),
        ("TM(:90%)", 50.0),
        ("TM(90%:)", 100.0),
        ("TM(20:50)", 40.0),
        ("TM(:50)", 30.0),
        ("TM(50:)", 80.0),
        ("tc90", 9.0),
        ("TC(20:50)", 3.0),
        ("ts90", 450.0),
        ("TS(10%:30%)", 50.0),
        ("wm90", 54.0),
        ("WM(30:60)", 48.0),
        ("PR(:30)", 30.0),
        ("PR(20:50)", 30.0),
        ("PR(95:)", 10.0),
        ("IQM", 55.0),
    ],
)
def test_statistics_of_ten_values(name: str, expected: float) -> None:
    assert measured(name, TEN) == pytest.approx(expected)


@pytest.mark.parametrize(
    "name",
    [
        *("", "p", "p101", "p-1", "q50", "average", "tm", "tm101", "p99.12345678901"),
        *("TM(:)", "TM(90%:10%)", "TM(10%:90)", "TM(%:50%)", "TM(:101%)", "PR(1%:2%)", "PR(5:5)"),
    ],
)
def test_what_is_no_statistic(name: str) -> None:
    assert statistic(name) is None


@pytest.mark.parametrize("name", ["p50", "tm90", "PR(:3)", "IQM"])
def test_negative_values_and_statistic_sets_have_no_percentiles(name: str) -> None:
    measure = statistic(name)
    assert measure is not None
    assert measure(of([-1.0, 2.0])) is None
    a_set = Distribution.of_set(4, 10.0, 1.0, 4.0)
    assert measure(Distribution.merged([a_set, of([2.0])])) is None
    assert measure(Distribution.of_set(4, 8.0, 2.0, 2.0)) is not None


def test_a_range_without_values_has_a_count_and_no_mean() -> None:
    assert measured("TC(200:300)", TEN) == 0.0
    assert measured("TM(200:300)", TEN) is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(1, 1000))
def test_percentiles_are_the_inverted_distribution(values: list[float], tenths: int) -> None:
    ours = measured(f"p{tenths / 10}", values)
    assert ours == np.percentile(values, tenths / 10, method="inverted_cdf")


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(1, 99))
def test_trimmed_means_lose_only_whole_values_from_the_top(values: list[float], share: int) -> None:
    dropped = math.floor(len(values) * (100 - share) / 100 + 1e-9)
    kept = sorted(values)[: len(values) - dropped]
    assert measured(f"tm{share}", values) == pytest.approx(sum(kept) / len(kept), abs=1e-6)


minutes = st.integers(0, 20)
values = st.floats(0, 1e5)


@given(
    st.lists(st.tuples(minutes, values, st.integers(1, 5)), max_size=40),
    st.integers(0, 10),
    st.integers(1, 20),
    st.sampled_from([60, 120, 300]),
    st.sampled_from([None, "p50"]),
)
def test_periods_are_what_a_plain_list_says(
    added: list[tuple[int, float, int]],
    start: int,
    length: int,
    period_s: int,
    in_between: str | None,
) -> None:
    store = MetricStore(Clock(T0 + 3600))
    expected: dict[int, list[float]] = {}
    for minute, value, count in added:
        put(store, minute, {value: count})
        if in_between is not None:
            read(store, in_between)
        if start <= minute < start + length:
            begin = start + (minute - start) * 60 // period_s * period_s // 60
            expected.setdefault(begin, []).extend([value] * count)
    window = {"start": start, "end": start + length, "period_s": period_s}
    assert read(store, "SampleCount", **window) == {
        begin: len(values) for begin, values in expected.items()
    }
    for begin, median in read(store, "p50", **window).items():
        assert median == np.percentile(expected[begin], 50, method="inverted_cdf")
    for begin, total in read(store, "Sum", **window).items():
        assert total == pytest.approx(sum(expected[begin]))


def test_the_end_is_exclusive_and_the_start_inclusive() -> None:
    store = MetricStore(Clock())
    for minute in range(4):
        put(store, minute, {float(minute): 1})
    assert read(store, "Maximum", start=1, end=3) == {1: 1.0, 2: 2.0}
    # Periods are named by where they begin: here half a minute before their minute.
    assert read(store, "Maximum", start=0.5, end=2.5) == {0: 1.0, 1: 2.0}


def test_units_are_kept_apart() -> None:
    store = MetricStore(Clock())
    put(store, 1, {5.0: 1})
    put(store, 1, {7.0: 1}, unit="Seconds")
    assert store.units(LATENCY) == ["Milliseconds", "Seconds"]
    assert read(store, "Sum", unit="Seconds") == {1: 7.0}
    assert read(store, "Sum") == {1: 12.0}
    assert read(store, "Sum", unit="Bytes") == {}


def test_the_order_of_dimensions_does_not_matter() -> None:
    store = MetricStore(Clock())
    put(store, 1, {5.0: 1}, dimensions=DIMENSIONS[::-1])
    put(store, 1, {5.0: 1})
    assert read(store, "SampleCount") == {1: 2.0}


@pytest.mark.parametrize(
    ("delay_s", "now_s", "seen"),
    [
        pytest.param(0.0, 125.0, {0, 1, 2}, id="no-delay-shows-the-running-minute"),
        pytest.param(0.001, 125.0, {0, 1}, id="a-delay-shows-whole-minutes"),
        pytest.param(60.0, 119.9, set(), id="just-before"),
        pytest.param(60.0, 120.0, {0}, id="from-its-end-and-the-delay-on"),
        pytest.param(60.0, 180.0, {0, 1}, id="a-minute-later"),
    ],
)
def test_the_publication_delay(delay_s: float, now_s: float, seen: set[int]) -> None:
    store = MetricStore(Clock(T0 + now_s))
    for minute in range(3):
        put(store, minute, {1.0: 1})
    store.delay_s = delay_s
    assert set(read(store, "Sum")) == seen
    assert bool(store.metrics(T0)) == bool(seen)


def test_sources_are_drained_before_each_read() -> None:
    class Source:
        def drain(self, sink: MetricSink) -> None:
            sink.add(LATENCY.namespace, "Latency", DIMENSIONS, "Milliseconds", T0, {1.0: 1})

    store = MetricStore(Clock())
    store.register(Source())
    assert read(store, "SampleCount") == {0: 1.0}
    assert read(store, "SampleCount") == {0: 2.0}
    assert store.metrics(T0) == [LATENCY]
    assert read(store, "SampleCount") == {0: 4.0}


def test_many_distinct_values_are_rounded_and_their_sums_are_not() -> None:
    rng = np.random.default_rng(5)
    drawn = rng.lognormal(3, 1, 50_000)
    store = MetricStore(Clock())
    for chunk in np.split(drawn, 10):
        put(store, 1, dict.fromkeys(chunk.tolist(), 1))
    ((_, found),) = store.periods(LATENCY, T0, T0 + 600, 60)
    assert len(found.values) <= MAX_VALUES
    assert read(store, "SampleCount") == {1: 50_000.0}
    assert read(store, "Sum")[1] == pytest.approx(drawn.sum())
    assert read(store, "Maximum") == {1: drawn.max()}
    for share in (1, 50, 99, 99.9):
        exact = np.percentile(drawn, share, method="inverted_cdf")
        assert read(store, f"p{share}")[1] == pytest.approx(exact, rel=0.006)


def test_up_to_the_limit_values_are_exact() -> None:
    store = MetricStore(Clock())
    drawn = np.random.default_rng(6).lognormal(3, 1, MAX_VALUES)
    put(store, 1, dict.fromkeys(drawn.tolist(), 1))
    assert read(store, "p99")[1] == np.percentile(drawn, 99, method="inverted_cdf")


def test_the_oldest_minutes_go_when_the_store_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STORED_VALUES", 5 * (module.POINT_COST + 10))
    store = MetricStore(Clock(T0 + 3600))
    for minute in range(20):
        put(store, minute, {float(value): 1 for value in range(10)})
        read(store, "Sum")
    assert sorted(read(store, "SampleCount")) == [15, 16, 17, 18, 19]
    assert store._cost == 5 * (module.POINT_COST + 10)


def test_a_late_minute_in_a_full_store_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STORED_VALUES", 3 * (module.POINT_COST + 1))
    store = MetricStore(Clock(T0 + 3600))
    for minute in (5, 6, 7, 1, 1, 2):
        put(store, minute, {1.0: 1})
    assert sorted(read(store, "SampleCount")) == [5, 6, 7]
    assert store._cost == 3 * (module.POINT_COST + 1)


def test_after_fifteen_days_minutes_and_their_metrics_are_gone() -> None:
    clock = Clock(T0 + 60)
    store = MetricStore(clock)
    put(store, 0, {1.0: 1}, name="Old")
    clock.now_s = T0 + module.RETENTION_S + 120
    put(store, 0, {1.0: 1}, name="TooLate")
    put(store, 15 * 24 * 60, {1.0: 1}, name="New")
    assert [metric.name for metric in store.metrics(0)] == ["New"]
    assert set(store._by_metric) == {Metric(LATENCY.namespace, "New", DIMENSIONS)}


def test_more_metrics_than_it_holds_are_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MAX_SERIES", 2)
    store = MetricStore(Clock())
    for number in range(4):
        put(store, 0, {1.0: 1}, name=f"m{number}")
    assert [metric.name for metric in store.metrics(0)] == ["m0", "m1"]
    assert caplog.text.count("new ones are dropped") == 1
    known, new = (
        Series(Metric(LATENCY.namespace, name, DIMENSIONS), "Milliseconds") for name in ("m0", "m9")
    )
    assert store.has_room([known])
    assert not store.has_room([known, new])


def test_ten_minutes_of_load_stay_small() -> None:
    """5,000 requests/s whose latencies hardly repeat, in two metrics."""
    rng = np.random.default_rng(7)
    store = MetricStore(Clock(T0 + 3600))
    for minute in range(10):
        for _ in range(3):
            drawn = dict.fromkeys(rng.lognormal(3, 1, 10_000).tolist(), 10)
            for name in ("Latency", "IntegrationLatency"):
                put(store, minute, drawn, name=name)
    assert store._cost <= 10 * 2 * (MAX_VALUES + module.POINT_COST) + 2 * 3 * MAX_VALUES
    assert read(store, "SampleCount") == dict.fromkeys(range(10), 300_000.0)


@given(
    st.lists(st.floats(-1e100, 1e100).filter(lambda v: v == 0 or abs(v) > 1e-200), min_size=1),
    st.integers(1, 6),
)
def test_rounding_keeps_so_many_digits(values: list[float], digits: int) -> None:
    for value, result in zip(values, rounded(np.asarray(values), digits).tolist(), strict=True):
        assert result == pytest.approx(value, rel=0.5001 * 10 ** (1 - digits), abs=0)


def test_rounded_values_are_those_that_people_write() -> None:
    values = np.asarray([0.12345, 12.3449, 1234.5, 98765.4, 0.0, 5e-320, 1e250])
    assert rounded(values, 4).tolist() == [0.1234, 12.34, 1234.0, 98770.0, 0.0, 0.0, 1e250]
