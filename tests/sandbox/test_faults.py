"""Faults on request: what is accepted, who is hit, and when it ends."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from core.errors import InputError
from sandbox.faults import (
    Fault,
    FaultSet,
    LambdaThrottleFault,
    LatencyFault,
    StatusFault,
    ThrottleControlPlaneFault,
    parse_fault,
)
from sandbox.faults.fault_set import MAX_FAULTS
from sandbox.faults.kinds import KINDS
from sandbox.faults.rate_rule import RateRule

ORDERS = ("api1", "prod")
ROUTE = "GET /orders/{id}"

# One document for each kind with all that it needs.
SMALLEST: dict[str, dict[str, Any]] = {
    "latency": {"ms": 200},
    "status": {"status": 503},
    "reset": {},
    "stall": {"ms": 1000},
    "slow-body": {"bytes_per_s": 1000},
    "waf": {},
    "throttle-control-plane": {},
    "late-metrics": {"delay_s": 60},
    "late-logs": {"delay_s": 60},
    "lambda-throttle": {},
    "lambda-error": {},
}


def add(faults: FaultSet, kind: str, now_s: float = 0.0, **settings: Any) -> Fault:
    return faults.add(parse_fault({"kind": kind, **SMALLEST[kind], **settings}), now_s)


def picked(
    faults: FaultSet, now_s: float = 0.0, seed: int = 0, api_name: str | None = "orders"
) -> list[str]:
    hit = faults.pick(ORDERS, ROUTE, now_s, Random(seed), api_name)
    return [fault.id for fault in hit]


# What is accepted


def test_there_is_a_smallest_document_for_each_kind() -> None:
    assert sorted(SMALLEST) == sorted(KINDS)


@pytest.mark.parametrize("kind", SMALLEST)
def test_each_kind_is_read_and_shown_with_its_settings(kind: str) -> None:
    fault = add(FaultSet(), kind, for_s=30)

    shown = fault.document(10.0)

    assert {"id": "f1", "kind": kind, "for_s": 30, "left_s": 20, "hits": 0}.items() <= shown.items()
    assert SMALLEST[kind].items() <= shown.items()


@pytest.mark.parametrize("kind", SMALLEST)
def test_each_kind_refuses_a_setting_that_it_does_not_have(kind: str) -> None:
    with pytest.raises(InputError, match=f"fault {kind}: color: this kind has no such setting"):
        parse_fault({"kind": kind, **SMALLEST[kind], "color": "red"})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "fault: must be a JSON object"),
        ({}, "fault: kind: must be one of latency, status, reset"),
        ({"kind": "fire"}, "(got 'fire')"),
        ({"kind": ["waf"]}, "(got ['waf'])"),
        ({"kind": "latency"}, "fault latency: ms: is needed"),
        ({"kind": "latency", "ms": 0}, "ms: Input should be greater than 0 (got 0)"),
        ({"kind": "latency", "ms": float("nan")}, "ms: Input should be a finite number"),
        ({"kind": "latency", "ms": 1, "where": "moon"}, "'integration' or 'gateway' (got 'moon')"),
        ({"kind": "latency", "ms": 1, "function": "f"}, "function: this kind has no such setting"),
        ({"kind": "latency", "ms": 1, "share": 0}, "share: Input should be greater than 0 (got 0)"),
        ({"kind": "latency", "ms": 1, "share": 1.5}, "share: Input should be less than or equal"),
        ({"kind": "latency", "ms": 1, "count": 0}, "count: Input should be greater than or equal"),
        ({"kind": "latency", "ms": 1, "for_s": -1}, "for_s: Input should be greater than 0"),
        ({"kind": "latency", "ms": 1, "api": ""}, "api: String should have at least 1 character"),
        ({"kind": "status", "status": 404}, "status: Input should be greater than or equal to 500"),
        ({"kind": "stall", "ms": 1, "then": "explode"}, "'continue' or 'end' (got 'explode')"),
        ({"kind": "slow-body", "bytes_per_s": 0}, "bytes_per_s: Input should be greater than"),
        ({"kind": "lambda-throttle", "reason": "tired"}, "reason: Input should be"),
        ({"kind": "late-logs", "delay_s": 1, "share": 0.5}, "share: this kind has no such setting"),
        (
            {"kind": "throttle-control-plane", "share": 0.5, "rate_rps": 10},
            "fault throttle-control-plane: share: not together with rate_rps (got 0.5)",
        ),
        (
            {"kind": "throttle-control-plane", "burst": 10},
            "fault throttle-control-plane: burst: needs rate_rps (got 10)",
        ),
        ({"kind": "waf", "rate_limit": 0}, "rate_limit: Input should be greater than or equal"),
        ({"kind": "waf", "window_s": 60}, "fault waf: window_s: needs rate_limit (got 60)"),
        ({"kind": "waf", "check_s": 1}, "fault waf: check_s: needs rate_limit (got 1)"),
        (
            {"kind": "waf", "rate_limit": 9, "share": 0.5},
            "fault waf: share: not together with rate_limit (got 0.5)",
        ),
        (
            {"kind": "waf", "rate_limit": 9, "window_s": 2, "check_s": 3},
            "fault waf: check_s: must be within window_s of 2 (got 3)",
        ),
        (
            {"kind": "throttle-control-plane", "service": "sqs"},
            "'monitoring', 'servicequotas' or 'xray' (got 'sqs')",
        ),
    ],
)
def test_what_is_no_fault_is_refused_with_setting_and_value(document: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_fault(document)
    assert message in str(caught.value)


def test_there_are_never_more_faults_than_somebody_means() -> None:
    faults = FaultSet()
    for _ in range(MAX_FAULTS):
        add(faults, "waf", for_s=10)
    with pytest.raises(InputError, match="100 are active already"):
        add(faults, "waf", now_s=9.0)
    assert add(faults, "waf", now_s=10.0).id == "f101"


# Who is hit


def test_without_faults_nothing_happens() -> None:
    faults = FaultSet()
    assert faults.pick(ORDERS, ROUTE, 0.0, Random(0)) == ()
    assert faults.pick_function("checkout", 0.0, Random(0)) is None
    assert faults.pick_control("lambda", "Invoke", 0.0, Random(0)) is None
    assert (faults.metrics_delay_s(0.0), faults.logs_delay_s(0.0)) == (0, 0)


@pytest.mark.parametrize(
    ("filters", "hits"),
    [
        ({}, True),
        ({"api": "api1"}, True),
        ({"api": "orders"}, True),
        ({"api": "api2"}, False),
        ({"stage": "prod"}, True),
        ({"stage": "beta"}, False),
        ({"route": "GET /orders/{id}"}, True),
        ({"route": "GET /orders"}, False),
        ({"api": "orders", "stage": "prod", "route": "GET /orders/{id}"}, True),
        ({"api": "orders", "stage": "beta", "route": "GET /orders/{id}"}, False),
    ],
)
@pytest.mark.parametrize("kind", ["latency", "status", "reset", "stall", "slow-body", "waf"])
def test_a_request_is_hit_where_all_filters_meet_it(
    kind: str, filters: dict[str, str], *, hits: bool
) -> None:
    faults = FaultSet()
    add(faults, kind, **filters)
    assert picked(faults) == (["f1"] if hits else [])


def test_an_api_is_found_by_its_name_only_where_that_is_known() -> None:
    faults = FaultSet()
    add(faults, "waf", api="orders")
    assert picked(faults, api_name=None) == []


def test_several_faults_hit_in_the_order_in_which_they_were_added() -> None:
    faults = FaultSet()
    add(faults, "status")
    add(faults, "lambda-error")
    add(faults, "latency")
    add(faults, "late-logs")

    hit = faults.pick(ORDERS, ROUTE, 0.0, Random(0))

    assert [fault.spec for fault in hit] == [StatusFault(status=503), LatencyFault(ms=200)]


@settings(max_examples=25)
@given(share=st.floats(0.05, 1), seed=st.integers(0, 1000))
def test_a_share_is_hit_at_random(share: float, seed: int) -> None:
    faults, rng = FaultSet(), Random(seed)
    fault = add(faults, "waf", share=share)

    hits = sum(bool(faults.pick(ORDERS, ROUTE, 0.0, rng)) for _ in range(2000))

    # One in ten million seeds may look so by chance.
    assert binomtest(hits, 2000, share).pvalue > 1e-7
    assert fault.hits == hits


@pytest.mark.parametrize(
    ("function", "hits"), [(None, True), ("checkout", True), ("lookup", False)]
)
@pytest.mark.parametrize("kind", ["lambda-throttle", "lambda-error"])
def test_an_invocation_is_hit_by_the_name_of_its_function(
    kind: str, function: str | None, *, hits: bool
) -> None:
    faults = FaultSet()
    fault = add(faults, kind, function=function)
    found = faults.pick_function("checkout", 0.0, Random(0))
    assert found is (fault if hits else None)
    assert picked(faults) == []


def test_the_first_fault_that_hits_an_invocation_is_the_one() -> None:
    faults = FaultSet()
    add(faults, "lambda-throttle", reason="CallerRateLimitExceeded", count=1)
    add(faults, "lambda-error")

    found = [faults.pick_function("checkout", 0.0, Random(0)) for _ in range(2)]

    assert found[0] is not None
    assert found[0].spec == LambdaThrottleFault(reason="CallerRateLimitExceeded", count=1)
    assert found[1] is not None
    assert found[1].id == "f2"


@pytest.mark.parametrize(
    ("filters", "hits"),
    [
        ({}, True),
        ({"service": "apigateway"}, True),
        ({"service": "lambda"}, False),
        ({"operation": "GetRestApis"}, True),
        ({"service": "apigateway", "operation": "GetStage"}, False),
    ],
)
def test_a_call_is_throttled_where_service_and_operation_meet_it(
    filters: dict[str, str], *, hits: bool
) -> None:
    faults = FaultSet()
    add(faults, "throttle-control-plane", **filters)
    found = faults.pick_control("apigateway", "GetRestApis", 0.0, Random(0))
    assert (found is not None) == hits


def test_calls_above_the_rate_are_throttled() -> None:
    faults, rng = FaultSet(), Random(0)
    fault = add(faults, "throttle-control-plane", rate_rps=10, burst=40)

    def passed(count: int, now_s: float) -> int:
        return sum(
            faults.pick_control("apigateway", "GetStage", now_s, rng) is None for _ in range(count)
        )

    assert passed(100, 1.0) == 40
    assert passed(100, 2.0) == 10
    assert fault.hits == 150
    assert isinstance(fault.spec, ThrottleControlPlaneFault)


def test_the_longest_delay_counts() -> None:
    faults = FaultSet()
    add(faults, "late-metrics", delay_s=60)
    add(faults, "late-metrics", delay_s=180, for_s=10)
    add(faults, "late-logs", delay_s=5)

    assert [faults.metrics_delay_s(now_s) for now_s in (0.0, 9.9, 10.0)] == [180, 180, 60]
    assert faults.logs_delay_s(0.0) == 5


# When it ends


def test_a_fault_ends_when_its_time_is_over() -> None:
    faults = FaultSet()
    add(faults, "waf", now_s=5.0, for_s=10)
    add(faults, "waf", now_s=5.0)

    assert picked(faults, 14.9) == ["f1", "f2"]
    assert picked(faults, 15.0) == ["f2"]
    assert [fault.id for fault in faults.active(15.0)] == ["f2"]


def test_a_fault_ends_after_its_last_hit() -> None:
    faults = FaultSet()
    add(faults, "waf", count=2)
    assert [picked(faults) for _ in range(3)] == [["f1"], ["f1"], []]
    assert faults.active(0.0) == ()


def test_faults_are_removed_one_by_one_or_all_together() -> None:
    faults = FaultSet()
    for kind in ("waf", "latency", "status"):
        add(faults, kind)

    assert faults.remove("f2")
    assert not faults.remove("f2")
    assert picked(faults) == ["f1", "f3"]
    assert faults.clear() == 2
    assert picked(faults) == []


# Rate-based rules


def blocked(rule: RateRule, rate_rps: float, from_s: float, to_s: float) -> list[float]:
    """When requests at equal distances were blocked."""
    count = int((to_s - from_s) * rate_rps)
    times = [from_s + number / rate_rps for number in range(count)]
    return [at_s for at_s in times if rule.blocks(at_s)]


def test_a_rate_based_rule_blocks_until_the_window_holds_less() -> None:
    rule = RateRule(limit=600, window_s=60, check_s=5)

    # 20 a second are too many after 30 s, which the look at 35 s sees.
    assert blocked(rule, 20, 0, 40)[0] == 35
    # 5 a second follow: at 80 s, 20 s of the first rate and 40 s of this are 600.
    later = blocked(rule, 5, 40, 140)
    assert later[0] == 40
    assert later[-1] == pytest.approx(79.8)


def test_a_client_that_goes_on_as_before_stays_blocked() -> None:
    rule = RateRule(limit=600, window_s=60, check_s=5)
    assert len(blocked(rule, 20, 0, 600)) == 20 * (600 - 35)


def test_a_pause_of_the_window_ends_the_block() -> None:
    rule = RateRule(limit=10, window_s=10, check_s=1)
    assert blocked(rule, 100, 0, 5)
    assert rule.is_blocking
    assert blocked(rule, 1, 16, 30) == []
    assert not rule.is_blocking


@given(
    st.integers(1, 50),
    st.floats(1, 60),
    st.floats(0.1, 60),
    st.lists(st.floats(0, 20), max_size=60),
)
def test_a_rule_never_blocks_what_is_within_its_limit(
    limit: int, window_s: float, check_s: float, gaps: list[float]
) -> None:
    rule, now_s, times = RateRule(limit, window_s, check_s), 0.0, []
    for gap in gaps:
        now_s += gap
        times.append(now_s)
        if rule.blocks(now_s):
            # What it counts is the window in whole intervals, up to the last look.
            oldest_s = now_s - window_s - 2 * check_s
            assert sum(at_s >= oldest_s for at_s in times) > limit


def test_a_web_acl_with_a_rate_hits_above_it_and_only_its_own_requests() -> None:
    faults = FaultSet()
    fault = add(faults, "waf", rate_limit=3, window_s=2, check_s=1, api="orders")
    assert [picked(faults, now_s=0.1, api_name="other") for _ in range(20)] == [[]] * 20
    assert [picked(faults, now_s=0.2) for _ in range(4)] == [[]] * 4
    assert picked(faults, now_s=1.0) == ["f1"]
    assert fault.hits == 1
    assert picked(faults, now_s=5.0) == []
