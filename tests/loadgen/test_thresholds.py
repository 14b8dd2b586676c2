"""Thresholds: what a condition says, where it is judged, and when there is nothing to judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from loadgen.condition import CAUSES, COUNTS, LATENCIES, SHARES, WITH_CAUSE, Condition, parse
from loadgen.messages import PhaseCount
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.thresholds import Abort, check, evaluate, rules_of, so_far
from reports.load_document import ThresholdResult
from tests.loadgen.made_runs import Made, Seen, profile_of, tally_of

# -- what a condition says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("p50(response) < 300ms", Condition("percentile", "response", "<", 300, 50)),
        ("p99.9(service) <= 2s", Condition("percentile", "service", "<=", 2000, 99.9)),
        ("p5(connect) > 250us", Condition("percentile", "connect", ">", 0.25, 5)),
        ("max(first_byte) < 1.5s", Condition("max", "first_byte", "<", 1500)),
        ("mean(ok_response) < 80ms", Condition("mean", "ok_response", "<", 80)),
        ("rate(throttled) < 1%", Condition("rate", "throttled", "<", 0.01)),
        ("rate(ok) >= 0.999", Condition("rate", "ok", ">=", 0.999)),
        ("rate(dropped) == 0", Condition("rate", "dropped", "==", 0)),
        ("rate(failed) < 0.05%", Condition("rate", "failed", "<", 0.0005)),
        (
            "rate(throttled:stage) < 5%",
            Condition("rate", "throttled", "<", 0.05, cause="stage"),
        ),
        (
            " count( throttled : quota )==0 ",
            Condition("count", "throttled", "==", 0, cause="quota"),
        ),
        ("rps(admitted) > 50", Condition("rps", "admitted", ">", 50)),
        ("rps(offered) >= 99.5/s", Condition("rps", "offered", ">=", 99.5)),
    ],
)
def test_a_condition_is_read(text: str, condition: Condition) -> None:
    assert parse(text) == condition


@pytest.mark.parametrize(
    ("text", "wrong", "meant"),
    [
        ("", "must be a condition such as", None),
        ("fast", "must be a condition such as", None),
        ("p95 < 300ms", "in parentheses", "p95(response) < 300ms"),
        ("throttled < 1%", "in parentheses", "rate(throttled) < 1%"),
        ("errors < 1%", "in parentheses", "rate(failed) < 1%"),
        ("p(95) < 300ms", "must say what is measured", "p95(response)"),
        ("p95(latency) < 300ms", "not known of 'latency'", "p95(response)"),
        ("p99(respons) < 300ms", "not known of 'respons'", "p99(response)"),
        ("p95(throttled) < 1s", "expected response, service", None),
        ("p100(service) < 1s", "no percentile", "max(service)"),
        ("p0(service) < 1s", "no percentile", None),
        ("avg(response) < 1s", "'avg' is no measure", "mean(response)"),
        ("P95(response) < 1s", "'P95' is no measure", "p95(response)"),
        ("rate(5xx) < 1%", "not known of '5xx'", "rate(server_error)"),
        ("rate(429) < 1%", "not known of '429'", "rate(throttled)"),
        ("rate(offered) < 1%", "not known of 'offered'", None),
        ("rate(throttled:stge) < 1%", "'stge' is no cause", "throttled:stage"),
        ("rate(ok:stage) < 1%", "'ok' has no causes", None),
        ("p95(response)", "must compare with a limit", None),
        ("p95(response) 300ms", "must compare with a limit", None),
        ("p95(response) =< 300ms", "'=<' is no operator", "<="),
        ("p95(response) != 300ms", "'!=' is no operator", None),
        ("p95(response) < ", "must be a number", None),
        ("p95(response) < 300", "must be in us, ms or s", "300ms"),
        ("p95(response) < 3min", "must be in us, ms or s", None),
        ("p95(response) < -3ms", "must be a number", None),
        ("p95(response) < 3ms or so", "must be a number", None),
        ("rate(failed) < 5", "at most 100%", "5%"),
        ("rate(failed) < 500%", "at most 100%", None),
        ("rate(failed) < 5ms", "must be a share", None),
        ("count(ok) > 1.5", "must be a whole number", None),
        ("count(ok) > 1%", "must be a whole number", None),
        ("rps(ok) > 5ms", "requests a second", None),
        ("rps(ok) > 1" + "0" * 400, "too large", None),
    ],
)
def test_what_is_wrong_with_a_condition_is_said_with_what_was_meant(
    text: str, wrong: str, meant: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    message = str(caught.value)
    assert wrong in message
    if meant is not None:
        assert f"did you mean {meant}?" in message


OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "=="])
NUMBERS = st.floats(0, 1e9, allow_nan=False).map(lambda value: float(f"{value:.15g}"))
PERCENTS = st.one_of(
    st.integers(1, 99).map(float), st.integers(1, 999_999).map(lambda n: n / 10_000)
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    measure = draw(st.sampled_from(["percentile", "max", "mean", "rate", "count", "rps"]))
    operator = draw(OPERATORS)
    if measure in ("percentile", "max", "mean"):
        percent = draw(PERCENTS) if measure == "percentile" else None
        return Condition(
            measure, draw(st.sampled_from(LATENCIES)), operator, draw(NUMBERS), percent
        )
    subject = draw(st.sampled_from(SHARES if measure == "rate" else COUNTS))
    cause = draw(st.none() | st.sampled_from(CAUSES)) if subject in WITH_CAUSE else None
    limit = {
        "rate": st.floats(0, 1),
        "count": st.integers(0, 10**9).map(float),
        "rps": NUMBERS,
    }[measure]
    return Condition(measure, subject, operator, draw(limit), cause=cause)


@given(conditions())
def test_the_text_of_a_condition_parses_to_the_same_condition(condition: Condition) -> None:
    assert parse(str(condition)) == condition


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_an_input_error(text: str) -> None:
    try:
        condition = parse(text)
    except InputError:
        return
    assert parse(str(condition)) == condition


@given(conditions(), st.floats(0, 1e9), st.floats(0, 1e9))
def test_of_two_values_the_worse_one_is_not_the_only_one_that_holds(
    condition: Condition, one: float, other: float
) -> None:
    worse, better = sorted((one, other), key=condition.badness, reverse=True)
    assert condition.holds(better) or not condition.holds(worse)


# -- where it is judged ---------------------------------------------------------------------------

THROTTLED = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE)
BY_STAGE = Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.CONFIGURATION)
BROKEN = Kind(Outcome.SERVER_ERROR, Cause.UNKNOWN, Evidence.WIRE)
HOLD = {"name": "hold", "duration": "10s", "rate": 10.0}
STEADY = [Seen(second) for second in range(10)]


def judged(
    *thresholds: str | dict[str, Any],
    seen: Sequence[Seen] = STEADY,
    phases: Sequence[dict[str, Any]] = (HOLD,),
    until_s: float | None = None,
    made: Made | None = None,
) -> list[ThresholdResult]:
    profile = profile_of(*phases, thresholds=thresholds)
    tally = tally_of(profile, made or Made(seen))
    tally.until_us = None if until_s is None else round(until_s * 1e6)
    return evaluate(rules_of(profile.thresholds, tally.phases, tally.steps), tally)


def one(threshold: str | dict[str, Any], **rest: Any) -> ThresholdResult:
    [result] = judged(threshold, **rest)
    return result


@pytest.mark.parametrize(
    ("text", "value", "ok"),
    [
        ("p95(response) < 101ms", 100.0, True),
        ("max(response) < 100ms", 100.0, False),
        ("max(response) <= 100ms", 100.0, True),
        ("mean(service) < 100ms", 99.0, True),
        ("p50(ok_response) < 1ms", 100.0, False),
        ("rate(ok) > 99%", 80 / 110, False),
        ("rate(throttled) < 20%", 20 / 110, True),
        ("rate(failed) < 10%", 10 / 110, True),
        ("rate(server_error) == 0", 10 / 110, False),
        ("rate(admitted) > 80%", 90 / 110, True),
        ("rate(dropped) == 0%", 0.0, True),
        ("count(throttled) == 20", 20.0, True),
        ("count(completed) > 110", 110.0, False),
        ("count(dropped) == 0", 0.0, True),
        ("rps(offered) >= 11", 11.0, True),
        ("rps(admitted) > 9", 9.0, False),
        ("rps(ok) > 7.5", 8.0, True),
    ],
)
def test_a_threshold_is_judged_over_the_whole_run(text: str, value: float, *, ok: bool) -> None:
    seen = [Seen(second) for second in range(8)]
    seen += [Seen(8, 10, kind=THROTTLED), Seen(9, 10, kind=BY_STAGE), Seen(9, 10, kind=BROKEN)]
    result = one(text, seen=seen)
    assert result.ok is ok
    assert result.value == pytest.approx(value, rel=1e-3)
    assert result.scope == "the run"


def test_dropped_is_a_share_of_what_was_offered() -> None:
    counts = [PhaseCount(0, 0, offered=100, dropped=25, sent=75)]
    made = Made([Seen(0, 75)], counts=counts, seconds=10)
    assert one("rate(dropped) < 20%", made=made).value == 0.25
    assert one("count(offered) == 100", made=made).ok


@pytest.mark.parametrize(
    ("text", "value", "ok"),
    [
        ("rate(throttled:throttle) < 25%", 0.2, True),  # named or not
        ("count(throttled:stage) < 5", 10.0, False),  # surely 10, perhaps 20
        ("count(throttled:stage) > 5", 10.0, True),
        ("count(throttled:stage) < 15", 10.0, None),
        ("count(throttled:method) == 0", 0.0, None),
        ("count(throttled:quota) == 0", 0.0, True),  # a throttle is no quota
        ("rate(failed:unknown) == 0", 0.0, True),
    ],
)
def test_a_cause_that_nothing_names_leaves_the_answer_open(
    text: str, value: float, *, ok: bool | None
) -> None:
    seen = [Seen(0, 80), Seen(1, 10, kind=THROTTLED), Seen(2, 10, kind=BY_STAGE)]
    result = one(text, seen=seen)
    assert (result.ok, result.value) == (ok, value)
    assert bool(result.detail) is (ok is None or "stage" in text)


@pytest.mark.parametrize(
    ("cause", "evidence", "open_"),
    [
        (Cause.UNKNOWN, Evidence.WIRE, True),
        (Cause.NONE, Evidence.NONE, True),
        (Cause.NONE, Evidence.RULE, False),
        (Cause.APPLICATION, Evidence.ACCESS_LOG, False),
        (Cause.INTEGRATION_TIMEOUT, Evidence.WIRE, False),
    ],
)
@pytest.mark.parametrize(
    "text", ["count(throttled:lambda_concurrency) == 0", "rate(throttled:lambda_concurrency) < 1%"]
)
def test_a_server_error_that_nothing_explains_may_be_a_throttle_of_lambda(
    text: str, cause: Cause, evidence: Evidence, *, open_: bool
) -> None:
    kind = Kind(Outcome.SERVER_ERROR, cause, evidence)
    result = one(text, seen=[Seen(0, 80), Seen(1, 20, kind=kind)])
    assert result.ok is (None if open_ else True)
    assert result.value == 0
    assert ("may be of this one" in result.detail) is open_


def test_server_errors_do_not_make_other_throttles_doubtful() -> None:
    seen = [Seen(0, 80), Seen(1, 20, kind=BROKEN)]
    assert one("count(throttled:stage) == 0", seen=seen).ok
    assert one("count(failed:lambda_concurrency) == 0", seen=seen).ok is None
    assert one("count(throttled:lambda_concurrency) > 20", seen=seen).ok is False


def test_steps_and_phases_narrow_the_scope() -> None:
    phases = [{"name": "warm", "duration": "5s", "rate": 10.0, "measure": False}, HOLD]
    seen = [Seen(2, ms=900), Seen(6, ms=50, phase=1), Seen(7, ms=200, step=1, phase=1)]
    results = judged(
        "max(response) < 1s",
        {"that": "max(response) < 1s", "step": "browse items"},
        {"that": "max(response) < 1s", "step": "POST /orders", "phase": "hold"},
        {"that": "max(response) < 1s", "phase": "warm"},
        seen=seen,
        phases=phases,
    )
    assert [result.value for result in results] == [200, 50, 200, 900]
    assert [result.scope for result in results] == [
        "the run",
        "step browse items",
        "step POST /orders in phase hold",
        "phase warm",
    ]


def test_steps_of_one_name_are_judged_together() -> None:
    scenarios = [
        {"name": "a", "flow": [{"get": "/x"}]},
        {"name": "b", "flow": [{"get": "/x"}]},
    ]
    profile = profile_of(
        HOLD, scenarios=scenarios, thresholds=[{"that": "count(ok) == 20", "step": "GET /x"}]
    )
    tally = tally_of(profile, Made([Seen(0, step=0), Seen(1, step=1)]))
    assert evaluate(rules_of(profile.thresholds, tally.phases, tally.steps), tally)[0].ok


@pytest.mark.parametrize(
    ("threshold", "wrong"),
    [
        ("p95(respons) < 1s", "did you mean p95(response)"),
        ({"that": "p95(response) < 1s", "step": "GET /y"}, "there is no step 'GET /y'"),
        ({"that": "p95(response) < 1s", "phase": "held"}, "there is no phase 'held'"),
        ({"that": "rate(dropped) < 1%", "step": "POST /orders"}, "belong to no step"),
        ({"that": "rate(ok) < 1%", "window": "500ms"}, "must be whole seconds"),
        ({"that": "rate(ok) < 1%", "for": 3}, "give window as well"),
    ],
    ids=["condition", "step", "phase", "arrivals of a step", "window", "for without window"],
)
def test_what_cannot_be_judged_is_said_with_its_place(
    threshold: str | dict[str, Any], wrong: str
) -> None:
    with pytest.raises(InputError, match=r"^thresholds\[1\]: ") as caught:
        judged("rate(ok) > 1%", threshold)
    assert wrong in str(caught.value)


@pytest.mark.parametrize(
    ("threshold", "reason"),
    [
        ("p95(response) < 1s", "no request completed"),
        ("p95(connect) < 1s", "no connection was made"),
        ("rate(ok) > 1%", "no request completed"),
        ("rate(dropped) < 1%", "no arrival was due"),
        ("count(ok) > 1", "nothing was sent"),
        ({"that": "rps(ok) > 1", "phase": "later"}, "no time was measured"),
        ({"that": "p95(response) < 1s", "window": "2s"}, "no request completed"),
        ({"that": "p95(response) < 1s", "window": "20s", "for": 2}, "shorter than 2 x 20 s"),
    ],
)
def test_over_nothing_measured_there_is_no_answer(
    threshold: str | dict[str, Any], reason: str
) -> None:
    phases = [HOLD, {"name": "later", "duration": "10s", "rate": 1.0}]
    result = one(threshold, seen=[], phases=phases, until_s=10)
    assert (result.ok, result.value, result.detail) == (None, None, reason)


def windowed(**rest: Any) -> dict[str, Any]:
    return {"that": "max(response) < 500ms", "window": "3s", **rest}


def with_slow(*slow: int, last: int = 20) -> list[Seen]:
    return [Seen(second, ms=1000 if second in slow else 100) for second in range(last)]


LONG = ({"name": "hold", "duration": "20s", "rate": 10.0},)


def test_a_window_that_fails_fails_the_threshold_and_is_named() -> None:
    result = one(windowed(), seen=with_slow(7), phases=LONG)
    assert result.ok is False
    assert result.value == pytest.approx(1000, rel=1e-3)
    assert result.scope == "the run, each 3 s"
    assert result.detail in {f"worst window: second {n} to {n + 3}" for n in (5, 6, 7)}


def test_windows_slide_by_a_second() -> None:
    # 12 requests lie in second 4 to 7, and in no window that begins at 0, 3, 6.
    seen = [Seen(second, 6 if second in (5, 6) else 1) for second in range(20)]
    result = one({"that": "count(ok) < 13", "window": "3s"}, seen=seen, phases=LONG)
    assert result.value == 13


@pytest.mark.parametrize(
    ("slow", "ok"),
    [((4,), True), ((4, 5), False), ((4, 7), False), ((4, 9), False), ((4, 11), True)],
    ids=["one second", "neighbours", "two windows", "far ends of two windows", "too far apart"],
)
def test_windows_in_a_row_touch_and_must_all_fail(slow: tuple[int, ...], *, ok: bool) -> None:
    result = one(windowed(**{"for": 2}), seen=with_slow(*slow), phases=LONG)
    assert result.ok is ok
    assert result.scope == "the run, 2 times 3 s in a row"


def test_nothing_counts_before_after() -> None:
    seen = with_slow(0, 1)
    assert one({"that": "max(response) < 500ms", "after": "2s"}, seen=seen, phases=LONG).ok
    assert one(windowed(after="2s"), seen=seen, phases=LONG).ok
    assert one(windowed(after="1s"), seen=seen, phases=LONG).ok is False
    # Of a phase it counts from the beginning of the phase.
    phases = [{"name": "a", "duration": "5s", "rate": 1.0}, HOLD]
    late = [Seen(5, ms=1000, phase=1), Seen(8, phase=1)]
    scoped = {"that": "max(response) < 500ms", "phase": "hold", "after": "2s"}
    result = one(scoped, seen=late, phases=phases)
    assert (result.ok, result.scope) == (True, "phase hold after 2 s")


def test_a_lower_bound_has_its_worst_window_where_the_value_is_least() -> None:
    seen = [Seen(second, 2 if second == 9 else 10) for second in range(20)]
    result = one({"that": "rps(ok) > 5", "window": "1s"}, seen=seen, phases=LONG)
    assert (result.ok, result.value) == (False, 2.0)
    assert result.detail == "worst window: second 9 to 10"


def test_a_run_that_was_stopped_has_no_windows_after_that() -> None:
    seen = [Seen(second) for second in range(10)]
    threshold = {"that": "rps(ok) > 5", "window": "2s"}
    assert one(threshold, seen=seen, phases=LONG, until_s=10).ok
    assert one(threshold, seen=seen, phases=LONG).ok is False


def test_a_scope_shorter_than_the_window_is_one_window() -> None:
    result = one(windowed(window="60s"), seen=with_slow(7), phases=LONG)
    assert result.ok is False


def test_a_burst_at_once_counts_as_one_second() -> None:
    phases = [{"name": "spike", "burst": 50}]
    assert one("rps(offered) == 50", seen=[Seen(0, 50)], phases=phases).ok


# -- while it goes on -----------------------------------------------------------------------------


def live(
    *thresholds: str | dict[str, Any], seen: Sequence[Seen], now_s: float
) -> tuple[Abort | None, list[ThresholdResult]]:
    profile = profile_of(*LONG, thresholds=thresholds)
    tally = tally_of(profile, Made(seen))
    rules = rules_of(profile.thresholds, tally.phases, tally.steps)
    return check(rules, tally, now_s), so_far(rules, tally, now_s)


def aborting(that: str, **rest: Any) -> dict[str, Any]:
    return {"that": that, "abort": True, **rest}


def test_a_threshold_that_does_not_hold_ends_the_run() -> None:
    abort, _ = live("rate(ok) > 1%", aborting("rate(ok) > 99%"), seen=[
        Seen(0), Seen(1, kind=BROKEN), Seen(2), Seen(3)
    ], now_s=4)  # fmt: skip
    assert abort == Abort(1, 4, 0.5, "rate(ok) > 99%", "the run")


def test_without_abort_it_does_not() -> None:
    abort, _ = live("rate(ok) > 99%", seen=[Seen(0, kind=BROKEN), *STEADY[1:]], now_s=9)
    assert abort is None


def test_a_second_is_not_judged_before_it_is_two_seconds_old() -> None:
    seen = [*STEADY[:5], Seen(5, kind=BROKEN), *STEADY[6:]]
    threshold = aborting("rate(failed) == 0")
    assert live(threshold, seen=seen, now_s=7.9)[0] is None
    assert live(threshold, seen=seen, now_s=8.0)[0] is not None


def test_windows_are_looked_at_again_for_those_that_took_long() -> None:
    seen = with_slow(4)
    threshold = aborting("max(response) < 500ms", window="1s")
    assert live(threshold, seen=seen, now_s=7)[0] is not None
    assert live(threshold, seen=seen, now_s=8)[0] is None
    assert live(threshold, seen=seen, now_s=12)[0] is not None


@pytest.mark.parametrize("now_s", [0.0, 1.0, 2.5])
def test_at_the_beginning_nothing_is_known(now_s: float) -> None:
    abort, [result] = live(aborting("rate(ok) < 1%"), seen=[Seen(0)], now_s=now_s)
    assert abort is None
    assert (result.ok, result.detail) == (None, "not yet")


@pytest.mark.parametrize(
    ("that", "ends"),
    [("count(ok) > 1000", False), ("count(ok) == 1000", False), ("count(ok) == 5", True)],
)
def test_a_count_that_can_still_be_reached_ends_nothing(that: str, *, ends: bool) -> None:
    assert (live(aborting(that), seen=STEADY, now_s=10)[0] is not None) is ends


@pytest.mark.parametrize(
    ("that", "now_s", "stands"),
    [
        ("count(ok) > 1000", 10, (None, "not yet")),
        ("count(ok) == 1000", 10, (None, "not yet")),
        ("count(ok) == 5", 10, (False, "")),
        ("count(ok) >= 2", 10, (True, "")),
        ("count(ok) < 5", 10, (False, "")),
        ("rps(ok) > 1000", 10, (False, "")),
        ("count(ok) > 1000", 21.9, (None, "not yet")),
        ("count(ok) > 1000", 22, (False, "")),
    ],
)
def test_a_count_that_can_still_be_reached_is_not_broken_yet(
    that: str, now_s: float, stands: tuple[bool | None, str]
) -> None:
    steady = [Seen(second) for second in range(23)]
    _, [result] = live(that, seen=steady, now_s=now_s)
    assert (result.ok, result.detail) == stands
    assert result.value is not None


def test_a_window_that_is_over_reaches_nothing_any_more() -> None:
    _, [result] = live({"that": "count(ok) > 30", "window": "3s"}, seen=STEADY, now_s=10)
    assert result.ok is False


def test_no_window_is_the_worst_where_all_say_the_same() -> None:
    same = one(windowed(), seen=[Seen(second) for second in range(20)], phases=LONG)
    assert (same.ok, same.detail) == (True, "")


def test_a_threshold_stands_as_its_last_window_does() -> None:
    _, [whole, window] = live(
        "max(response) < 500ms", windowed(), seen=with_slow(1, last=12), now_s=12
    )
    assert whole.ok is False
    assert window.ok
    assert window.detail == "last window: second 7 to 10"


def test_what_ended_a_run_has_failed_whatever_came_after() -> None:
    profile = profile_of(*LONG, thresholds=[aborting("max(response) < 500ms")])
    tally = tally_of(profile, Made(STEADY))
    rules = rules_of(profile.thresholds, tally.phases, tally.steps)
    [result] = evaluate(rules, tally, Abort(0, 6.0, 700.0, "max(response) < 500ms", "the run"))
    assert (result.ok, result.aborted, result.value) == (False, True, 700.0)
    assert result.detail == "ended the run at second 6"
