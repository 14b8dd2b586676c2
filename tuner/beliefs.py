"""What the samples so far allow one to believe of the whole curve: joint draws of it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.estimate import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """Equally likely curves of typical warm duration, and how durations scatter around them.

    `sizes_mb` (G) are the candidate sizes, ascending, measured or not. `duration_ms` has shape
    (S, G): each row is one whole curve, so that sizes are compared within rows. `noise` (G) is
    the scale of Student's t (2.5 degrees of freedom) of log-durations at each size.
    """

    sizes_mb: tuple[int, ...]
    duration_ms: Floats
    noise: Floats

    def at(self, memory_mb: int) -> Floats:
        """The draws (S) of the typical duration at one size, in ms."""
        column: Floats = self.duration_ms[:, self.sizes_mb.index(memory_mb)]
        return column

    def without(self, sizes_mb: Sequence[int]) -> Beliefs:
        """The same beliefs about all other sizes."""
        kept = [i for i, size in enumerate(self.sizes_mb) if size not in set(sizes_mb)]
        return Beliefs(
            tuple(self.sizes_mb[i] for i in kept), self.duration_ms[:, kept], self.noise[kept]
        )
