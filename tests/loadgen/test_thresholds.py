"""Thresholds: what a condition says, where it is judged, and when there is nothing to judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from loadgen.condition import CAUSES, COUNTS, LATENCIES, SHARES, WITH_CAUSE, Condition, parse

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
