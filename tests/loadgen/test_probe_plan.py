"""The schedule of a probe in virtual time: what it admits, and what ends it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loadgen.bucket.models import Limit, RandomShards, TokenBucket
from loadgen.bucket.other_models import Quota
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from loadgen.probe.budget import allowed
from loadgen.probe.guard import ENOUGH, Guard
from loadgen.probe.layers import layer_seen
from loadgen.probe.plan import probe
from loadgen.probe.setup import Caps, Setup
from loadgen.probe.simulated import Codes, Floats, Ints, OneLimit
from loadgen.steered.segment import Progress
from tests.loadgen.probe_rig import BASE, CANARY, CAPS, OTHERS, PLAIN, layered, run

WITH_OTHERS = replace(PLAIN, others=OTHERS)


class Answers:
    """An API that answers in one way from a rate or a number of requests on."""

    def __init__(self, kind: Kind, after: int = 0, every: int = 1, limit: Limit | None = None):
        self._kind, self._after, self._every, self._seen = kind, after, every, 0
        self._limit = limit or TokenBucket(60, 50)

    def answer(self, at_s: Floats, step: Ints, connection: Ints, service_s: Floats) -> Codes:
        number = np.arange(self._seen, self._seen + len(at_s))
        self._seen += len(at_s)
        hit = (number >= self._after) & (number % self._every == 0)
        admitted = self._limit.admit(at_s)
        codes = np.where(admitted, OK.code, Kind(Outcome.THROTTLED, Cause.THROTTLE).code)
        return np.where(admitted & hit, self._kind.code, codes).astype(np.uint16)


@pytest.mark.parametrize("jitter_ms", [0.0, 30.0])
@pytest.mark.parametrize("burst_s", [0.1, 2.0])
@pytest.mark.parametrize("rate", [5.0, 40.0, 200.0])
def test_a_probe_is_admitted_less_than_7_bursts_and_15_seconds_of_the_rate(
    rate: float, burst_s: float, jitter_ms: float
) -> None:
    burst = max(10, round(burst_s * rate))
    found = run(rate=rate, burst=burst, jitter_ms=jitter_ms, seed=3).found

    assert found.stop is None
    assert found.took.base_admitted < allowed(rate, burst)
    assert found.rate_rps == pytest.approx(rate, rel=0.12)
    assert {"overload", "hold", "dose"} <= {one.purpose for one in found.phases}


def test_shards_are_probed_within_the_same_budget() -> None:
    api = OneLimit(RandomShards(80, 60, 4, np.random.default_rng(1)))
    found = run(api).found

    assert found.took.base_admitted < allowed(80, 60)
    assert found.stop is None


def test_what_was_admitted_is_counted_once_and_by_purpose() -> None:
    simulation = run(layered("stage"), replace(WITH_OTHERS, canary=CANARY))
    took = simulation.found.took
    kinds = np.concatenate([sent.records["kind"] for _, sent in simulation.sent])

    assert took.admitted == int((kinds == OK.code).sum())
    assert took.refused == int((kinds != OK.code).sum())
    assert took.canary_admitted == sum(
        int((sent.records["step"] == CANARY.step).sum()) for _, sent in simulation.sent
    )


def test_without_a_refusal_the_ramp_ends_at_the_highest_rate() -> None:
    setup = replace(PLAIN, caps=replace(CAPS, max_rate_rps=100))
    found = run(setup=setup, rate=5_000, burst=5_000).found

    assert found.rate_rps is None
    assert found.stop is None
    assert found.took.refused == 0
    assert max(one.rate_rps for one in found.phases) == 100


@pytest.mark.parametrize("layer", ["account", "stage", "usage_plan", "method", "usage_plan_method"])
def test_the_layer_is_named_by_who_shares_the_bucket(layer: str) -> None:
    found = run(layered(layer), replace(WITH_OTHERS, account_allowed=True), jitter_ms=10).found

    assert layer_seen(found.comparisons, has_key=True).layer == layer


@pytest.mark.parametrize("most_rps", [115.0, 130.0])
@pytest.mark.parametrize("layer", ["account", "stage", "usage_plan", "method", "usage_plan_method"])
def test_the_layer_is_also_named_at_a_gentler_overload(layer: str, most_rps: float) -> None:
    caps = replace(CAPS, max_rate_rps=most_rps)
    simulation = run(layered(layer), replace(WITH_OTHERS, caps=caps, account_allowed=True))

    assert layer_seen(simulation.found.comparisons, has_key=True).layer == layer
    assert max(one.rate_rps for one in simulation.found.phases) <= most_rps


def test_no_layer_is_named_where_no_overload_is_allowed() -> None:
    caps = replace(CAPS, max_rate_rps=85)
    found = run(layered("stage"), replace(WITH_OTHERS, caps=caps)).found

    assert found.comparisons == ()


def test_a_layer_test_beyond_a_cap_is_left_out_and_takes_nothing_from_the_rest() -> None:
    setup = replace(WITH_OTHERS, caps=replace(CAPS, max_admitted=1_180))
    found = run(layered("stage"), setup).found

    assert found.stop is None
    assert found.comparisons == ()
    assert found.notes[0].startswith("no layer test: ")


def test_without_a_key_there_is_no_usage_plan_to_tell_apart() -> None:
    others = {factor: one for factor, one in OTHERS.items() if factor != "key"}
    found = run(layered("stage"), replace(PLAIN, others=others)).found

    assert layer_seen(found.comparisons, has_key=False).layer == "stage"
    assert layer_seen(found.comparisons, has_key=True).candidates == ("stage", "usage_plan")


def test_what_is_not_tested_stays_open() -> None:
    found = run(layered("stage"), PLAIN).found

    assert found.comparisons == ()
    assert layer_seen((), has_key=True).layer == "unclear"


UNKNOWN = Setup(BASE, CAPS, OTHERS)  # nothing is configured, as far as is known


@pytest.mark.parametrize(
    ("layer", "reason"),
    [("account", "the limit is the account's"), ("stage", None)],
    ids=["the account's", "the stage's"],
)
def test_a_bucket_that_may_be_the_accounts_is_told_right_after_the_ramp(
    layer: str, reason: str | None
) -> None:
    found = run(layered(layer), UNKNOWN).found
    purposes = list(dict.fromkeys(one.purpose for one in found.phases))

    assert purposes[:3] == ["slow", "ramp", "layer"]
    if reason is None:
        assert found.stop is None
        assert "overload" in purposes
    else:
        assert found.stop is not None
        assert found.stop.by == "account"
        assert found.stop.reason.startswith(reason)
        assert "overload" not in purposes
        assert found.rate_rps == pytest.approx(60, rel=0.1)


def test_where_no_other_identity_can_tell_the_account_is_spared() -> None:
    found = run(setup=replace(UNKNOWN, others={})).found

    assert found.stop is not None
    assert found.stop.reason.startswith("the limit may be the account's")


def test_the_account_is_drained_where_that_is_allowed() -> None:
    found = run(layered("account"), replace(UNKNOWN, account_allowed=True)).found

    assert found.stop is None
    assert "overload" in {one.purpose for one in found.phases}


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        (replace(CAPS, max_admitted=300), "limits.max_admitted 300"),
        (replace(CAPS, max_duration_s=12), "beyond limits.max_duration 12 s"),
        (replace(CAPS, quota_left=200), "200 of the key's quota may be used"),
        (replace(CAPS, max_rate_rps=90), "limits.max_rate leaves no overload"),
    ],
    ids=["admitted", "duration", "quota", "rate"],
)
def test_a_cap_ends_a_probe_before_the_phase_that_would_break_it(caps: Caps, reason: str) -> None:
    found = run(setup=replace(PLAIN, caps=caps)).found

    assert found.stop is not None
    assert found.stop.by == "cap"
    assert reason in found.stop.reason
    assert found.took.admitted <= caps.max_admitted
    assert found.took.admitted <= (caps.quota_left or caps.max_admitted)


BROKEN = Kind(Outcome.SERVER_ERROR, Cause.UNKNOWN, Evidence.WIRE)


@pytest.mark.parametrize(
    ("api", "by", "reason"),
    [
        (Answers(BROKEN), "errors", "admitted requests failed: 4 x 200"),
        (Answers(BROKEN, after=120, every=20), "errors", "admitted requests failed"),
        (Answers(BROKEN, every=40), "errors", "3 of 87 admitted requests failed: 3 x 200"),
        (
            Answers(Kind(Outcome.THROTTLED, Cause.QUOTA), after=200),
            "quota",
            "the quota of the key is used up",
        ),
    ],
    ids=["at rest", "under load", "a few in each phase", "quota"],
)
def test_trouble_ends_a_probe(api: Answers, by: str, reason: str) -> None:
    found = run(api).found

    assert found.stop is not None
    assert found.stop.by == by
    assert reason in found.stop.reason


def test_a_failure_now_and_then_does_not_end_a_probe() -> None:
    assert run(Answers(BROKEN, every=400)).found.stop is None


def test_a_refused_canary_ends_a_probe() -> None:
    found = run(layered("account"), replace(PLAIN, canary=CANARY)).found

    assert found.stop is not None
    assert found.stop.by == "canary"
    assert found.canary_refused > 0


def test_a_canary_of_another_bucket_does_not() -> None:
    found = run(layered("stage"), replace(PLAIN, canary=CANARY)).found

    assert found.stop is None
    assert found.canary_refused == 0


def test_an_api_that_becomes_slow_twice_in_a_row_is_left_alone() -> None:
    guard = Guard(PLAIN, baseline_ms=50.0)
    look = guard.watch(1_000)
    slow = Progress(1.0, {0: 50}, {0: 0}, {0: 0}, p95_ms=301.0)

    assert look(slow) is None
    assert look(replace(slow, p95_ms=299.0)) is None
    assert look(slow) is None
    assert look(slow) == ("p95 of admitted requests is 301 ms, above 300 ms: at rest it was 50 ms")


def test_a_phase_that_admits_more_than_its_part_is_over() -> None:
    look = Guard(PLAIN).watch(100)

    assert look(Progress(1.0, {0: 100}, {0: 0}, {0: 0}, None)) is None
    assert look(Progress(2.0, {0: 101}, {0: 0}, {0: 0}, None)) == ENOUGH


def test_a_stop_from_outside_ends_the_plan_with_what_it_has() -> None:
    plan = probe(PLAIN)
    segment = next(plan)
    first = run(OneLimit(Quota(10**6))).sent[0][1]

    with pytest.raises(StopIteration) as end:
        plan.send(replace(first, stopped="interrupted"))

    assert segment.name == "slow"
    assert end.value.value.stop.by == "interrupted"
    assert end.value.value.took.sent == len(first.records)
