"""Residuals of a limit that was found: chance stays in the band, another limit does not."""

from __future__ import annotations

import pytest

from loadgen.bucket.finding import BucketFinding, Range
from loadgen.probe.document_parts import bins_of
from reports.limits_document import ProbeBin
from reports.limits_drift import drift_words, drifts_of
from tests.loadgen.probe_rig import BASE, run

SEEN = run(rate=60, burst=50, jitter_ms=10).found.observation(BASE)


def found(
    rate: float, burst: float, *, kind: str = "token_bucket", calibrated: bool = True
) -> BucketFinding:
    """A finding with intervals of 0.6 % and 2 %, about what a probe of this limit has."""
    return BucketFinding(
        kind,  # type: ignore[arg-type]
        Range(rate, rate * 0.994, rate * 1.006, calibrated=calibrated),
        Range(burst, burst * 0.98, burst * 1.02, calibrated=calibrated),
        (),
    )


def inside(bins: list[ProbeBin]) -> bool:
    return all(
        one.drift_low is not None
        and one.drift_high is not None
        and one.drift_low <= drift <= one.drift_high
        for one, drift in zip(bins, drifts_of(bins), strict=True)
    )


@pytest.mark.parametrize(
    ("rate", "burst", "explains"),
    [(60, 50, True), (60.2, 50.5, True), (60, 75, False), (60, 35, False), (66, 50, False)],
    ids=["the truth", "near it", "too large a burst", "too small a burst", "too high a rate"],
)
def test_a_limit_that_is_not_the_one_met_leaves_the_band(rate, burst, explains):
    bins = bins_of(SEEN, found(rate, burst), 1)
    assert inside(bins) is explains
    assert ("does not explain all" in drift_words(bins)) is not explains


def test_the_band_widens_and_is_the_same_for_the_same_seed():
    first, again = (bins_of(SEEN, found(60, 50), 7) for _ in range(2))
    assert first == again
    widths = [(one.drift_high or 0) - (one.drift_low or 0) for one in first]
    assert 0 < widths[0] < widths[-1]


@pytest.mark.parametrize(
    ("finding", "has_model"),
    [
        (found(60, 50, calibrated=False), True),
        (found(60, 50, kind="other_traffic"), False),
        (None, False),
    ],
    ids=["no intervals", "no one rate", "nothing found"],
)
def test_without_intervals_chance_is_not_told(finding, has_model):
    bins = bins_of(SEEN, finding, 1)
    assert all((one.model is not None) is has_model for one in bins)
    assert all(one.drift_low is None and one.drift_high is None for one in bins)
