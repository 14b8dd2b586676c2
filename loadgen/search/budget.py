"""What a search may take at most; how much it takes is decided while it goes on."""

from __future__ import annotations

from loadgen.profile.model import Phase

MOST_STEPS = 120  # of all rates together, in lengths of a step


def most_arrivals(phase: Phase, rate_per_arrival: float) -> float:
    """The arrivals of all steps at the upper bound; `rate_per_arrival` is in the unit of rates."""
    highest_rps = phase.bounds[1] if phase.bounds else 0.0
    return MOST_STEPS * phase.step_s * highest_rps / rate_per_arrival
