"""Ways in which a limit may be kept: each admits what its words say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.bucket.models import (
    Adaptive,
    HashedShards,
    Limit,
    OtherTraffic,
    RandomShards,
    StaleSynchronisation,
    TokenBucket,
)
from loadgen.bucket.other_models import Block, Concurrency, FixedWindow, Quota

RATE, BURST = 100.0, 50.0


def steadily(rate_rps: float, length_s: float, from_s: float = 0.0) -> np.ndarray:
    return from_s + (np.arange(round(rate_rps * length_s)) + 0.5) / rate_rps


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_bucket_admits_its_burst_and_then_its_rate() -> None:
    assert TokenBucket(RATE, BURST).admit(steadily(300, 10)).sum() == pytest.approx(1050, abs=1)


@given(
    gaps=st.lists(st.floats(0.0, 0.5), min_size=1, max_size=60),
    rate=st.floats(0.5, 200),
    burst=st.floats(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_a_bucket_never_admits_more_than_burst_and_refill(
    gaps: list[float], rate: float, burst: float
) -> None:
    at = np.cumsum(gaps)
    admitted = at[TokenBucket(rate, burst).admit(at)]
    for first in range(len(admitted)):
        spans = admitted[first:] - admitted[first]
        assert (np.arange(1, len(spans) + 1) <= burst + rate * spans + 1e-6).all()


def test_a_bucket_goes_on_from_call_to_call() -> None:
    at = steadily(300, 4)
    once = TokenBucket(RATE, BURST).admit(at)
    bucket = TokenBucket(RATE, BURST)
    parts = [bucket.admit(part) for part in np.array_split(at, 5)]
    assert (np.concatenate(parts) == once).all()


@pytest.mark.parametrize(
    ("limit", "admitted_rps"),
    [
        pytest.param(RandomShards(RATE, BURST, 4, rng()), RATE, id="random shards together"),
        pytest.param(HashedShards(RATE, BURST, 4, rng()), RATE / 4, id="one connection, one shard"),
        pytest.param(OtherTraffic(RATE, BURST, 30, rng()), 91, id="others take their part"),
        pytest.param(StaleSynchronisation(RATE, BURST, 0.2, rng()), RATE, id="late, debt kept"),
        pytest.param(FixedWindow(100, 1.0), RATE, id="window"),
        pytest.param(Concurrency(20), 200, id="20 under way for 0.1 s each"),
        pytest.param(Quota(100, TokenBucket(RATE, BURST)), 0, id="quota used up"),
        pytest.param(Block(100, 10.0, 1.0), 0, id="blocked while asked"),
        pytest.param(Adaptive(RATE, BURST), 49, id="slowed down while refusing"),
    ],
)
def test_under_overload_a_limit_admits(limit: Limit, admitted_rps: float) -> None:
    at = steadily(300, 24)
    admitted = limit.admit(at)
    assert admitted[at > 12].sum() / 12 == pytest.approx(admitted_rps, rel=0.12, abs=1)


def test_forgiven_debt_admits_more_than_the_rate() -> None:
    limit = StaleSynchronisation(RATE, BURST, 0.2, rng(), forgiven=True)
    at = steadily(600, 10)
    assert limit.admit(at)[at > 5].sum() / 5 > 2 * RATE


def test_connections_meet_the_same_shard_again() -> None:
    limit = HashedShards(10, 40, 4, rng())
    connection = np.tile(np.arange(40), 20)
    admitted = limit.admit(steadily(400, 2), connection)
    shares = np.bincount(connection[admitted], minlength=40)
    assert shares.std() > 0.5


def test_a_block_ends_when_nothing_more_is_asked() -> None:
    limit = Block(100, 10.0, 1.0)
    limit.admit(steadily(50, 10))
    assert limit.admit(steadily(5, 2, from_s=40.0)).all()


@pytest.mark.parametrize("make", [OtherTraffic, Adaptive], ids=["others", "adaptive"])
def test_nothing_sent_is_nothing_admitted(make: type) -> None:
    limit = OtherTraffic(1, 1, 1, rng()) if make is OtherTraffic else Adaptive(1, 1)
    assert len(limit.admit(np.zeros(0))) == 0
