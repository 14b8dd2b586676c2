"""The parts of a request: they add up, none is negative, and what is unknown is not invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.outcome import Cause, Kind, Outcome
from loadgen.records import RECORD, Records
from loadgen.telemetry.traces import TIMES, Traces, empty_traces
from loadgen.waterfall.build import waterfall_of
from loadgen.waterfall.from_metrics import MetricMedians
from loadgen.waterfall.groups import by_response, group_of, median_of, slowest_of
from loadgen.waterfall.sample import sample_of
from loadgen.waterfall.split import split
from reports.load_waterfall import TimeGroup
from tests.loadgen.made_traces import CHOICE, Truth, made, many

TIMEOUT = Kind(Outcome.TIMEOUT, Cause.RESPONSE_TIMEOUT)
THROTTLED = Kind(Outcome.THROTTLED, Cause.STAGE)


def parts_of(truth: Truth, *others: Truth) -> dict[str, float]:
    """The parts of one request that are known; `others` are of the same run."""
    found = split(*made([truth, *others]))
    return {
        name: round(float(column[0]), 3)
        for name, column in found.parts.items()
        if not np.isnan(column[0])
    }


def groups(records: Records, traces: Traces) -> list[TimeGroup]:
    """All requests around the median, and the slowest."""
    found = split(records, traces)
    ordered = by_response(found.response_ms, np.arange(len(records)))
    return [group_of(found, median_of(ordered)), group_of(found, slowest_of(ordered))]


def group_parts(group: TimeGroup) -> dict[str, float]:
    return {part.part: part.mean_ms for part in group.parts}


CLIENT = {"queue": 1.0, "dns": 0.0, "tcp": 0.0, "tls": 0.0, "response": 2.0}
WHOLE = {"network": 10.0, "gateway": 4.0, "integration": 6.0, "init": 0.0, "handler": 20.0}


@pytest.mark.parametrize(
    ("truth", "others", "expected"),
    [
        (Truth(), [], WHOLE),
        (Truth(init=80.0), [], WHOLE | {"init": 80.0}),
        (Truth(init=80.0, restored=True), [], WHOLE | {"init": 80.0}),
        (Truth(authorizer=9.0), [], WHOLE | {"authorizer": 9.0}),
        (Truth(), [Truth(authorizer=9.0)], WHOLE | {"authorizer": 0.0}),
        (Truth(logged=False, reported=False), [], {"network_api_function": 40.0}),
        (Truth(logged=False), [], {"network_api": 20.0, "init": 0.0, "handler": 20.0}),
        (
            Truth(reported=False),
            [],
            {"network": 10.0, "gateway": 4.0, "integration_function": 26.0},
        ),
    ],
    ids=[
        "all is told",
        "a cold start",
        "a restore",
        "an authorizer",
        "no authorizer, where the log has that of others",
        "no log",
        "a REPORT line alone, as function URLs have it",
        "a log line alone",
    ],
)
def test_a_request_has_the_parts_that_are_told(truth, others, expected):
    assert parts_of(truth, *others) == CLIENT | expected


def test_a_new_connection_is_told_by_look_up_tcp_and_tls():
    found = parts_of(Truth(dns=3.0, tcp=7.0, tls=11.0))
    assert (found["dns"], found["tcp"], found["tls"], found["network"]) == (3.0, 7.0, 11.0, 10.0)


def test_a_refused_request_has_no_integration_where_the_log_knows_integrations():
    records, traces = made([Truth(kind=THROTTLED, status=429, reported=False), Truth()])
    traces["integration_ms"][0] = np.nan
    found = split(records, traces)
    assert found.parts["gateway"][0] == pytest.approx(30.0)
    assert found.parts["integration_function"][0] == 0.0
    assert not found.unmatched[0]


def test_a_log_without_integration_latency_leaves_gateway_and_function_together():
    records, traces = made([Truth(), Truth()])
    traces["integration_ms"] = np.nan
    traces["duration_ms"] = np.nan
    found = split(records, traces)
    assert found.parts["gateway_function"].tolist() == pytest.approx([30.0, 30.0])
    assert np.isnan(found.parts["gateway"]).all()


def test_a_mock_has_neither_handler_nor_unmatched_report():
    mock = Truth(integration=0.0, handler=0.0, reported=False)
    records, traces = made([mock, Truth()])
    found = split(records, traces)
    assert np.isnan(found.parts["handler"][0])
    assert found.parts["integration_function"][0] == 0.0
    assert found.unmatched.tolist() == [False, False]


def test_a_timeout_is_one_part_until_the_client_gave_up():
    records, traces = made([Truth(kind=TIMEOUT, status=0, logged=False, reported=False), Truth()])
    records["first_byte_us"][0] = 0
    records["service_us"][0] = 30_000_000
    found = split(records, traces)
    assert found.parts["no_answer"][0] == 30_000.0
    assert np.isnan(found.parts["network_api_function"][0])
    assert not found.unmatched[0]


def test_requests_of_a_locustfile_are_one_part():
    records, traces = made([Truth(logged=False, reported=False)])
    records["first_byte_us"] = 0
    found = split(records, traces)
    assert found.parts["request"][0] == pytest.approx(42.0)
    assert np.isnan(found.parts["tcp"][0])


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "handler", "init"),
    [(5_000.0, None, 26.0, 0.0), (20.0, 900.0, 20.0, 6.0), (26.4, None, 26.4, 0.0)],
    ids=["the function ran on after the gateway gave up", "INIT was ahead", "rounding"],
)
def test_a_function_takes_no_more_than_the_integration_waited(duration_ms, init_ms, handler, init):
    records, traces = made([Truth()])
    traces["duration_ms"] = duration_ms
    traces["init_ms"] = np.nan if init_ms is None else init_ms
    found = split(records, traces)
    assert found.parts["handler"][0] == pytest.approx(handler, abs=1e-3)
    assert found.parts["init"][0] == pytest.approx(init, abs=1e-3)
    assert found.ran_on[0] == (duration_ms + (init_ms or 0.0) > 28.0)


def test_a_log_that_contradicts_the_client_is_seen_in_the_residual():
    records, traces = made(many(20))
    traces["latency_ms"] = 100.0
    traces["integration_ms"] = 96.0
    whole = waterfall_of(records, traces, CHOICE)
    assert whole is not None
    assert group_parts(whole.median)["network"] == 0.0
    assert whole.median.residual_ms == pytest.approx(43.0 - (100.0 + 1.0 + 2.0), abs=1e-3)


def test_whole_milliseconds_of_the_log_even_out_in_a_group():
    rng = np.random.default_rng(7)
    truths = [
        replace(
            Truth(gateway=0.3, network=0.4, integration=0.6),
            handler=float(rng.uniform(19, 21)),
            authorizer=float(rng.uniform(4, 6)),
        )
        for _ in range(4000)
    ]
    whole = waterfall_of(*made(truths, whole_ms=True), CHOICE)
    assert whole is not None
    found = group_parts(whole.median)
    for name in ("gateway", "network", "integration"):
        assert found[name] == pytest.approx(getattr(truths[0], name), abs=0.1)
    assert abs(whole.median.residual_ms) < 0.02 * whole.median.response_ms


times = st.floats(0.0, 500.0)
maybe = st.none() | times


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    return Truth(
        queue=draw(times),
        tcp=draw(st.just(0.0) | times),
        network=draw(times),
        gateway=draw(times),
        authorizer=draw(maybe),
        integration=draw(times),
        init=draw(maybe),
        handler=draw(times),
        response=draw(times),
        logged=draw(st.booleans()),
        reported=draw(st.booleans()),
        step=draw(st.integers(0, 1)),
    )


@settings(max_examples=60)
@given(st.lists(truths(), min_size=1, max_size=12))
def test_true_parts_add_up_with_nothing_left(requests):
    for group in groups(*made(requests)):
        check(group)
        # 32-bit floats of the traces, and whole microseconds of the client.
        assert abs(group.residual_ms) < 0.02


hostile = st.floats(0.0, 5_000.0, width=32) | st.just(float("nan"))


@settings(max_examples=80)
@given(st.data())
def test_parts_are_never_negative_and_add_up_with_the_residual_whatever_is_told(data):
    n = data.draw(st.integers(1, 8))
    records, traces = np.zeros(n, RECORD), empty_traces(n)
    for record, trace in zip(records, traces, strict=True):
        for name in ("start_us", "service_us", "first_byte_us", "connect_us", "tls_us", "dns_us"):
            record[name] = data.draw(st.integers(0, 3_000_000))
        record["status"] = data.draw(st.sampled_from([0, 200, 429, 500, 504]))
        record["kind"] = data.draw(st.sampled_from([0, TIMEOUT.code, THROTTLED.code]))
        for name in TIMES:
            trace[name] = data.draw(hostile)
    for group in groups(records, traces):
        check(group)


def check(group: TimeGroup) -> None:
    assert all(part.mean_ms >= 0 for part in group.parts)
    total = sum(part.mean_ms for part in group.parts) + group.residual_ms
    assert total == pytest.approx(group.response_ms, abs=0.002)
    assert sum(part.share for part in group.parts) == pytest.approx(
        (group.response_ms - group.residual_ms) / group.response_ms if group.response_ms else 0.0,
        abs=1e-3,
    )


@given(st.integers(1, 2_000))
def test_groups_are_around_the_middle_and_at_the_end(n):
    ordered = np.arange(n)
    middle, slowest = median_of(ordered), slowest_of(ordered)
    assert middle[0] <= (n - 1) / 2 <= middle[-1] + 1
    assert len(middle) <= 0.1 * n + 2
    assert slowest[-1] == n - 1
    assert len(slowest) == max(1, round(0.01 * n))


def test_the_slowest_are_a_group_of_their_own_with_what_slowed_them():
    quick, cold = many(990), many(10, Truth(init=300.0))
    whole = waterfall_of(*made([*quick, *cold]), CHOICE)
    assert whole is not None
    assert group_parts(whole.median)["init"] == 0.0
    assert group_parts(whole.slowest)["init"] == pytest.approx(300.0)
    assert whole.slowest.requests == 10


def test_parts_are_of_requests_with_log_lines_where_most_have_one():
    unseen = Truth(logged=False, reported=False)
    whole = waterfall_of(*made([*many(70), *many(30, unseen)]), CHOICE)
    assert whole is not None
    step = whole.steps[0].median
    assert group_parts(step)["handler"] == pytest.approx(20.0)
    assert step.unmatched_share is not None
    assert step.split == round(step.requests * (1 - step.unmatched_share))


def test_too_few_log_lines_split_nothing():
    unseen = Truth(logged=False, reported=False)
    requests = [one for _ in range(10) for one in (*many(1), *many(9, unseen))]
    whole = waterfall_of(*made(requests), CHOICE)
    assert whole is not None
    assert group_parts(whole.median) == pytest.approx(CLIENT | {"network_api_function": 40.0})
    assert whole.median.unmatched_share is not None
    assert whole.median.unmatched_share > 0.5
    assert [part.part for part in whole.median.parts][-1] == "response"


def test_too_few_report_lines_split_what_the_access_log_tells():
    unseen = Truth(reported=False)
    requests = [one for _ in range(10) for one in (*many(1), *many(9, unseen))]
    whole = waterfall_of(*made(requests), CHOICE)
    assert whole is not None
    parts = {"network": 10.0, "gateway": 4.0, "integration_function": 26.0}
    assert group_parts(whole.median) == pytest.approx(CLIENT | parts)
    assert whole.median.unmatched_share is not None
    assert whole.median.unmatched_share > 0.5
    assert whole.median.split == whole.median.requests


def test_too_few_report_lines_and_no_latency_in_the_log_split_nothing():
    unseen = Truth(logged=False, reported=False)
    requests = [*many(1, Truth(logged=False)), *many(9, unseen)]
    whole = waterfall_of(*made([one for _ in range(10) for one in requests]), CHOICE)
    assert whole is not None
    assert group_parts(whole.median) == pytest.approx(CLIENT | {"network_api_function": 40.0})


def test_refused_requests_are_left_out_where_they_are_many():
    refused = Truth(handler=0.0, integration=0.0, kind=THROTTLED, status=429, reported=False)
    whole = waterfall_of(*made([*many(40), *many(60, refused)]), CHOICE)
    assert whole is not None
    assert (whole.of, whole.requests) == ("ok", 40)
    few = waterfall_of(*made([*many(400), *many(2, refused)]), CHOICE)
    assert few is not None
    assert (few.of, few.requests) == ("completed", 402)


def test_what_is_not_measured_does_not_count():
    assert waterfall_of(*made(many(5, Truth(phase=1))), CHOICE) is None


def test_each_step_has_its_own_groups():
    whole = waterfall_of(*made([*many(20), *many(20, Truth(step=1, handler=70.0))]), CHOICE)
    assert whole is not None
    handlers = {step.step: group_parts(step.median)["handler"] for step in whole.steps}
    assert handlers == pytest.approx({"GET /items": 20.0, "POST /orders": 70.0})


class TestMetrics:
    UNSEEN = Truth(logged=False, reported=False)

    def waterfall(self, medians, truth=UNSEEN):
        whole = waterfall_of(*made(many(50, truth)), CHOICE, medians)
        assert whole is not None
        check(whole.median)
        return whole

    @pytest.mark.parametrize(
        ("medians", "expected"),
        [
            (MetricMedians(30, 26, 20), {"network": 10, "gateway": 4, "integration": 6,
                                         "handler": 20}),
            (MetricMedians(30, 26), {"network": 10, "gateway": 4, "integration_function": 26}),
            (MetricMedians(30), {"network": 10, "gateway_function": 30}),
        ],
        ids=["with Duration", "with IntegrationLatency", "Latency alone"],
    )  # fmt: skip
    def test_differences_of_medians_split_the_median_request(self, medians, expected):
        whole = self.waterfall(medians)
        assert (whole.source, whole.median.unmatched_share) == ("metrics", None)
        found = {part.part: part.mean_ms for part in whole.median.parts if part.from_metrics}
        assert found == pytest.approx(expected)
        assert group_parts(whole.slowest)["network_api_function"] == pytest.approx(40.0)

    def test_metrics_of_other_requests_split_nothing(self):
        whole = self.waterfall(MetricMedians(90, 60))
        assert whole.source == "client"
        assert "of other requests" in whole.notes[0]

    def test_refused_requests_among_them_split_nothing(self):
        refused = replace(self.UNSEEN, kind=THROTTLED, status=429)
        requests = [*many(50, self.UNSEEN), *many(20, refused)]
        whole = waterfall_of(*made(requests), CHOICE, MetricMedians(25, 20))
        assert whole is not None
        assert (whole.of, whole.source) == ("ok", "client")
        assert "refused and failed" in whole.notes[0]

    def test_log_lines_outrank_them(self):
        assert self.waterfall(MetricMedians(1, 1), Truth()).source == "logs"


class TestWhatWasLookedUp:
    def test_a_sample_of_ranges_leaves_the_others_out_and_keeps_timeouts_in(self):
        records, traces = made(many(100))
        records["request_id"] = [f"{number}".encode() for number in range(100)]
        records["request_id"][::9] = b""  # timed out
        sample = sample_of(records, traces, most=40)
        seen = np.flatnonzero(sample.rows)
        assert 40 <= len(seen) < 60
        assert np.isin(seen, np.flatnonzero(records["request_id"] == b"")).any()
        assert (sample.source, sample.note is None) == ("logs", False)

    def test_all_are_looked_up_where_they_are_few(self):
        sample = sample_of(*made(many(5)))
        assert (sample.rows.all(), sample.source, sample.note) == (True, "logs", None)

    @pytest.mark.parametrize(("n", "source"), [(60, "xray"), (10, "client")])
    def test_x_ray_alone_splits_the_requests_that_it_sampled_if_they_are_many(self, n, source):
        unseen = Truth(logged=False, reported=False, network=1.0)
        records, traces = made([*many(n), *many(900, unseen)])
        traces["has_xray"][:n], traces["has_log"], traces["has_report"] = True, False, False
        whole = waterfall_of(records, traces, CHOICE)
        assert whole is not None
        assert whole.source == source
        assert whole.requests == (n if source == "xray" else n + 900)
        assert ("handler" in group_parts(whole.median)) == (source == "xray")

    @pytest.mark.parametrize(
        ("columns", "expected"),
        [
            (("integration_ms",), {"network": 10.0, "gateway_function": 30.0}),
            (("duration_ms",), {"network": 10.0, "gateway": 4.0, "integration_function": 26.0}),
        ],
        ids=["no integration latency in the log", "no REPORT lines"],
    )
    def test_what_x_ray_tells_of_a_few_requests_is_not_taken_for_that_of_all(
        self, columns, expected
    ):
        records, traces = made(many(100))
        sampled = np.arange(100) % 10 == 0
        traces["has_xray"][sampled] = True
        for name in columns:
            traces[name][~sampled] = np.nan
        whole = waterfall_of(records, traces, CHOICE)
        assert whole is not None
        assert group_parts(whole.median) == pytest.approx(CLIENT | expected)
        assert whole.median.unmatched_share == 0

    def test_a_function_without_report_lines_is_split_like_that_beside_one_with_them(self):
        records, traces = made([*many(50), *many(50, Truth(step=1))])
        quiet = records["step"] == 1
        traces["has_xray"] = quiet & (np.arange(100) % 10 == 0)
        traces["duration_ms"][quiet & ~traces["has_xray"]] = np.nan
        whole = waterfall_of(records, traces, CHOICE)
        assert whole is not None
        with_lines, without = (group_parts(step.median) for step in whole.steps)
        assert with_lines["handler"] == pytest.approx(20.0)
        assert without["integration_function"] == pytest.approx(26.0)


def test_a_client_that_knows_no_first_byte_splits_nothing():
    records, traces = made(many(5))
    records["first_byte_us"] = 0
    assert waterfall_of(records, traces, CHOICE) is None
