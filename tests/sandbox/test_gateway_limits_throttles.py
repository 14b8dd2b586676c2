"""Which requests the gateway's throttles admit, and what they say of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gateway.limits import Enforcement, Gate, LimitLedger, Refusal
from sandbox.gateway.snapshot import (
    ApiKey,
    Limit,
    MethodSettings,
    Quota,
    Route,
    Snapshot,
    Stage,
    UsagePlan,
)
from sandbox.token_bucket import TokenBucket

WALL_S = 1_790_000_000.0  # some moment in 2026
GET = Route("GET /orders/{id}", "GET", "/orders/{id}", "r1", None)
POST = Route("POST /orders", "POST", "/orders", "r2", None)
KEY = ApiKey("key1", "one", "secret-one", enabled=True, plan_ids=("plan1",))
OTHER_KEY = ApiKey("key2", "two", "secret-two", enabled=True, plan_ids=("plan1",))
WIDE = Limit(100_000.0, 100_000.0)


def stage_with(**changes: Any) -> Stage:
    settings: dict[str, Any] = {
        "kind": "REST",
        "api_id": "api1",
        "api_name": "orders",
        "name": "prod",
        "routes": (GET, POST),
        **changes,
    }
    return Stage(**settings)


def plan_with(limit: Limit | None = None, quota: Quota | None = None, **stages: Any) -> UsagePlan:
    return UsagePlan("plan1", "gold", limit, quota, stages.get("stages", {}))


def snapshot_of(*stages: Stage, plan: UsagePlan | None = None, account: Limit = WIDE) -> Snapshot:
    return Snapshot(
        stages={stage.key: stage for stage in stages},
        keys={key.value: key for key in (KEY, OTHER_KEY)},
        plans={plan.id: plan} if plan else {},
        account_limit=account,
    )


def limited(limit: Limit, enforcement: str = "exact") -> Gate:
    """A gate with nothing but this account limit."""
    stage = stage_with()
    ledger = LimitLedger(Enforcement.parse(enforcement))
    return ledger.gate_for(snapshot_of(stage, account=limit), stage, GET)


def admitted(gate: Gate, count: int, now_s: float = 0.0, client: int | None = None) -> int:
    """How many of `count` requests at one moment pass."""
    return sum(gate.admit(now_s, WALL_S, client) is None for _ in range(count))


def admitted_over(gate: Gate, rate_rps: float, seconds: float, clients: int = 64) -> int:
    """How many pass of requests at equal distances from time 1 on."""
    return sum(
        gate.admit(1 + number / rate_rps, WALL_S, number % clients) is None
        for number in range(int(rate_rps * seconds))
    )


def refusal_of(gate: Gate, now_s: float = 0.0) -> Refusal:
    refusal = gate.admit(now_s, WALL_S)
    assert refusal is not None
    return refusal


# The bucket


@pytest.mark.parametrize("load", [0.5, 1.0, 1.25, 5.0])
@pytest.mark.parametrize(
    ("rate_rps", "burst"), [(5.0, 10.0), (50.0, 50.0), (333.0, 2.0), (1000.0, 2000.0)]
)
def test_over_a_minute_burst_and_rate_are_admitted(
    rate_rps: float, burst: float, load: float
) -> None:
    gate = limited(Limit(rate_rps, burst))

    passed = admitted_over(gate, load * rate_rps, 60)

    if load <= 1:
        assert passed == int(load * rate_rps * 60)
    else:
        most = min(int(load * rate_rps * 60), burst + rate_rps * 60)
        assert passed == pytest.approx(most, rel=0.01)


@pytest.mark.parametrize("started_s", [0.0, 12_345.678, 30 * 86_400.1])
@pytest.mark.parametrize("rate_rps", [3.0, 7.0, 30.0, 333.0])
def test_a_request_at_the_moment_of_its_token_is_not_lost_to_rounding(
    rate_rps: float, started_s: float
) -> None:
    gate = limited(Limit(rate_rps, 1.0))
    due_s = (started_s + number / rate_rps for number in range(2000))
    assert all(gate.admit(at_s, WALL_S) is None for at_s in due_s)


@pytest.mark.parametrize(
    ("limit", "passed"),
    [
        pytest.param(Limit(0.0, 0.0), 0, id="both zero"),
        pytest.param(Limit(100.0, 0.0), 0, id="no burst"),
        pytest.param(Limit(0.0, 7.0), 7, id="no rate"),
        pytest.param(Limit(0.0, 1.0), 1, id="one and no more"),
    ],
)
def test_a_limit_of_zero_refuses_all_that_the_burst_does_not_hold(
    limit: Limit, passed: int
) -> None:
    gate = limited(limit)

    assert admitted(gate, 20) == passed
    assert admitted(gate, 20, now_s=3600.0) == 0


LIMITS = st.builds(Limit, st.floats(0, 2000, allow_nan=False), st.integers(0, 300).map(float))
GAPS = st.lists(st.sampled_from([0.0, 0.0, 0.0001, 0.001, 0.02, 0.3, 5.0]), max_size=300)


@given(limit=LIMITS, gaps=GAPS)
def test_no_window_admits_more_than_burst_and_rate(limit: Limit, gaps: list[float]) -> None:
    gate, now_s, passed_s = limited(limit), 0.0, []
    for gap in gaps:
        now_s += gap
        if gate.admit(now_s, WALL_S) is None:
            passed_s.append(now_s)

    for first, start_s in enumerate(passed_s):
        for last in range(first, len(passed_s)):
            most = limit.burst + limit.rate_rps * (passed_s[last] - start_s) + 1e-3
            assert last - first + 1 <= most


@given(limit=LIMITS, gaps=GAPS, more=st.tuples(st.floats(0, 500), st.integers(0, 50)))
def test_a_higher_limit_never_admits_fewer(
    limit: Limit, gaps: list[float], more: tuple[float, int]
) -> None:
    low, high = limited(limit), limited(Limit(limit.rate_rps + more[0], limit.burst + more[1]))
    now_s, passed = 0.0, [0, 0]
    for gap in gaps:
        now_s += gap
        passed[0] += low.admit(now_s, WALL_S) is None
        passed[1] += high.admit(now_s, WALL_S) is None
        assert passed[0] <= passed[1]


@given(limit=LIMITS, gaps=GAPS, new=LIMITS)
def test_a_resized_bucket_keeps_its_tokens_as_far_as_they_fit(
    limit: Limit, gaps: list[float], new: Limit
) -> None:
    bucket, now_s = TokenBucket(limit.rate_rps, limit.burst), 0.0
    for gap in gaps:
        now_s += gap
        bucket.take(now_s)
    before = bucket.tokens(now_s)

    bucket.resize(new.rate_rps, new.burst, now_s)

    assert bucket.tokens(now_s) == min(before, new.burst)


def test_a_debt_is_paid_back_before_anything_is_admitted() -> None:
    bucket = TokenBucket(10.0, 5.0)
    bucket.spend(15.0)
    assert bucket.tokens(0.0) == -10
    assert not bucket.take(1.05)
    assert bucket.take(1.1)


# Levels


def test_the_levels_refuse_in_the_documented_order() -> None:
    stage = stage_with(overrides={GET.key: MethodSettings(limit=Limit(0.0, 4.0))})
    plan = plan_with(
        Limit(0.0, 2.0),
        Quota(3, "DAY"),
        stages={stage.key: {"/orders/{id}/GET": Limit(0.0, 1.0)}},
    )
    ledger = LimitLedger()
    levels = []
    for _ in range(6):
        snapshot = snapshot_of(stage, plan=plan, account=Limit(0.0, 5.0))
        gate = ledger.gate_for(snapshot, stage, GET, plan, KEY)
        refusal = gate.admit(0.0, WALL_S)
        levels.append(refusal.level if refusal else "admitted")
        if refusal is None:
            continue
        # What has refused is taken away, so that the next level is the first to refuse.
        if refusal.level == "usage-plan-method":
            plan = replace(plan, stages={})
        elif refusal.level == "usage-plan":
            plan = replace(plan, limit=None)
        elif refusal.level == "quota":
            plan = replace(plan, quota=None)

    # Each admitted request takes one of every level that is still there.
    assert levels == [
        "admitted",
        "usage-plan-method",
        "admitted",
        "usage-plan",
        "admitted",
        "quota",
    ]


@pytest.mark.parametrize(
    ("changes", "account", "level", "text"),
    [
        pytest.param(
            {"default": MethodSettings(limit=Limit(5.0, 0.0))},
            WIDE,
            "stage",
            "Stage throttle limit exceeded for Stage prod, Resource /orders/{id}, HttpMethod GET. "
            "Limit: 5.00 Burst: 0",
            id="stage",
        ),
        pytest.param(
            {"overrides": {GET.key: MethodSettings(limit=Limit(2.5, 0.0))}},
            WIDE,
            "method",
            "Method throttle limit exceeded for Stage prod, Resource /orders/{id}, HttpMethod GET. "
            "Limit: 2.50 Burst: 0",
            id="method of a REST API",
        ),
        pytest.param(
            {"kind": "HTTP", "overrides": {GET.key: MethodSettings(limit=Limit(2.5, 0.0))}},
            WIDE,
            "route",
            "Method throttle limit exceeded for Stage prod, Resource /orders/{id}, HttpMethod GET. "
            "Limit: 2.50 Burst: 0",
            id="route of an HTTP API",
        ),
        pytest.param(
            {},
            Limit(1.0, 0.0),
            "account",
            "Account throttle limit exceeded. Limit: 1.00 Burst: 0",
            id="account",
        ),
    ],
)
def test_a_refusal_names_level_limit_and_log_text(
    changes: dict[str, Any], account: Limit, level: str, text: str
) -> None:
    stage = stage_with(**changes)
    gate = LimitLedger().gate_for(snapshot_of(stage, account=account), stage, GET)

    refusal = refusal_of(gate)

    assert (refusal.level, refusal.log_text) == (level, text)
    assert refusal.limit is not None
    assert not refusal.quota_exceeded


@pytest.mark.parametrize(
    ("plan", "level", "text", "limit_id"),
    [
        pytest.param(
            plan_with(Limit(5.0, 0.0)),
            "usage-plan",
            "Key throttle limit exceeded for Usage Plan ID plan1, Stage prod, "
            "Resource /orders/{id}, HttpMethod GET. Limit: 5.00 Burst: 0",
            "plan1:key1",
            id="plan",
        ),
        pytest.param(
            plan_with(stages={("api1", "prod"): {"/orders/{id}/GET": Limit(3.0, 0.0)}}),
            "usage-plan-method",
            "Key throttle limit exceeded for Usage Plan ID plan1, Stage prod, "
            "Resource /orders/{id}, HttpMethod GET. Limit: 3.00 Burst: 0",
            "plan1:key1:api1:prod:/orders/{id}/GET",
            id="method of a plan",
        ),
        pytest.param(
            plan_with(None, Quota(0, "MONTH")),
            "quota",
            "Key quota exhausted for Usage Plan ID plan1, Stage prod, "
            "Resource /orders/{id}, HttpMethod GET. Limit: 0 Period: MONTH",
            "plan1:key1",
            id="quota",
        ),
    ],
)
def test_a_plan_refuses_with_the_text_of_aws(
    plan: UsagePlan, level: str, text: str, limit_id: str
) -> None:
    stage = stage_with()
    gate = LimitLedger().gate_for(snapshot_of(stage, plan=plan), stage, GET, plan, KEY)

    refusal = refusal_of(gate)

    assert (refusal.level, refusal.log_text, refusal.limit_id) == (level, text, limit_id)
    assert refusal.quota_exceeded == (level == "quota")


def test_routes_without_a_limit_of_their_own_share_that_of_the_stage() -> None:
    third = Route("GET /health", "GET", "/health", "r3", None)
    stage = stage_with(
        routes=(GET, POST, third),
        default=MethodSettings(limit=Limit(0.0, 10.0)),
        overrides={
            POST.key: MethodSettings(limit=Limit(0.0, 3.0)),
            third.key: MethodSettings(detailed_metrics=True),
        },
    )
    snapshot, ledger = snapshot_of(stage), LimitLedger()
    gates = [ledger.gate_for(snapshot, stage, route) for route in (GET, POST, third)]

    assert admitted(gates[0], 6) == 6
    assert admitted(gates[1], 9) == 3
    assert admitted(gates[2], 9) == 4
    assert admitted(gates[0], 1) == 0


def test_rest_and_http_apis_share_the_account() -> None:
    rest = stage_with()
    http = stage_with(kind="HTTP", api_id="api2")
    snapshot, ledger = snapshot_of(rest, http, account=Limit(0.0, 10.0)), LimitLedger()

    assert admitted(ledger.gate_for(snapshot, rest, GET), 7) == 7
    assert admitted(ledger.gate_for(snapshot, http, GET), 7) == 3


def test_a_plan_limits_each_key_over_all_its_stages() -> None:
    one, two = stage_with(), stage_with(name="beta")
    plan = plan_with(Limit(0.0, 5.0), stages={one.key: {}, two.key: {}})
    snapshot, ledger = snapshot_of(one, two, plan=plan), LimitLedger()

    assert admitted(ledger.gate_for(snapshot, one, GET, plan, KEY), 3) == 3
    assert admitted(ledger.gate_for(snapshot, two, POST, plan, KEY), 9) == 2
    assert admitted(ledger.gate_for(snapshot, two, POST, plan, OTHER_KEY), 9) == 5


@given(
    burst=st.tuples(*[st.integers(0, 30)] * 5),
    keyed=st.lists(st.booleans(), max_size=120),
)
def test_a_refused_request_takes_nothing_from_any_level(
    burst: tuple[int, int, int, int, int], keyed: list[bool]
) -> None:
    method, plan_burst, quota, stage_burst, account = burst
    stage = stage_with(default=MethodSettings(limit=Limit(0.0, float(stage_burst))))
    plan = plan_with(
        Limit(0.0, float(plan_burst)),
        Quota(quota, "DAY"),
        stages={stage.key: {"/orders/{id}/GET": Limit(0.0, float(method))}},
    )
    snapshot = snapshot_of(stage, plan=plan, account=Limit(0.0, float(account)))
    ledger = LimitLedger()
    plain = ledger.gate_for(snapshot, stage, GET)
    with_key = ledger.gate_for(snapshot, stage, GET, plan, KEY)
    passed = {False: 0, True: 0}

    for key in keyed:
        gate = with_key if key else plain
        expected = sum(passed.values()) < min(stage_burst, account) and (
            not key or passed[True] < min(method, plan_burst, quota)
        )
        assert (gate.admit(0.0, WALL_S) is None) == expected
        passed[key] += expected

    document = ledger.document(0.0)
    left = {entry["level"]: entry["tokens"] for entry in document["throttles"]}
    assert left == {
        "account": account - sum(passed.values()),
        "stage": stage_burst - sum(passed.values()),
        "usage-plan": plan_burst - passed[True],
        "usage-plan-method": method - passed[True],
    }
    assert document["quotas"][0]["used"] == passed[True]


# Snapshots


def test_buckets_survive_a_new_snapshot_and_a_new_limit() -> None:
    stage, ledger = stage_with(default=MethodSettings(limit=Limit(0.0, 10.0))), LimitLedger()
    assert admitted(ledger.gate_for(snapshot_of(stage), stage, GET), 8) == 8

    wider = replace(stage, default=MethodSettings(limit=Limit(10.0, 50.0)))
    snapshot = snapshot_of(wider)
    ledger.adopt(snapshot, 5.0)
    gate = ledger.gate_for(snapshot, wider, GET)

    # The five seconds before passed at the old rate.
    assert admitted(gate, 50, now_s=5.0) == 2
    assert admitted(gate, 50, now_s=6.0) == 10
    assert refusal_of(gate, 6.0).limit == Limit(10.0, 50.0)


def test_a_lower_burst_cuts_off_what_it_does_not_hold() -> None:
    stage, ledger = stage_with(default=MethodSettings(limit=Limit(0.0, 10.0))), LimitLedger()
    ledger.gate_for(snapshot_of(stage), stage, GET)

    tighter = replace(stage, default=MethodSettings(limit=Limit(0.0, 3.0)))
    assert admitted(ledger.gate_for(snapshot_of(tighter), tighter, GET), 50) == 3


def test_what_no_snapshot_has_any_more_begins_anew() -> None:
    stage, ledger = stage_with(default=MethodSettings(limit=Limit(0.0, 4.0))), LimitLedger()
    assert admitted(ledger.gate_for(snapshot_of(stage), stage, GET), 9) == 4

    ledger.adopt(snapshot_of(), 1.0)
    assert [entry["level"] for entry in ledger.document(1.0)["throttles"]] == ["account"]
    assert admitted(ledger.gate_for(snapshot_of(stage), stage, GET), 9, now_s=1.0) == 4


def test_a_gate_is_made_once_for_each_snapshot() -> None:
    stage, plan, ledger = stage_with(), plan_with(), LimitLedger()
    snapshot = snapshot_of(stage, plan=plan)
    gate = ledger.gate_for(snapshot, stage, GET)

    assert ledger.gate_for(snapshot, stage, GET) is gate
    assert ledger.gate_for(snapshot, stage, POST) is not gate
    assert ledger.gate_for(snapshot, stage, GET, plan, KEY) is not gate
    assert ledger.gate_for(snapshot_of(stage), stage, GET) is not gate


# The truth


def test_the_document_counts_at_the_limit_that_refused() -> None:
    stage = stage_with(default=MethodSettings(limit=Limit(0.0, 4.0)))
    ledger = LimitLedger()
    gate = ledger.gate_for(snapshot_of(stage, account=Limit(0.0, 6.0)), stage, GET)
    admitted(gate, 10)

    assert ledger.document(0.0)["throttles"] == [
        {
            "level": "stage",
            "id": "api1:prod",
            "api_id": "api1",
            "stage": "prod",
            "rate_rps": 0.0,
            "burst": 4.0,
            "tokens": 0.0,
            "admitted": 4,
            "refused": 6,
        },
        {
            "level": "account",
            "id": "account",
            "rate_rps": 0.0,
            "burst": 6.0,
            "tokens": 2.0,
            "admitted": 4,
            "refused": 0,
        },
    ]
