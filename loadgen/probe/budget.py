"""How many requests a probe may be admitted, and how they are shared out between its phases.

Refused requests are the instrument and cost nothing; admitted ones reach the API and are paid for.
All phases but the layer test together stay below 7 x burst + 15 s x rate: what an unhurried
schedule took in a simulation study. The time in which the bucket is held empty is what is shortened
to keep to it, down to a second.
"""

from __future__ import annotations

from dataclasses import dataclass

BURSTS = 7.0
SECONDS = 15.0
# Rate and burst are not known exactly while they are measured; what is planned stays below by that.
_MARGIN = 0.93
OVERLOAD = 3.0
# How much longer than its drain a phase lasts, so that the bucket is empty however it began.
DRAIN_SLACK = 1.5
PULSE_SLACK = 1.3
SETTLE_S = 0.3
# Of the time with an empty bucket: overload, hold, dose ladder.
_SHARES = (0.45, 0.33, 0.22)
_SHORTEST_S = 0.8
# Between two phases the bucket fills for as long as the last answers take.
_GAP_S = 0.15


def allowed(rate_rps: float, burst: float) -> float:
    """The admitted requests that a probe of such a bucket may take, without the layer test."""
    return BURSTS * burst + SECONDS * rate_rps


def drain_s(burst: float, rate_rps: float, factor: float) -> float:
    """How long a full bucket lasts at `factor` times its rate."""
    return burst / ((factor - 1.0) * rate_rps)


def pulse_length_s(burst: float, rate_rps: float, factor: float) -> float:
    """The length of a pulse that drains a full bucket."""
    return PULSE_SLACK * drain_s(burst, rate_rps, factor) + max(0.4, 10.0 / rate_rps)


@dataclass(frozen=True, slots=True)
class Allotment:
    """Times with an empty bucket, in seconds, and which pulses there are tokens for."""

    overload_s: float
    hold_s: float
    dose_s: float
    half_pulse: bool  # after half a refill
    full_pulse: bool  # after a whole one


def allot(rate_rps: float, burst: float, taken: float, factor: float = OVERLOAD) -> Allotment:
    """Shares out what is left after `taken` admitted requests, before the overload.

    The pulses confirm what the rest has shown; where tokens are short they go first, the half one
    before the whole one.
    """
    left = _MARGIN * allowed(rate_rps, burst) - taken
    left -= burst + rate_rps * (DRAIN_SLACK * drain_s(burst, rate_rps, factor) + SETTLE_S)
    left -= 3 * min(burst, _GAP_S * rate_rps)
    pulse = rate_rps * pulse_length_s(burst, rate_rps, factor)
    half, full = 0.5 * burst + pulse, burst + pulse
    wanted = min(6.0, max(3.0, 75.0 / rate_rps)) * rate_rps
    with_full = left - full >= 0.6 * wanted
    left -= full if with_full else 0.0
    with_half = burst > 0.4 * rate_rps and left - half >= wanted
    left -= half if with_half else 0.0
    steady_s = max(left / rate_rps, 3 * _SHORTEST_S)
    longest = min(12.0, max(4.0, 60.0 / rate_rps))
    overload_s, hold_s, dose_s = (max(_SHORTEST_S, share * steady_s) for share in _SHARES)
    return Allotment(
        overload_s=min(overload_s, longest),
        hold_s=min(hold_s, longest),
        dose_s=min(dose_s, max(2.0, 40.0 / rate_rps)),
        half_pulse=with_half,
        full_pulse=with_full,
    )
