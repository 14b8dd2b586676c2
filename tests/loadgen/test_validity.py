"""Validity: what the load generator did decides whether its measurement can be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.messages import Drained
from loadgen.profile.model import Profile
from loadgen.validity import Books, InjectorEnd, Measured, cpu_peak, judge
from reports.load_document import ValidityReport

SOUND = Measured(
    books=Books(offered=1000, dropped=0, sent=1000, completed=1000),
    offered=1000,
    dropped=0,
    completed=1000,
    start_lag_p50_ms=0.05,
    start_lag_p99_ms=0.2,
    cpu={0: [(float(second), 0.3) for second in range(1, 11)]},
    frames_missing=0,
)
ENDED = InjectorEnd(0, 10, Drained(0, 10, 1000, 0, 1000, 1000, 0))


def profile(**parts: Any) -> Profile:
    document: dict[str, Any] = {
        "version": 1,
        "name": "p",
        "target": {"url": "http://localhost"},
        "load": {"phases": [{"name": "hold", "duration": "10s", "rate": 100.0}]},
        "scenarios": [{"name": "a", "flow": [{"get": "/1"}]}],
    }
    return Profile.model_validate(document | parts)


def judged(
    measured: Measured = SOUND,
    *ends: InjectorEnd,
    planned: int | None = 1000,
    of: Profile | None = None,
) -> ValidityReport:
    return judge(measured, of or profile(), ends or (ENDED,), planned=planned)


def books(**values: int) -> Measured:
    return replace(SOUND, books=replace(SOUND.books, **values))


def drained(**values: Any) -> InjectorEnd:
    assert ENDED.drained is not None
    return replace(ENDED, drained=replace(ENDED.drained, **values))


def test_a_sound_measurement_is_valid_and_says_nothing_else() -> None:
    report = judged()
    assert (report.verdict, report.reasons, report.warnings) == ("valid", [], [])
    assert report.start_lag_p99_ms == 0.2
    assert report.cpu_share_max == pytest.approx(0.3)
    assert report.dropped_share == 0


@pytest.mark.parametrize(
    ("measured", "end", "said"),
    [
        pytest.param(
            replace(SOUND, start_lag_p99_ms=25.0), ENDED,
            ("start lag p99 is 25.0 ms", "validity.max_start_lag 10 ms", "--processes 2"),
            id="start lag",
        ),
        pytest.param(
            replace(SOUND, start_lag_p99_ms=25.0, waited_for_connection=True), ENDED,
            ("25.0 ms", "waited for one of 1,000 connections", "raise http.max_connections"),
            id="start lag, for want of connections",
        ),
        pytest.param(
            replace(SOUND, dropped=2), ENDED,
            ("2 of 1,000 arrivals were dropped", "0.1 %", "raise load.max_in_flight"),
            id="dropped",
        ),
        pytest.param(
            replace(SOUND, dropped=500, mean_response_s=2.0, peak_rps=700.0), ENDED,
            ("raise load.max_in_flight to about 2,100", "1,000 requests were in flight"),
            id="dropped, with what would be needed",
        ),
        pytest.param(
            replace(SOUND, dropped=500, mean_response_s=0.01, peak_rps=700.0), ENDED,
            ("raise load.max_in_flight, or lower the rate",), id="dropped, but not on average",
        ),
        pytest.param(
            replace(SOUND, cpu={0: [(second, 0.96) for second in range(1, 9)]}), ENDED,
            ("injector 0 used 96 %", "validity.max_cpu 90 %", "--processes 2"),
            id="CPU",
        ),
        pytest.param(
            SOUND, drained(completed=980, cut=20),
            ("20 of 1,000 requests were cut", "validity.max_cut 1 %", "raise load.drain"),
            id="cut",
        ),
        pytest.param(
            SOUND, replace(ENDED, drained=None, exit_code=-9, ended_at_s=4.25),
            ("injector 0 ended early 4.2 s after the start", "SIGKILL", "nothing was sent"),
            id="killed",
        ),
        pytest.param(
            SOUND, replace(ENDED, drained=None, exit_code=1, words="MemoryError"),
            ("(exit code 1, MemoryError)",), id="crashed",
        ),
        pytest.param(
            SOUND, replace(ENDED, drained=None), ("did not answer any more",), id="silent"
        ),
        pytest.param(
            replace(SOUND, frames_missing=1), ENDED, ("1 frame is missing",), id="frames missing"
        ),
        pytest.param(
            replace(SOUND, completed=0), ENDED,
            ("0 requests were completed", "validity.min_requests 1"), id="nothing measured",
        ),
        pytest.param(
            books(offered=900), replace(drained(offered=900)),
            ("arrivals begun 900, requests sent 1,000",), id="sent without an arrival",
        ),
        pytest.param(
            books(completed=990), ENDED,
            ("completed by the injectors 1,000, by their frames 990",), id="lost on the way",
        ),
        pytest.param(
            SOUND, drained(cut=1),
            ("sent 1,000, completed and cut 1,001",), id="an injector at odds with itself",
        ),
    ],
)  # fmt: skip
def test_a_doubtful_measurement_is_invalid_with_value_limit_and_next_step(
    measured: Measured, end: InjectorEnd, said: tuple[str, ...]
) -> None:
    report = judged(measured, end)
    assert report.verdict == "invalid"
    text = "\n".join(report.reasons).replace("\N{NO-BREAK SPACE}", " ")
    for part in said:
        assert part in text


def test_an_injector_that_ended_early_takes_its_share_of_the_schedule_with_it() -> None:
    other = InjectorEnd(1, 3, None, exit_code=-11, ended_at_s=3.0)
    report = judged(books(offered=699, sent=700, completed=698), ENDED, other)
    assert report.reasons[0].startswith("injector 1 ended early 3.0 s after the start (signal 11")
    assert "1 of 2, is missing" in report.reasons[0]
    assert (report.injectors, report.injectors_ended_early) == (2, 1)
    # Behind the plan, and with books that stop in the middle: consequences, no further reasons.
    assert len(report.reasons) == 1


@pytest.mark.parametrize(
    ("planned", "valid"), [(1000, True), (1010, True), (1011, False), (2000, False), (None, True)]
)
def test_a_load_short_of_its_plan_is_invalid(planned: int | None, *, valid: bool) -> None:
    report = judged(planned=planned)
    assert (report.verdict == "valid") is valid
    if not valid:
        assert f"1,000 of {planned:,} planned arrivals" in report.reasons[0]
        assert "use --processes 2" in report.reasons[0]


def test_data_that_is_used_up_is_no_slow_injector() -> None:
    [reason] = judged(replace(SOUND, data_used_up=True), planned=2000).reasons

    assert "1,000 of 2,000 planned arrivals were due" in reason
    assert "the rows of a feed are used up" in reason
    assert "--processes" not in reason


def test_losses_within_their_limits_are_warnings() -> None:
    seen = replace(SOUND, dropped=1, no_free_connection=3, completed=999)
    report = judged(seen, drained(completed=995, cut=5), of=profile(validity={"max_cut": "1%"}))
    text = "\n".join(report.warnings)
    assert "1 of 1,000 arrivals were dropped" in text
    assert "5 of 1,000 requests were cut" in text
    assert "3 requests found no free connection: http.max_connections is 1,000" in text


@pytest.mark.parametrize(
    "parts",
    [
        {"scenarios": [{"name": "a", "flow": [{"get": "/1"}, {"get": "/2"}]}]},
        {"scenarios": [{"name": "a", "flow": [{"think": 1.0}, {"get": "/2"}]}]},
        {
            "load": {
                "model": "closed",
                "phases": [{"name": "hold", "duration": "10s", "users": 3}],
            }
        },
    ],
    ids=["flows of several steps", "flows that begin with a pause", "users"],
)
def test_arrivals_and_requests_need_not_be_equal_in(parts: dict[str, Any]) -> None:
    seen = books(offered=700)
    assert judged(seen, drained(offered=700), planned=None, of=profile(**parts)).verdict == "valid"


def test_arrivals_that_had_nothing_to_send_are_in_the_books() -> None:
    seen = books(offered=1010)
    assert judged(seen, drained(offered=1010, without_data=9, not_built=1)).verdict == "valid"
    assert judged(seen, drained(offered=1010, without_data=9)).verdict == "invalid"


@pytest.mark.parametrize(("not_built", "verdict"), [(1, "valid"), (2, "invalid")])
def test_requests_that_could_not_be_built_count_as_dropped_ones(
    not_built: int, verdict: str
) -> None:
    seen = books(offered=1000 + not_built)
    report = judged(seen, drained(offered=1000 + not_built, not_built=not_built))
    assert report.verdict == verdict
    (told,) = report.reasons + report.warnings
    assert f"{not_built} of {1000 + not_built:,} requests" in told
    assert "built" in told


def test_flows_that_think_are_under_way_too() -> None:
    flow = [{"get": "/1"}, {"think": 60.0}, {"get": "/2"}]
    of = profile(scenarios=[{"name": "a", "flow": flow}])
    (told,) = judged(replace(SOUND, dropped=500), of=of).reasons
    assert "1,000 flows were under way, those that wait included" in told


def test_flows_that_the_drain_cut_while_they_thought_are_told() -> None:
    flow = [{"get": "/1"}, {"think": 60.0}, {"get": "/2"}]
    of = profile(scenarios=[{"name": "a", "flow": flow}])
    report = judged(SOUND, drained(unfinished=500), of=of)
    assert report.verdict == "valid"
    assert "500 of 1,000 flows" in report.warnings[0]


CLOSED = {"model": "closed", "phases": [{"name": "hold", "duration": "10s", "users": 3}]}


def stalled(in_all_s: float, longest_s: float) -> InjectorEnd:
    times = {"stalled_us": int(in_all_s * 1e6), "longest_stall_us": int(longest_s * 1e6)}
    return replace(drained(**times), ended_at_s=100.0)


def test_users_of_an_injector_that_stood_still_are_no_measure_of_the_api() -> None:
    report = judged(SOUND, stalled(2.0, 0.3), planned=None, of=profile(load=CLOSED))
    assert report.verdict == "invalid"
    assert "injector 0 stood still for 2.00 s in all (2.0" in report.reasons[0]
    assert "up to 300 ms" in report.reasons[0]


@pytest.mark.parametrize("load", [{}, {"load": CLOSED}], ids=["arrivals", "users"])
def test_a_long_stall_is_told_where_few_requests_met_it(load: dict[str, Any]) -> None:
    planned = None if load else 1000
    report = judged(SOUND, stalled(0.9, 0.9), planned=planned, of=profile(**load))
    assert report.verdict == "valid"
    assert "up to 900 ms" in report.warnings[0]
    short = judged(SOUND, stalled(0.9, 0.1), planned=planned, of=profile(**load))
    assert (short.reasons, short.warnings) == ([], [])


def test_one_busy_second_is_not_five() -> None:
    cpu = {0: [(second, 1.0 if second == 5 else 0.2) for second in range(1, 11)]}
    assert judged(replace(SOUND, cpu=cpu)).verdict == "valid"


def test_a_short_run_is_judged_as_a_whole() -> None:
    peak = cpu_peak({0: [(1.0, 0.5), (2.0, 1.0)]})
    assert peak is not None
    assert (peak.share, peak.from_s, peak.to_s) == (0.75, 0.0, 2.0)


def test_the_busiest_injector_counts() -> None:
    quiet, busy = [(float(s), 0.1) for s in range(1, 8)], [(float(s), 0.8) for s in range(1, 8)]
    peak = cpu_peak({0: quiet, 1: busy, 2: []})
    assert peak is not None
    assert peak.injector == 1
    assert cpu_peak({}) is None


@given(st.lists(st.tuples(st.floats(0.1, 3), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_peak_is_between_the_least_and_the_greatest_share(
    steps: list[tuple[float, float]],
) -> None:
    samples, at_s = [], 0.0
    for length_s, share in steps:
        at_s += length_s
        samples.append((at_s, share))
    peak = cpu_peak({0: samples})
    assert peak is not None
    shares = [share for _, share in samples]
    assert min(shares) - 1e-9 <= peak.share <= max(shares) + 1e-9
    whole = sum(length_s * share for length_s, share in steps) / at_s
    assert at_s >= 5 or peak.share == pytest.approx(whole)
