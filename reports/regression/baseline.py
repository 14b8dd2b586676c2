"""What a figure is on most nights, and how much nights differ.

The centre is a mean after outliers are taken out, because one night in twenty is a bad one. The
scale is that of all nights, also of those before an accepted change, about the level of each; 28
nights tell a scale only to 13 %, so that it is drawn towards what the figures of the same kind have
(moderated variances: Smyth 2004).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from reports.regression.series import Observation, Series

Floats = NDArray[np.float64]

# Beyond so many robust standard deviations a night is a bad one, and tells nothing of the others.
_OUTLIER = 3.5
_MAD_TO_SD = 1.4826
# The scale of other figures counts as much as so many nights of the figure itself.
PRIOR_NIGHTS = 10
# Fewer other figures of a kind tell less of a figure than its own nights.
_FEWEST_PEERS = 4
# Levels drift: a night counts half as much for the centre as one that is so many nights younger.
_HALF_LIFE_NIGHTS = 8
# Below this no night is known: histograms are within 0.1 % of what was measured.
_FINEST = 0.001


@dataclass(frozen=True, slots=True)
class Baseline:
    """The level of a figure in ln, the variance of single nights, and what is behind both."""

    center: float
    variance: float
    freedom: int
    nights: int
    center_nights: float

    @property
    def error_factor(self) -> float:
        """The variance of (a new night - the centre) over that of a night."""
        return 1 + 1 / self.center_nights


@dataclass(frozen=True, slots=True)
class _Own:
    """What the nights of a figure say by themselves."""

    center: float
    variance: float
    freedom: int
    nights: int
    center_nights: float


def baselines_of(series: Mapping[str, Series], min_nights: int) -> dict[str, Baseline]:
    """The baselines of figures that have at least `min_nights`, and one of tonight's level."""
    own = {
        name: found
        for name, one in series.items()
        if len(one.nights) >= min_nights and (found := _own(one)) is not None
    }
    return {name: _moderated(found, _peers(name, series, own)) for name, found in own.items()}


def kept_nights(nights: Sequence[Observation]) -> list[bool]:
    """Which nights are no outliers about the median of their level."""
    residuals = _about(nights, np.ones(len(nights), bool), median_of=True)
    scale = _MAD_TO_SD * float(np.median(np.abs(residuals))) if len(nights) else 0.0
    limit = max(_OUTLIER * scale, _FINEST)
    return [bool(kept) for kept in np.abs(residuals) <= limit]


def _own(series: Series) -> _Own | None:
    nights = series.nights
    kept = np.array(kept_nights(nights))
    here = np.array([night.level == series.level for night in nights])
    # Of a new level every night counts: its first ones would all look like outliers of each other.
    at_level = here & kept if (here & kept).sum() >= 3 else here
    if not at_level.any():
        return None
    values = np.array([night.y for night in nights])
    weights = _weights(len(nights))[at_level]
    residuals = _about(nights, kept, median_of=False)[kept]
    levels = len({night.level for night, is_kept in zip(nights, kept, strict=True) if is_kept})
    freedom = max(int(kept.sum()) - levels, 1)
    variance = float(residuals @ residuals) / freedom
    return _Own(
        center=float(weights @ values[at_level] / weights.sum()),
        variance=max(variance, _FINEST**2),
        freedom=freedom,
        nights=len(nights),
        center_nights=float(weights.sum() ** 2 / (weights @ weights)),
    )


def _weights(nights: int) -> Floats:
    """Of each night for the centre: the latest counts most."""
    found: Floats = 0.5 ** (np.arange(nights)[::-1] / _HALF_LIFE_NIGHTS)
    return found


def _about(nights: Sequence[Observation], kept: NDArray[np.bool_], *, median_of: bool) -> Floats:
    """Each night less the median or mean of the kept nights of its level."""
    values = np.array([night.y for night in nights])
    levels = np.array([night.level for night in nights])
    residuals = np.zeros(len(nights))
    for level in np.unique(levels):
        here = levels == level
        known = values[here & kept]
        if len(known):
            residuals[here] = values[here] - (np.median(known) if median_of else known.mean())
    return residuals


def _peers(name: str, series: Mapping[str, Series], own: Mapping[str, _Own]) -> list[float]:
    """The variances of the other figures of the same metric; of all others where these are few."""
    others = {other: found.variance for other, found in own.items() if other != name}
    alike = [
        variance
        for other, variance in others.items()
        if series[other].metric == series[name].metric
    ]
    return alike if len(alike) >= _FEWEST_PEERS - 1 else list(others.values())


def _moderated(own: _Own, peers: Sequence[float]) -> Baseline:
    variance, freedom = own.variance, own.freedom
    if len(peers) >= _FEWEST_PEERS - 1:
        prior = median([*peers, own.variance])
        variance = (PRIOR_NIGHTS * prior + freedom * variance) / (PRIOR_NIGHTS + freedom)
        freedom += PRIOR_NIGHTS
    return Baseline(own.center, variance, freedom, own.nights, own.center_nights)
