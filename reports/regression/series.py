"""One figure over nights, as the statistics take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Observation:
    """A night's ln(value), its standard error within the night, and where it stands.

    `level` counts accepted changes: nights of one level have the same true value, as far as
    somebody said so. `order` ascends from night to night.
    """

    order: int
    y: float
    error: float | None
    level: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """The accepted nights of one figure, ascending, and the least change that matters.

    `floor_share` is 0.07 for 7 %. Figures of one `group` - of one endpoint - move together;
    those of one `metric` are about as noisy as each other. `level` is that of tonight.
    """

    name: str
    nights: Sequence[Observation]
    floor_share: float
    group: str = ""
    metric: str = ""
    level: int = 0
