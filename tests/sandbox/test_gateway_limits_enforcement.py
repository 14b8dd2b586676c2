"""Throttles that are kept as a service of many machines keeps them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from sandbox.gateway.limits import Enforcement, Gate, LimitLedger
from sandbox.gateway.limits.limiters import Limiter
from sandbox.gateway.limits.window import WindowLimiter
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

WALL_S = 1_790_000_000.0
ROUTE = Route("GET /", "GET", "/", "r1", None)
KEY = ApiKey("key1", "one", "secret", enabled=True, plan_ids=("plan1",))
PLAN = UsagePlan("plan1", "gold", None, Quota(1_000_000, "DAY"))


def rig(
    enforcement: str, *, stage_limit: Limit | None = None, account: Limit = Limit(1e6, 1e6)
) -> tuple[LimitLedger, Gate]:
    stage = Stage(
        kind="REST",
        api_id="api1",
        api_name="orders",
        name="prod",
        routes=(ROUTE,),
        default=MethodSettings(limit=stage_limit),
    )
    ledger = LimitLedger(Enforcement.parse(enforcement))
    snapshot = Snapshot(stages={stage.key: stage}, plans={PLAN.id: PLAN}, account_limit=account)
    return ledger, ledger.gate_for(snapshot, stage, ROUTE, PLAN, KEY)


def gate_of_levels(
    enforcement: str, *, account: Limit, stage: Limit, key: Limit, method: Limit | None = None
) -> Gate:
    """The gate of a request that meets all levels; without one of the method, the stage's."""
    live = Stage(
        kind="REST",
        api_id="api1",
        api_name="orders",
        name="prod",
        routes=(ROUTE,),
        default=MethodSettings(limit=stage),
        overrides={ROUTE.key: MethodSettings(limit=method)} if method else {},
    )
    plan = UsagePlan("plan1", "gold", key, None)
    snapshot = Snapshot(stages={live.key: live}, plans={plan.id: plan}, account_limit=account)
    return LimitLedger(Enforcement.parse(enforcement)).gate_for(snapshot, live, ROUTE, plan, KEY)


def passes(
    gate: Gate, rate_rps: float, seconds: float, *, start_s: float = 1.0, clients: int = 1000
) -> list[float]:
    """When requests passed, of those at equal distances."""
    times = (start_s + number / rate_rps for number in range(int(rate_rps * seconds)))
    return [
        at_s
        for number, at_s in enumerate(times)
        if gate.admit(at_s, WALL_S, number % clients) is None
    ]


# Texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exact", Enforcement()),
        (" exact ", Enforcement()),
        ("shards=4", Enforcement(shards=4)),
        (
            "shards=4, spread=hashed,sync_ms=500, background_rps=2000",
            Enforcement(shards=4, spread="hashed", sync_ms=500, background_rps=2000),
        ),
        ("background=steady,seed=7", Enforcement(background="steady", seed=7)),
        ("window_ms=1000", Enforcement(window_ms=1000)),
        ("shards=4,uneven=0.5", Enforcement(shards=4, uneven=0.5)),
        (
            "shards=4,sync_ms=200,debt=forgiven",
            Enforcement(shards=4, sync_ms=200, debt="forgiven"),
        ),
        ("adaptive=0.8,adaptive_ms=500", Enforcement(adaptive=0.8, adaptive_ms=500)),
        (
            "background_rps=5,background_on=key",
            Enforcement(background_rps=5, background_on="key"),
        ),
    ],
)
def test_an_enforcement_is_read_from_a_text(text: str, expected: Enforcement) -> None:
    assert Enforcement.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "enforcement: could not read ''"),
        ("strict", "enforcement: could not read 'strict'"),
        ("shards", "enforcement: could not read 'shards'"),
        ("=4", "enforcement: could not read '=4'"),
        ("shards=4,,seed=1", "enforcement: could not read ''"),
        ("shards=4,shards=5", "enforcement: shards: is given twice"),
        ("nodes=4", "enforcement: nodes: there is no such setting (there are shards, spread"),
        ("shards=0", "enforcement: shards: Input should be greater than or equal to 1 (got '0')"),
        ("shards=65", "(got '65')"),
        ("shards=many", "enforcement: shards: Input should be a valid integer"),
        ("shards=2,spread=even", "enforcement: spread: Input should be 'random' or 'hashed'"),
        ("shards=2,sync_ms=0", "enforcement: sync_ms: Input should be greater than 0 (got '0')"),
        ("shards=2,sync_ms=nan", "enforcement: sync_ms: Input should be a finite number"),
        ("sync_ms=500", "enforcement: sync_ms: needs shards of 2 or more (got shards=1)"),
        ("spread=hashed", "enforcement: spread: hashed needs shards of 2 or more"),
        ("uneven=0.5", "enforcement: uneven: needs shards of 2 or more (got shards=1)"),
        ("shards=4,uneven=1", "enforcement: uneven: Input should be less than 1 (got '1')"),
        (
            "shards=4,sync_ms=9,uneven=0.5",
            "enforcement: uneven: machines with sync_ms share one bucket (got uneven=0.5)",
        ),
        ("shards=4,debt=forgiven", "enforcement: debt: forgiven needs sync_ms (got debt=forgiven)"),
        (
            "shards=4,sync_ms=9,debt=paid",
            "enforcement: debt: Input should be 'kept' or 'forgiven' (got 'paid')",
        ),
        ("window_ms=9", "enforcement: window_ms: Input should be greater than or equal to 10"),
        (
            "window_ms=500,shards=2",
            "enforcement: window_ms: a window is kept by one machine (got shards=2)",
        ),
        ("adaptive=1", "enforcement: adaptive: Input should be less than 1 (got '1')"),
        ("adaptive_ms=1", "enforcement: adaptive_ms: Input should be greater than or equal to 100"),
        (
            "background_on=route",
            "enforcement: background_on: Input should be 'account', 'stage', 'method' or 'key'",
        ),
        ("background_rps=-1", "enforcement: background_rps: Input should be greater than or equal"),
    ],
)
def test_what_is_no_enforcement_is_refused_with_key_and_value(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Enforcement.parse(text)
    assert message in str(caught.value)


_BACKGROUND: dict[str, st.SearchStrategy[Any]] = {
    "background_rps": st.floats(0, 100_000),
    "background": st.sampled_from(["poisson", "steady"]),
    "background_on": st.sampled_from(["account", "stage", "method", "key"]),
    "seed": st.integers(0, 2**40),
}
_SHARDS: dict[str, st.SearchStrategy[Any]] = {
    "shards": st.integers(2, 64),
    "spread": st.sampled_from(["random", "hashed"]),
    **_BACKGROUND,
}
APART = st.builds(Enforcement, uneven=st.floats(0, 0.999), **_SHARDS)
TOGETHER = st.builds(Enforcement, sync_ms=st.floats(0.001, 60_000), **_SHARDS)
FORGETFUL = st.builds(
    Enforcement, sync_ms=st.floats(0.001, 60_000), debt=st.just("forgiven"), **_SHARDS
)
ADAPTIVE = st.builds(
    Enforcement,
    adaptive=st.floats(0.1, 0.99),
    adaptive_ms=st.floats(100, 60_000),
    **_BACKGROUND,
)
WINDOWS = st.builds(Enforcement, window_ms=st.floats(10, 60_000), **_BACKGROUND)
ENFORCEMENTS = APART | TOGETHER | FORGETFUL | ADAPTIVE | WINDOWS


@given(ENFORCEMENTS | st.just(Enforcement()))
def test_text_and_mapping_give_the_same_enforcement_back(enforcement: Enforcement) -> None:
    assert Enforcement.from_mapping(enforcement.model_dump()) == enforcement
    again = Enforcement.parse(str(enforcement))
    assert again.model_dump() == pytest.approx(enforcement.model_dump())


@given(st.text(max_size=40))
def test_any_text_is_an_enforcement_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        assert Enforcement.parse(text) == Enforcement.parse(str(Enforcement.parse(text)))


# Shards


@pytest.mark.parametrize("shards", [2, 4, 16])
def test_random_shards_admit_the_rate_and_the_burst_together(shards: int) -> None:
    _, gate = rig(f"shards={shards}", stage_limit=Limit(200.0, 320.0))
    assert len(passes(gate, 2000, 30)) == pytest.approx(320 + 200 * 30, rel=0.01)


def test_one_connection_gets_the_part_of_one_hashed_shard() -> None:
    _, gate = rig("shards=4,spread=hashed", stage_limit=Limit(200.0, 400.0))
    assert len(passes(gate, 1000, 20, clients=1)) == pytest.approx((400 + 200 * 20) / 4, rel=0.01)


def test_many_connections_get_all_hashed_shards_unevenly() -> None:
    _, gate = rig("shards=16,spread=hashed", stage_limit=Limit(160.0, 160.0))
    # A load of 1.5 times the rate: shards with few connections do not use their part up.
    passed = len(passes(gate, 240, 60, clients=32))
    assert 0.5 * 160 * 60 < passed < 0.98 * (160 + 160 * 60)


def test_a_shard_of_a_small_burst_still_holds_one_token() -> None:
    _, gate = rig("shards=8", stage_limit=Limit(8.0, 2.0))
    assert len(passes(gate, 800, 30)) == pytest.approx(8 + 8 * 30, rel=0.05)


def test_shards_of_no_burst_refuse_everything() -> None:
    _, gate = rig("shards=8", stage_limit=Limit(8.0, 0.0))
    assert passes(gate, 100, 5) == []


def test_uneven_shards_waste_what_the_large_ones_do_not_get() -> None:
    _, gate = rig("shards=4,uneven=0.6", stage_limit=Limit(400.0, 400.0))
    # Parts of 0.1, 0.2 .. are 40, 80, 120 and 160 a second; 90 a second come to each.
    passed = [at_s for at_s in passes(gate, 360, 80) if at_s >= 21]
    assert len(passed) == pytest.approx((40 + 80 + 90 + 90) * 60, rel=0.02)


def test_uneven_shards_are_the_whole_limit_together() -> None:
    _, gate = rig("shards=5,uneven=0.9", stage_limit=Limit(200.0, 300.0))
    assert len(passes(gate, 4000, 20)) == pytest.approx(300 + 200 * 20, rel=0.01)


# Delayed synchronisation


def test_delayed_synchronisation_overshoots_and_pays_it_back() -> None:
    limit = Limit(100.0, 50.0)
    _, gate = rig("shards=4,sync_ms=500", stage_limit=limit)

    passed = passes(gate, 2000, 60)

    in_first_interval = sum(at_s < 1.5 for at_s in passed)
    # Each of four nodes goes by a full copy: four bursts and four times the rate.
    assert in_first_interval == pytest.approx(4 * (50 + 100 * 0.5), rel=0.05)
    gaps = [later - earlier for earlier, later in pairwise(passed)]
    assert max(gaps) > 0.9
    most_at_once_too_early = 4 * (50 + 100 * 0.5)
    assert abs(len(passed) - (50 + 100 * 60)) < most_at_once_too_early


def test_what_was_used_just_before_a_synchronisation_is_not_forgotten() -> None:
    _, gate = rig("shards=4,sync_ms=10000", stage_limit=Limit(10.0, 50.0))
    assert gate.admit(1.0, WALL_S) is None

    at_once = sum(gate.admit(9.9, WALL_S, client) is None for client in range(1000))

    # Four copies of 50 tokens, of a bucket that then has 150 too few: 15 seconds, and one token.
    assert at_once == pytest.approx(200, abs=1)
    assert gate.admit(24.8, WALL_S) is not None
    assert gate.admit(25.2, WALL_S) is None


def test_a_load_below_the_limit_never_notices_the_delay() -> None:
    _, gate = rig("shards=4,sync_ms=500", stage_limit=Limit(100.0, 50.0))
    assert len(passes(gate, 90, 60)) == 90 * 60


def test_a_short_delay_is_nearly_exact() -> None:
    _, gate = rig("shards=4,sync_ms=1", stage_limit=Limit(100.0, 50.0))
    assert len(passes(gate, 500, 60)) == pytest.approx(50 + 100 * 60, rel=0.01)


def test_a_forgiven_debt_lets_more_than_the_rate_pass_for_ever() -> None:
    limit = Limit(100.0, 50.0)
    _, gate = rig("shards=4,sync_ms=500,debt=forgiven", stage_limit=limit)

    passed = [at_s for at_s in passes(gate, 2000, 60) if at_s >= 2]

    # Four copies that begin at nothing admit their whole rate, but a part of a token each time.
    assert len(passed) == pytest.approx(4 * (100 - 1) * 59, rel=0.02)


def test_debt_makes_no_difference_below_the_limit() -> None:
    _, gate = rig("shards=4,sync_ms=500,debt=forgiven", stage_limit=Limit(100.0, 50.0))
    assert len(passes(gate, 90, 30)) == 90 * 30


# Fixed windows


def test_a_window_admits_rate_times_its_length_and_then_nothing() -> None:
    _, gate = rig("window_ms=500", stage_limit=Limit(100.0, 7.0))

    passed = passes(gate, 400, 10)

    by_window = Counter(int(at_s / 0.5) for at_s in passed)
    assert set(by_window.values()) == {50}
    # At 400 a second 50 have come after 125 ms of each window.
    assert max(at_s % 0.5 for at_s in passed) < 0.13


def test_windows_of_no_whole_number_take_turns() -> None:
    _, gate = rig("window_ms=100", stage_limit=Limit(25.0, 5.0))
    by_window = Counter(int(at_s * 10) for at_s in passes(gate, 400, 20))
    assert set(by_window.values()) == {2, 3}
    assert by_window.total() == 25 * 20


@pytest.mark.parametrize("limit", [Limit(100.0, 0.0), Limit(0.0, 10.0)])
def test_a_window_of_nothing_refuses_everything(limit: Limit) -> None:
    _, gate = rig("window_ms=1000", stage_limit=limit)
    assert passes(gate, 100, 5) == []


def test_a_window_that_goes_on_follows_a_new_limit() -> None:
    limiter = WindowLimiter(Limit(10.0, 1.0), 1.0)
    assert admitted_at_once(limiter, 5.2) == 10
    limiter.resize(Limit(15.0, 1.0), 5.5)
    assert admitted_at_once(limiter, 5.6) == 5
    limiter.resize(Limit(3.0, 1.0), None)
    assert admitted_at_once(limiter, 5.7) == 0
    assert admitted_at_once(limiter, 6.0) == 3


def admitted_at_once(limiter: Limiter, now_s: float) -> int:
    admitted = 0
    while limiter.ready(now_s, 0):
        limiter.spend()
        admitted += 1
    return admitted


# Rates that sink


def rates(passed: list[float], seconds: int) -> list[int]:
    """How many passed in each second from 1 s on."""
    counts = Counter(int(at_s) for at_s in passed)
    return [counts[second] for second in range(1, 1 + seconds)]


def test_an_overload_makes_the_rate_sink_to_a_fifth() -> None:
    _, gate = rig("adaptive=0.8,adaptive_ms=1000", stage_limit=Limit(100.0, 10.0))
    by_second = rates(passes(gate, 400, 12), 12)
    assert by_second[:6] == pytest.approx([110, 80, 64, 51.2, 40.96, 32.8], abs=2)
    assert by_second[-3:] == pytest.approx([20, 20, 20], abs=2)


def test_the_rate_recovers_when_the_overload_ends() -> None:
    _, gate = rig("adaptive=0.5,adaptive_ms=1000", stage_limit=Limit(100.0, 1.0))
    passes(gate, 400, 5)
    # A fifth is 20 a second; 15 a second are no overload, so that 40, 80 and 100 follow.
    assert len(passes(gate, 15, 3, start_s=6.0)) == 45
    assert rates(passes(gate, 400, 1, start_s=9.0), 9)[-1] == pytest.approx(100, abs=2)


def test_a_load_below_the_limit_makes_no_rate_sink() -> None:
    _, gate = rig("adaptive=0.5", stage_limit=Limit(100.0, 10.0))
    assert len(passes(gate, 99, 60)) == 99 * 60


# Background traffic


@pytest.mark.parametrize("kind", ["poisson", "steady"])
@pytest.mark.parametrize("shards", ["", "shards=4,", "shards=4,sync_ms=100,"])
def test_background_traffic_takes_its_part_of_the_account(kind: str, shards: str) -> None:
    account = Limit(1000.0, 500.0)
    # No simple part of 1000: steady traffic would come at the same phase of each token.
    text = f"{shards}background_rps=617.3,background={kind}"
    _, gate = rig(text, account=account)

    # At random times: at equal distances, ours would always be first when a token is due.
    rng, now_s, passed = Random(1), 1.0, 0
    while now_s < 31:
        passed += gate.admit(now_s, WALL_S) is None
        now_s += rng.expovariate(3000)

    # All are refused alike.
    share = 3000 / 3617.3
    assert passed == pytest.approx(share * (500 + 1000 * 30), rel=0.05)


def test_background_traffic_below_the_rate_leaves_the_rest_of_it() -> None:
    _, gate = rig("background_rps=600", account=Limit(1000.0, 500.0))
    assert len(passes(gate, 300, 30)) == 300 * 30


def test_background_traffic_touches_no_other_limit() -> None:
    _, gate = rig("background_rps=600", stage_limit=Limit(100.0, 10.0))
    assert len(passes(gate, 500, 20)) == pytest.approx(10 + 100 * 20, rel=0.01)


@pytest.mark.parametrize("level", ["account", "stage", "method", "key"])
def test_background_traffic_uses_up_the_level_that_it_is_told(level: str) -> None:
    wide = Limit(1e6, 1e6)
    limits = {"account": wide, "stage": wide, "method": wide, "key": wide}
    limits[level] = Limit(1000.0, 500.0)
    if level == "stage":
        limits.pop("method")
    text = f"background_rps=5000,background=steady,background_on={level}"
    gate = gate_of_levels(text, **limits)
    gate.admit(1.0, WALL_S)

    refusals = [gate.admit(3601.0, WALL_S) for _ in range(3)]

    names = [refusal.level for refusal in refusals if refusal is not None]
    assert names == [{"key": "usage-plan"}.get(level, level)] * 3


def test_background_traffic_on_one_level_leaves_the_others_alone() -> None:
    wide = Limit(1e6, 1e6)
    gate = gate_of_levels(
        "background_rps=900,background_on=stage",
        account=Limit(1000.0, 100.0),
        stage=wide,
        key=wide,
    )
    assert len(passes(gate, 2000, 20)) == pytest.approx(100 + 1000 * 20, rel=0.01)


@pytest.mark.parametrize(
    ("background_rps", "expected"),
    [
        pytest.param(400, 500, id="less than the rate: full"),
        pytest.param(5000, 0, id="more than the rate: empty"),
    ],
)
def test_after_a_rest_the_account_is_as_the_others_left_it(
    background_rps: int, expected: int
) -> None:
    text = f"background_rps={background_rps},background=steady"
    _, gate = rig(text, account=Limit(1000.0, 500.0))
    gate.admit(1.0, WALL_S)

    passed = sum(gate.admit(3601.0, WALL_S) is None for _ in range(1000))

    assert passed == pytest.approx(expected, abs=2)


@pytest.mark.parametrize(
    "text", ["shards=4", "background_rps=500", "shards=4,sync_ms=200,background_rps=500"]
)
def test_the_same_seed_gives_the_same_answers(text: str) -> None:
    runs = [
        passes(rig(f"{text},seed={seed}", account=Limit(300.0, 20.0))[1], 700, 5)
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]


# Switching


TEXTS = [
    "exact",
    "shards=4",
    "shards=8,spread=hashed",
    "shards=4,uneven=0.5",
    "shards=4,sync_ms=300",
    "background_rps=5",
    "adaptive=0.8",
]


@pytest.mark.parametrize("before", TEXTS)
@pytest.mark.parametrize("after", TEXTS)
def test_switching_keeps_tokens_quotas_and_counts(before: str, after: str) -> None:
    ledger, gate = rig(before, stage_limit=Limit(0.0, 800.0))
    passed = sum(gate.admit(1.0, WALL_S, client) is None for client in range(400))
    assert passed == 400

    ledger.enforce(Enforcement.parse(after), 1.0)

    assert ledger.enforcement == Enforcement.parse(after)
    document = ledger.document(1.0)
    stage = next(entry for entry in document["throttles"] if entry["level"] == "stage")
    assert stage["tokens"] == pytest.approx(400, abs=1)
    assert stage["admitted"] == 400
    assert document["quotas"][0]["used"] == 400
    # The gate that a caller still holds follows as well.
    assert sum(gate.admit(1.0, WALL_S, client) is None for client in range(300)) > 0


@given(
    enforcement=APART | TOGETHER,
    limit=st.builds(Limit, st.floats(0, 500), st.integers(0, 100).map(float)),
    gaps=st.lists(st.sampled_from([0.0, 0.0001, 0.01, 0.3, 20.0]), max_size=80),
)
def test_shards_never_admit_more_than_all_of_them_hold(
    enforcement: Enforcement, limit: Limit, gaps: list[float]
) -> None:
    enforcement = enforcement.model_copy(update={"background_rps": 0.0})
    _, gate = rig(str(enforcement), stage_limit=limit)
    now_s, passed = 1.0, 0
    for client, gap in enumerate(gaps):
        now_s += gap
        passed += gate.admit(now_s, WALL_S, client) is None
        at_once = enforcement.shards * limit.burst
        # With copies of the whole bucket, each node refills at the whole rate until it is told.
        rate_rps = limit.rate_rps * (enforcement.shards if enforcement.sync_ms else 1)
        assert passed <= at_once + rate_rps * (now_s - 1.0) + 1e-3
