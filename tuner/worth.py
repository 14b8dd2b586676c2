"""What calls cost by how long they take, and what they are judged by; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.aws.prices import LambdaPrice
from tuner.objective import Goal

if TYPE_CHECKING:
    from tuner.estimate import Floats

# Lambda bills whole milliseconds, rounded up, and at least one: half a millisecond on average.
ROUNDING_MS = 0.5
_LEAST_BILLED_MS = 1.0


@dataclass(frozen=True, slots=True)
class Worth:
    """Prices and an objective.

    `cold_share` of the calls is cold, where that is known and shall count; `runtime` tells whether
    restores of a snapshot are paid for. `payload_weights` say how often each event comes, by name;
    they are empty where calls do not differ. Each call costs `restore_usd_per_gb` more where it
    restores a snapshot.
    """

    goal: Goal
    price: LambdaPrice
    storage_mb: int
    cold_share: float | None = None
    runtime: str | None = None
    payload_weights: Mapping[str, float] = field(default_factory=dict)
    restore_usd_per_gb: float = 0.0

    def billed_ms(self, duration_ms: Floats) -> Floats:
        """The mean billed time of a typical duration."""
        return np.asarray(np.maximum(duration_ms + ROUNDING_MS, _LEAST_BILLED_MS))

    def cost_usd(self, sizes_mb: Sequence[int], billed_ms: Floats) -> Floats:
        """The cost of one invocation, for columns of sizes; linear in billed time."""
        fixed, per_ms = (
            np.array(
                [
                    self.price.invocation_usd(size, billed, storage_mb=self.storage_mb)
                    for size in sizes_mb
                ]
            )
            for billed in (0.0, 1.0)
        )
        restore = np.asarray(sizes_mb, dtype=np.float64) / 1024 * self.restore_usd_per_gb
        return np.asarray(fixed + restore + (per_ms - fixed) * billed_ms)
