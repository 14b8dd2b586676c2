"""What is inferred about a limit: how it is kept, its rate and its burst, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "token_bucket",
    "sharded",
    "other_traffic",
    "delayed_synchronisation",
    "fixed_window",
    "concurrency",
    "quota",
    "block",
    "adaptive",
    "poorly_kept",
    "no_refusal",
]


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity within `low` and `high`; no `value`: the data allow no point estimate.

    `calibrated`: a 90 % interval, which held in simulations with known truths. Otherwise a range
    that the data allow, and `value` is a guess. `high` is None if they do not bound it.
    """

    value: float | None
    low: float
    high: float | None
    calibrated: bool

    @property
    def half_width(self) -> float | None:
        """Half the width; None without an upper end."""
        return None if self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Bound:
    """If the rate is `rate_rps`, then the burst is at least `burst`."""

    rate_rps: float
    burst: float


@dataclass(frozen=True, slots=True)
class BucketFinding:
    """The limit that was met.

    `rate_rps` and `burst` are None where the kind has none (a concurrency limit has no rate).
    `limit` and `window_s` describe the kinds that are no bucket: requests in a window, requests
    under way, requests altogether. `reasons` are sentences for people. `misfit` is how far the
    admitted requests are from the model, 1 where they are as close as the noise lets them be.
    """

    kind: Kind
    rate_rps: Range | None
    burst: Range | None
    reasons: tuple[str, ...]
    shards: int = 1
    other_share: float = 0.0  # what others use, of the rate
    limit: float | None = None
    window_s: float | None = None
    frontier: tuple[Bound, ...] = ()
    misfit: float | None = None

    @property
    def calibrated(self) -> bool:
        """Whether rate and burst come with 90 % intervals."""
        return self.rate_rps is not None and self.rate_rps.calibrated
