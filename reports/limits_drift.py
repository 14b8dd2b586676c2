"""Whether the limit that a probe found explains what came through: in numbers and in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from reports.figures import closed
from reports.limits_document import ProbeBin


def drifts_of(bins: Sequence[ProbeBin]) -> list[float]:
    """Admitted less modelled requests, from the beginning to the end of each bin."""
    return list(accumulate(one.admitted - (one.model or 0.0) for one in bins))


def _beyond(bins: Sequence[ProbeBin]) -> tuple[float, float] | None:
    """When the differences first left the band of chance (s), and by how much they were then."""
    for one, drift in zip(bins, drifts_of(bins), strict=True):
        if one.drift_low is None or one.drift_high is None:
            return None
        if not one.drift_low <= drift <= one.drift_high:
            return one.to_s - bins[0].from_s, drift
    return None


def unexplained_words(bins: Sequence[ProbeBin]) -> str | None:
    """From when on the limit that was found does not explain what came through; None: it does."""
    beyond = _beyond(bins)
    if beyond is None:
        return None
    at_s, drift = beyond
    side = "more" if drift > 0 else "fewer"
    return (
        f"The limit that was found does not explain all: at {at_s:.1f} s, {abs(drift):,.0f} {side} "
        "had come through than it would admit, which chance does not do in 9 of 10 probes."
    )


def drift_words(bins: Sequence[ProbeBin]) -> str:
    """Whether the limit that was found explains what was admitted, in a sentence or two."""
    drifts = drifts_of(bins)
    admitted = sum(one.admitted for one in bins)
    most, fewest = max(0.0, *drifts), abs(min(0.0, *drifts))
    far = (
        f"of {admitted:,} admitted requests, at most {most:,.0f} more and {fewest:,.0f} fewer than "
        "it would admit up to any moment"
    )
    if any(one.drift_low is None or one.drift_high is None for one in bins):
        return closed(f"{far}. How far chance alone reaches is not known")
    unexplained = unexplained_words(bins)
    if unexplained is not None:
        return f"{unexplained} {closed(far)}"
    return closed(f"The limit that was found explains what came through: {far}, as by chance")
