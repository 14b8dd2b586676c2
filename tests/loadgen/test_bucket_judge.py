"""What is said of limits whose truth is known."""

from collections.abc import Callable

import numpy as np
import pytest

from loadgen.bucket import judge
from loadgen.bucket.finding import BucketFinding
from loadgen.bucket.models import (
    HashedShards,
    Limit,
    OtherTraffic,
    RandomShards,
    StaleSynchronisation,
    TokenBucket,
)
from loadgen.bucket.observation import Observation, Phase
from loadgen.bucket.other_models import Block, Concurrency, FixedWindow, Quota

RATE, BURST = 40.0, 30.0


def judge_bucket(observation: Observation) -> BucketFinding:
    """With few repeats: these limits are far from the borders between the kinds."""
    return judge.judge_bucket(observation, repeats=7)


def observed(
    limit: Limit,
    jitter_s: float,
    seed: int = 4,
    connections: int = 64,
    most_rps: float = 1e9,
    service_s: float = 0.2,
) -> Observation:
    """A short schedule: ramp, overload, hold, dose, pulse."""
    rng = np.random.default_rng(seed)
    phases, now = [], 0.0
    for name, rate_rps, length_s, rest_s in (
        ("ramp", 20.0, 1.0, 0.0),
        ("ramp", 80.0, 1.0, 0.0),
        ("ramp", 160.0, 1.0, 0.0),
        ("overload", 120.0, 6.0, 3.0),
        ("hold", 50.0, 5.0, 0.1),
        ("dose", 240.0, 3.0, 0.1),
        ("pulse", 120.0, 1.5, 2.0),
    ):
        rate_rps = min(rate_rps, most_rps)
        now += rest_s
        n = round(rate_rps * length_s)
        send = now + (np.arange(n) + 0.5) / rate_rps
        there, back = (0.05 + rng.gamma(4.0, jitter_s / 2 + 1e-9, n) for _ in range(2))
        at = send + there
        order = np.argsort(at)
        connection = rng.integers(connections, size=n)
        service = service_s * rng.uniform(0.75, 1.25, n)
        admitted = np.empty(n, np.bool_)
        admitted[order] = limit.admit(at[order], connection[order], service[order])
        rtt = there + back + np.where(admitted, service, 0.0)
        phases.append(Phase(name, now, now + length_s, send, rtt, admitted, connection))
        now += length_s
    return Observation(tuple(phases))


def is_tight_and_wrong(found: BucketFinding) -> bool:
    return any(
        one is not None
        and one.high is not None
        and one.high - one.low < 0.1 * (one.high + one.low)
        and not one.low <= truth <= one.high
        for one, truth in ((found.rate_rps, RATE), (found.burst, BURST))
    )


@pytest.mark.parametrize("jitter_s", [0.0, 0.02], ids=["no jitter", "20 ms jitter"])
def test_one_bucket_is_found_with_its_rate_and_burst(jitter_s: float) -> None:
    found = judge_bucket(observed(TokenBucket(RATE, BURST), jitter_s))
    assert found.kind == "token_bucket"
    assert found.calibrated
    assert found.rate_rps is not None
    assert found.burst is not None
    assert found.rate_rps.value == pytest.approx(RATE, rel=0.03)
    assert found.burst.value == pytest.approx(BURST, rel=0.1)


def test_shards_met_at_random_are_found_as_one_limit() -> None:
    limit = RandomShards(RATE, 40.0, 4, np.random.default_rng(5))
    found = judge_bucket(observed(limit, 0.0))
    assert found.kind == "sharded"
    assert found.calibrated
    assert found.rate_rps is not None
    assert found.burst is not None
    assert found.rate_rps.value == pytest.approx(RATE, rel=0.03)
    assert found.burst.value == pytest.approx(40.0, rel=0.1)


Made = Callable[[np.random.Generator], Limit]


@pytest.mark.parametrize(
    ("make", "kinds"),
    [
        pytest.param(lambda rng: HashedShards(RATE, BURST, 4, rng), {"sharded"}, id="hashed"),
        pytest.param(
            lambda rng: OtherTraffic(RATE, BURST, 14, rng),
            {"other_traffic", "poorly_kept"},
            id="others",
        ),
        pytest.param(
            lambda rng: StaleSynchronisation(RATE, BURST, 1.0, rng),
            {"delayed_synchronisation"},
            id="late",
        ),
        pytest.param(lambda _: FixedWindow(40, 1.0, 0.3), {"fixed_window"}, id="window"),
        pytest.param(lambda _: Concurrency(10), {"concurrency"}, id="concurrency"),
        pytest.param(lambda _: Quota(300, TokenBucket(RATE, BURST)), {"quota"}, id="quota"),
        pytest.param(lambda _: Block(400, 6.0, 1.0), {"block", "quota"}, id="block"),
    ],
)
def test_what_is_no_plain_bucket_gets_a_name_and_no_interval(make: Made, kinds: set[str]) -> None:
    found = judge_bucket(observed(make(np.random.default_rng(12)), 0.005))
    assert found.kind in kinds
    assert not found.calibrated
    assert not is_tight_and_wrong(found)
    assert found.reasons


@pytest.mark.parametrize("seed", range(6))
def test_a_little_other_traffic_does_not_lead_to_a_tight_wrong_interval(seed: int) -> None:
    limit = OtherTraffic(RATE, BURST, 0.12 * RATE, np.random.default_rng(seed))
    assert not is_tight_and_wrong(judge_bucket(observed(limit, 0.01, seed=seed)))


@pytest.mark.parametrize(
    ("make", "kind", "burst"),
    [
        pytest.param(lambda _: TokenBucket(RATE, 3.0), "token_bucket", 3.0, id="one bucket"),
        pytest.param(lambda rng: HashedShards(RATE, 8.0, 4, rng), "sharded", 8.0, id="4 hashed"),
        pytest.param(
            lambda rng: HashedShards(RATE, 32.0, 16, rng), "sharded", 32.0, id="16 hashed"
        ),
        pytest.param(lambda rng: RandomShards(RATE, 12.0, 6, rng), "sharded", 12.0, id="6 random"),
    ],
)
def test_shards_of_few_tokens_are_not_taken_for_a_bucket_of_hardly_any(
    make: Made, kind: str, burst: float
) -> None:
    found = judge_bucket(observed(make(np.random.default_rng(12)), 0.0, service_s=0.04))
    assert (found.kind, found.calibrated) == (kind, False)
    assert found.burst is not None
    assert found.burst.high is not None
    assert found.burst.low <= burst <= found.burst.high


@pytest.mark.parametrize("service_s", [0.3, 0.5, 0.6])
def test_a_bucket_that_slow_requests_drain_is_no_limit_of_concurrency(service_s: float) -> None:
    found = judge_bucket(observed(TokenBucket(RATE, 10.0), 0.0, service_s=service_s))
    assert found.kind == "token_bucket"
    assert found.rate_rps is not None
    assert found.rate_rps.value == pytest.approx(RATE, rel=0.03)


def test_on_one_connection_there_is_no_interval() -> None:
    found = judge_bucket(observed(TokenBucket(RATE, BURST), 0.0, connections=1))
    assert found.kind == "token_bucket"
    assert not found.calibrated
    assert "connection" in found.reasons[0]


def test_without_refusals_there_are_bounds() -> None:
    found = judge_bucket(observed(TokenBucket(400, 400), 0.0))
    assert found.kind == "no_refusal"
    assert found.rate_rps is not None
    assert found.rate_rps.value is None
    assert found.rate_rps.high is None
    assert found.frontier


def test_a_few_refusals_are_no_overload() -> None:
    found = judge_bucket(observed(TokenBucket(150, 250), 0.0))
    assert found.kind == "no_refusal"
    assert "no overload lasted" in found.reasons[0]


def test_columns_of_different_lengths_are_told() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        Phase("x", 0, 1, np.zeros(2), np.zeros(1), np.zeros(2, np.bool_), np.zeros(2, np.int64))
