"""Who refused: a limit of the application or of Lambda is no layer of API Gateway."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loadgen.bucket.finding import BucketFinding, Range
from loadgen.bucket.models import TokenBucket
from loadgen.limits import StepLimits
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from loadgen.probe.compare import Configured
from loadgen.probe.refuser import Refuser, as_refused, refuser_of
from loadgen.probe.seen import Seen
from loadgen.probe.simulated import Codes, Floats, Ints
from reports.limits_words import headline
from tests.loadgen.probe_rig import BASE, CAPS, OTHERS, PLAIN, bucket, document, run

# Nobody knows what is configured, so that it could be the account's.
UNREAD = replace(PLAIN, inner_rps=(), account_rps=None)
CONFIGURED = (bucket(rate=60, burst=50), bucket(Cause.ACCOUNT, 10_000, 5_000))

# As such a bucket is judged, which takes a second.
BUCKET = BucketFinding(
    "token_bucket",
    Range(60.0, 59.8, 60.2, calibrated=True),
    Range(50.0, 49.5, 50.5, calibrated=True),
    ("one bucket explains what was admitted",),
)


def judged_as(seen: Seen) -> BucketFinding:
    return as_refused(BUCKET, seen.refuser(BASE), seen.observation(BASE))


class Refusing:
    """An API behind a bucket of 60/s and 50 whose refusals have these causes in turn."""

    def __init__(self, *causes: Cause) -> None:
        self._bucket = TokenBucket(60, 50)
        self._causes = causes

    def answer(self, at_s: Floats, step: Ints, connection: Ints, service_s: Floats) -> Codes:
        came = self._bucket.admit(at_s)
        codes = [Kind(Outcome.THROTTLED, one, Evidence.WIRE).code for one in self._causes]
        turn = np.arange(len(at_s)) % len(codes)
        return np.where(came, OK.code, np.array(codes)[turn]).astype(np.uint16)


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ({}, None),
        ({Cause.THROTTLE: 9}, "gateway"),
        ({Cause.THROTTLE: 5, Cause.STAGE: 5}, "gateway"),
        ({Cause.APPLICATION: 9}, "application"),
        ({Cause.LAMBDA_CONCURRENCY: 9}, "lambda_concurrency"),
        ({Cause.UNKNOWN: 9}, "unknown"),
        ({Cause.NONE: 9}, "unknown"),
        ({Cause.THROTTLE: 99, Cause.APPLICATION: 1}, "gateway"),
        ({Cause.THROTTLE: 60, Cause.APPLICATION: 40}, "several"),
    ],
    ids=["none", "throttle", "named", "application", "lambda", "unknown", "a rule", "few", "both"],
)
def test_refusals_tell_who_refused(causes: dict[Cause, int], expected: Refuser | None) -> None:
    assert refuser_of(causes) == expected


def test_a_limit_of_the_application_is_measured_and_is_no_layer_of_api_gateway() -> None:
    setup = replace(UNREAD, others=OTHERS)
    seen = run(Refusing(Cause.APPLICATION), setup).found
    found = document(seen, setup, CONFIGURED, judged_as(seen))

    # Nobody else is drained, so that it goes on; other keys and stages tell nothing of it.
    assert seen.stop is None
    assert not seen.comparisons
    assert "no layer test: the refusals are none of API Gateway" in found.notes
    assert (found.binding.layer, found.binding.evidence) == ("application", "answers")
    assert found.verdict == "pass"
    assert not [one for one in found.comparisons if one.binds]
    assert "that of the application itself, by what the refusals say: rate" in headline(found)


def test_refusals_for_concurrency_have_no_rate() -> None:
    seen = run(Refusing(Cause.LAMBDA_CONCURRENCY), UNREAD).found
    found = document(seen, UNREAD, CONFIGURED, judged_as(seen))

    assert found.binding.layer == "lambda_concurrency"
    assert found.finding.kind == "concurrency"
    assert found.finding.rate_rps is None
    assert found.finding.burst is None


def test_refusals_of_two_limits_are_not_one_bucket() -> None:
    seen = run(Refusing(Cause.THROTTLE, Cause.APPLICATION)).found
    found = document(seen, PLAIN, CONFIGURED, judged_as(seen))

    assert found.finding.kind == "poorly_kept"
    assert found.finding.rate_rps is not None
    assert (found.finding.rate_rps.value, found.finding.rate_rps.calibrated) == (None, False)
    assert found.binding.layer == "unclear"
    assert "one bucket" not in " ".join(found.finding.reasons)


@pytest.mark.parametrize(
    ("configured", "layer"),
    [(Configured(StepLimits(0, "GET /a", CONFIGURED, complete=True)), "stage"), (None, "unclear")],
    ids=["as configured", "nothing known"],
)
def test_refusals_without_words_may_be_the_applications(
    configured: Configured | None, layer: str
) -> None:
    known = configured or Configured(None)
    seen = run(Refusing(Cause.UNKNOWN)).found
    found = document(seen, PLAIN, found=judged_as(seen), configured=known)

    assert found.binding.layer == layer
    assert "application" in found.binding.candidates


def test_a_limit_that_was_met_but_not_told_is_not_called_none() -> None:
    setup = replace(PLAIN, caps=replace(CAPS, max_admitted=120))
    found = document(run(setup=setup, rate=20, burst=20).found, setup, CONFIGURED)

    assert found.finding.kind == "no_refusal"
    assert found.counts.refused
    assert headline(found) == "A limit was met, but too little of it to tell which."
    assert {one.why for one in found.comparisons} == {"cannot tell: too little was refused"}


def test_more_than_is_configured_disagrees_though_nothing_was_refused() -> None:
    setup = replace(PLAIN, caps=replace(CAPS, max_rate_rps=300))
    found = document(run(setup=setup, rate=5_000, burst=5_000).found, setup, CONFIGURED)

    assert found.verdict == "failed"
    assert found.errors == ["more was admitted than is configured"]


@pytest.mark.parametrize(("rate", "burst"), [(1, 1), (1.5, 1), (2, 2), (3, 3), (2, 100), (5, 5)])
def test_slow_buckets_are_drained_no_more_than_fast_ones(rate: float, burst: float) -> None:
    for seed in range(4):
        for jitter_ms in (0, 20):
            found = run(rate=rate, burst=burst, seed=seed, jitter_ms=jitter_ms).found
            assert found.took.base_admitted < 7 * burst + 15 * rate
