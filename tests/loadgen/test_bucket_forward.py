"""The simulated bucket of the fit admits what a real one admits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.bucket.forward import Demand, Split, admitted, demand
from loadgen.bucket.models import OtherTraffic, RandomShards, TokenBucket


def wanted(at: np.ndarray, bins: np.ndarray, tick_s: float, shards: int = 1) -> Demand:
    of = np.random.default_rng(0).integers(shards, size=len(at))
    return demand(at, bins, int(bins[-1]) + 1, tick_s, of, Split(shards))


@given(
    rates=st.lists(st.floats(5, 400), min_size=1, max_size=6),
    rate=st.floats(10, 150),
    burst=st.floats(6, 120),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_it_admits_as_a_bucket_of_whole_tokens_does(
    rates: list[float], rate: float, burst: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    at = np.sort(np.concatenate([i + rng.random(round(one)) for i, one in enumerate(rates)]))
    bins = at.astype(np.int64)
    bins -= bins[0]
    model = admitted(wanted(at, bins, 0.2 / rate), np.array([rate]), np.array([burst]))[:, 0]
    real = np.bincount(bins[TokenBucket(rate, burst).admit(at)], minlength=len(model))
    assert np.abs(np.cumsum(model) - np.cumsum(real)).max() < 3.0


def test_all_parameters_are_tried_at_once() -> None:
    at = (np.arange(3000) + 0.5) / 300
    asked = wanted(at, at.astype(np.int64), 0.003)
    rates, bursts = np.array([50.0, 100.0, 200.0]), np.array([10.0, 40.0, 500.0])
    together = admitted(asked, rates, bursts)
    for i in range(3):
        alone = admitted(asked, rates[i : i + 1], bursts[i : i + 1])
        assert together[:, i] == pytest.approx(alone[:, 0])


def test_shards_met_at_random_admit_a_little_less() -> None:
    at = (np.arange(6000) + 0.5) / 300
    bins = at.astype(np.int64)
    model = admitted(wanted(at, bins, 0.003, 8), np.array([250.0]), np.array([80.0])).sum()
    real = RandomShards(250, 80, 8, np.random.default_rng(1)).admit(at).sum()
    one = TokenBucket(250, 80).admit(at).sum()
    assert model == pytest.approx(real, rel=0.01)
    assert model < one


def test_others_take_their_part() -> None:
    rng = np.random.default_rng(1)
    at = np.sort(rng.uniform(0, 40, 12_000))
    bins = at.astype(np.int64)
    asked = wanted(at, bins, 0.003)
    model = admitted(asked, np.array([100.0]), np.array([50.0]), np.array([0.3]))[5:].sum()
    real = OtherTraffic(100, 50, 30, rng).admit(at)[at > 5].sum()
    assert model == pytest.approx(real, rel=0.03)
