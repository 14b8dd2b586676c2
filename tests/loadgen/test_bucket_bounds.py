"""What is certain without a model: bounds from what was admitted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.bucket.agreement import admitted_over, disagrees
from loadgen.bucket.bounds import frontier, least_burst, least_rate
from loadgen.bucket.finding import BucketFinding, Range
from loadgen.bucket.models import TokenBucket
from loadgen.bucket.observation import Observation, Phase


def phase(rate_rps: float, length_s: float, limit: TokenBucket, from_s: float = 0.0) -> Phase:
    send = from_s + (np.arange(round(rate_rps * length_s)) + 0.5) / rate_rps
    admitted = limit.admit(send)
    n = len(send)
    return Phase(
        "load", from_s, from_s + length_s, send, np.full(n, 0.01), admitted, np.ones(n, np.int64)
    )


def seen(rate_rps: float, burst: float, sent_rps: float = 300.0) -> Observation:
    return Observation((phase(sent_rps, 8.0, TokenBucket(rate_rps, burst)),))


@given(gaps=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=50), rate=st.floats(0.1, 20))
@settings(max_examples=60, deadline=None)
def test_the_least_burst_is_just_enough(gaps: list[float], rate: float) -> None:
    at = np.cumsum(gaps)
    burst = least_burst(at, rate)
    assert TokenBucket(rate, burst + 1e-6).admit(at).all()
    if burst > 1.01:
        assert not TokenBucket(rate, burst - 0.01).admit(at).all()


def test_the_frontier_holds_for_the_true_bucket() -> None:
    for bound in frontier(seen(100, 400)):
        if bound.rate_rps <= 100:
            assert bound.burst <= 400 + (100 - bound.rate_rps) * 8.0 + 1


def test_nothing_admitted_bounds_nothing() -> None:
    empty = Observation(())
    assert frontier(empty) == ()
    assert least_rate(empty, 10) == 0.0


def test_a_bounded_burst_bounds_the_rate() -> None:
    assert least_rate(seen(1000, 1000), most_burst=800) == pytest.approx(200)


def found(kind: str = "token_bucket", *, calibrated: bool = True) -> BucketFinding:
    rate = Range(100.0, 99.0, 101.0, calibrated=calibrated)
    burst = Range(50.0, 48.0, 52.0, calibrated=calibrated)
    return BucketFinding(kind, rate, burst, ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rate", "burst", "answer"),
    [
        pytest.param(100, 50, "agrees", id="as configured"),
        pytest.param(103, 50, "agrees", id="within the slack"),
        pytest.param(120, 50, "disagrees", id="the rate is lower"),
        pytest.param(100, 80, "disagrees", id="the burst is smaller"),
        pytest.param(50, 20, "disagrees", id="much more was admitted"),
    ],
)
def test_configuration_and_behaviour_are_compared(rate: float, burst: float, answer: str) -> None:
    assert disagrees(rate, burst, found(), seen(100, 50)).answer == answer


@pytest.mark.parametrize("kind", ["other_traffic", "poorly_kept", "delayed_synchronisation"])
def test_less_than_configured_says_nothing_where_the_bucket_is_not_plain(kind: str) -> None:
    not_plain = found(kind, calibrated=False)
    assert disagrees(200, 50, not_plain, seen(100, 50)).answer == "unknown"
    assert disagrees(50, 20, not_plain, seen(100, 50)).answer == "disagrees"


def test_without_refusals_nothing_is_said() -> None:
    assert disagrees(1000, 1000, found("no_refusal"), seen(1000, 1000)).answer == "unknown"


def test_what_the_limit_allows_is_not_over_it() -> None:
    assert admitted_over(seen(100, 50), 100, 50) == 0.0
    assert admitted_over(seen(100, 50), 50, 50) > 0.3
