"""How far the test of a share can be trusted, with independent and with correlated requests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.search.evidence import Evidence, Sample, weigh
from loadgen.search.growth import Bucket, Growth

ALPHA = 0.01


def sample(bad: np.ndarray, response_s: np.ndarray | None = None) -> Sample:
    at_s = np.linspace(0.0, 10.0, len(bad), endpoint=False)
    response = np.full(len(bad), 0.02) if response_s is None else response_s
    return Sample(0.0, 10.0, at_s, bad.astype(bool), response)


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(0.0, "holds"), (0.02, "holds"), (0.05, "undecided"), (0.12, "breaks"), (1.0, "breaks")],
)
def test_shares_away_from_the_limit_are_decided(share, verdict):
    rng = np.random.default_rng(3)
    found = weigh([sample(rng.random(3000) < share)], 0.05)
    assert found.verdict(ALPHA, ALPHA) == verdict


@pytest.mark.parametrize(("low", "high"), [(0.05, "above"), (0.05, "below")])
def test_at_the_limit_a_verdict_is_as_rare_as_its_error_allows(low, high):
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(300):
        found = weigh([sample(rng.random(800) < low)], 0.05)
        wrong += getattr(found, high) >= -math.log(ALPHA)
    assert wrong <= 9  # 3 are expected at most


def test_correlated_requests_are_worth_less_than_independent_ones():
    rng = np.random.default_rng(5)
    blocks = np.repeat(rng.random(30) < 0.2, 100)
    together, apart = weigh([sample(blocks)], 0.05), weigh([sample(rng.permutation(blocks))], 0.05)
    assert together.worth < 0.2 * apart.worth


def test_the_slowest_tenth_stands_in_for_slow_requests_that_did_not_come():
    rng = np.random.default_rng(6)
    nothing = np.zeros(3000)
    waves = np.repeat(rng.random(30), 100)
    steady = weigh([sample(nothing, rng.random(3000))], 0.05, of_latency=True)
    swaying = weigh([sample(nothing, waves)], 0.05, of_latency=True)
    assert swaying.worth < 0.2 * steady.worth
    # Of refusals it says nothing.
    assert weigh([sample(nothing, waves)], 0.05).worth == 3000


@settings(max_examples=60, deadline=None)
@given(
    bad=st.integers(0, 400),
    good=st.integers(0, 400),
    limit=st.sampled_from([0.001, 0.01, 0.05, 0.5, 0.95]),
)
def test_evidence_speaks_for_one_side_at_most(bad, good, limit):
    rng = np.random.default_rng(bad * 401 + good)
    marked = rng.permutation(np.repeat([True, False], [bad, good]))
    found = weigh([sample(marked)], limit)
    assert found.counted == bad + good
    assert not (found.below > math.log(100) and found.above > math.log(100))
    assert found.effect >= 1


def test_nothing_counted_decides_nothing():
    found = weigh([sample(np.zeros(0))], 0.05)
    assert (found.share, found.verdict(ALPHA, ALPHA)) == (None, "undecided")
    assert isinstance(found, Evidence)


def test_a_bucket_hides_a_rate_for_as_long_as_its_burst_lasts():
    bucket = Bucket(refill_rps=80.0, burst=40.0)
    assert bucket.hidden_s(79.0, 0.01) == 0.0
    assert bucket.hidden_s(80.5, 0.01) == 0.0  # 1 % may be refused
    assert bucket.hidden_s(160.0, 0.01) > 40.0 / 80.0
    assert bucket.hidden_s(90.0, 0.01) > 40.0 / 10.0
    assert bucket.hidden_s(90.0, 0.01, rest_s=0.5) > bucket.hidden_s(90.0, 0.01)


@pytest.mark.parametrize(
    ("growth", "grows", "may"),
    [
        (Growth(rps=10.0, t=5.0), True, True),
        (Growth(rps=10.0, t=2.0), False, True),
        (Growth(rps=0.1, t=9.0), False, False),  # a trifle
        (Growth(rps=-10.0, t=-5.0), False, False),
    ],
    ids=["for sure", "perhaps", "trifle", "drains"],
)
def test_growth_is_told_from_chance(growth, grows, may):
    assert (growth.grows(100.0), growth.may_grow(100.0)) == (grows, may)
