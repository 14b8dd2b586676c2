"""Limits that are no bucket, by what gives them away.

The rules go from the most particular sign to the least: a stop for good, windows of the clock, a
block, requests under way, a drift. What passes them all is fitted as buckets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loadgen.bucket.arrivals import one_way_deviations
from loadgen.bucket.finding import Kind
from loadgen.bucket.observation import Floats, Ints, Observation
from loadgen.bucket.steady import Pause, Stretch, drift, evenness, pauses, stretches

_WINDOWS_S = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0)
# Tokens that a bucket would have given in a pause: a bucket pauses for one or two.
_PAUSE_TOKENS = 4.0
_STOP_TOKENS, _STOP_S = 25.0, 2.5
_BLOCK_TOKENS, _BLOCK_S = 40.0, 5.0
# Requests that do not fit windows: admitted after a refusal in the same window, over all admitted.
_STRAY_SHARE = 0.05
_LEAST_UNDER_WAY = 3.0
# Of what is under way at any refusal, without jitter; buckets have less at the first.
_FIRST_SHARE = 0.8
_DRIFT_SHARE = 0.05
_UNEVEN = 2.5


@dataclass(frozen=True, slots=True)
class Sign:
    """What gives a kind away, in words; the number and window that it found."""

    kind: Kind
    why: str
    limit: float | None = None
    window_s: float | None = None


def sign_of(observation: Observation) -> Sign | None:
    """The kind that the requests give away without any fit; None: it may be a bucket."""
    steady = stretches(observation)
    rate = max((one.admitted_rps for one in steady), default=_fastest(observation))
    halts = list(pauses(observation))
    return (
        _window(observation, halts)
        or _stop(observation, halts, rate)
        or _block(halts, rate)
        or _under_way(observation, steady)
    )


def _fastest(observation: Observation) -> float:
    return max((phase.admitted_rps for phase in observation.phases), default=0.0)


def _stop(observation: Observation, halts: list[Pause], rate_rps: float) -> Sign | None:
    """Nothing more is admitted, to the end of the probe."""
    admitted_s = observation.send_s[observation.admitted]
    if not halts or not len(admitted_s):
        return None
    last_s = float(admitted_s.max())
    after = [one for one in halts if one.from_s > last_s]
    refusing_s = sum(one.length_s for one in after)
    if refusing_s < _STOP_S or refusing_s * rate_rps < _STOP_TOKENS:
        return None
    total = len(admitted_s)
    why = f"after {total} requests nothing more was admitted, for {refusing_s:.0f} s of sending"
    return Sign("quota", why, limit=float(total))


def _block(halts: list[Pause], rate_rps: float) -> Sign | None:
    """Nothing is admitted for long, and then again."""
    longest = max(halts, key=lambda one: one.length_s, default=None)
    if longest is None or longest.length_s < _BLOCK_S:
        return None
    if longest.length_s * rate_rps < _BLOCK_TOKENS:
        return None
    return Sign("block", f"for {longest.length_s:.0f} s nothing was admitted, and then again")


def _window(observation: Observation, halts: list[Pause]) -> Sign | None:
    """In each window of the clock, the first so many are admitted and then none."""
    order = np.argsort(observation.send_s, kind="stable")
    send, admitted = observation.send_s[order], observation.admitted[order]
    jitter_s = _jitter_s(observation)
    found: list[tuple[float, float, float]] = []
    for window_s in _WINDOWS_S:
        ends = [one.ends_s for one in halts if one.ends_s and one.length_s > 0.2 * window_s]
        if not ends or (send[-1] - send[0]) < 2 * window_s:
            continue
        resumed = _middle(np.array(ends), window_s)
        spread = min(0.15 * window_s, 0.02 * window_s + 3 * jitter_s)
        stray, count = min(
            _strays(send, admitted, window_s, resumed + move)
            for move in np.linspace(-spread, 0.5 * spread, 13)
        )
        # Jitter takes requests over the border of windows, on both sides.
        found.append((stray - min(0.25, 4 * jitter_s / window_s), window_s, count))
    if not found:
        return None
    stray, window_s, count = min(found)
    if stray > _STRAY_SHARE or count < _PAUSE_TOKENS:
        return None
    why = f"in windows of {window_s:g} s the first {count:.0f} requests are admitted, and then none"
    return Sign("fixed_window", why, limit=count, window_s=window_s)


def _jitter_s(observation: Observation) -> float:
    deviations = one_way_deviations(observation.rtt_s[~observation.admitted])
    return float(deviations.std()) if len(deviations) else 0.0


def _middle(ends_s: Floats, window_s: float) -> float:
    """Where in a window admissions begin again: the mean on a circle."""
    return float(np.angle(np.exp(2j * np.pi * ends_s / window_s).mean()) / (2 * np.pi) * window_s)


def _strays(
    send_s: Floats, admitted: np.ndarray[tuple[int], np.dtype[np.bool_]], window_s: float, at: float
) -> tuple[float, float]:
    """Requests that windows do not explain, over all admitted ones; and how many each admits.

    They are those admitted after many refusals of the same window, and those that the count of a
    window with many refusals is apart from the usual count.
    """
    number = np.floor((send_s - at) / window_s).astype(np.int64)
    number -= number[0]
    size = int(number[-1]) + 1
    refused = np.bincount(number[~admitted], minlength=size)
    counts = np.bincount(number[admitted], minlength=size)
    drained = refused >= np.maximum(4, 0.1 * counts)
    if drained.sum() < 3:
        return 1.0, 0.0
    usual = float(np.median(counts[drained]))
    stray = np.abs(counts[drained] - usual).sum()
    before = np.cumsum(~admitted)
    begins = np.searchsorted(number, np.arange(size))
    in_window = before - np.concatenate([[0], before])[begins][number]
    late = admitted & (in_window > np.maximum(2, 0.25 * refused[number])) & drained[number]
    return float((stray + late.sum()) / max(1, counts[drained].sum())), usual


def _under_way(observation: Observation, steady: list[Stretch]) -> Sign | None:
    """Refused are those that find a certain number under way, whatever the arrival rate is."""
    send, admitted = observation.send_s, observation.admitted
    if not steady or admitted.sum() < 20:
        return None
    # Work begins and ends half a round trip of the network later and earlier.
    work_s = np.maximum(0.0, observation.rtt_s[admitted] - observation.rtt_s[~admitted].mean())
    begins, ends = np.sort(send[admitted]), np.sort(send[admitted] + work_s)
    now = np.searchsorted(begins, send, "left") - np.searchsorted(ends, send, "right")
    at_refusal = now[~admitted]
    most = float(np.percentile(now[admitted], 99.5))
    middle, low = np.percentile(at_refusal, [50, 2])
    if middle < _LEAST_UNDER_WAY or most > 1.25 * middle + 1 or low < 0.6 * middle:
        return None
    # A bucket that slow requests drain has as many under way later, not when it first refuses.
    blurred = _jitter_s(observation) / max(1e-3, float(np.median(work_s)))
    if _at_first_refusals(observation, now, middle) < (_FIRST_SHARE - blurred) * middle:
        return None
    why = f"requests are refused while about {middle:.0f} are under way, at any arrival rate"
    return Sign("concurrency", why, limit=float(middle))


def _at_first_refusals(observation: Observation, now: Ints, usual: float) -> float:
    """Requests under way at the first refusals of a phase that began with few, the most of all.

    `now` has those under way at each start, `usual` at a refusal.
    """
    most, begin = 0.0, 0
    count = max(5, int(0.2 * usual))
    for phase in observation.phases:
        order = np.argsort(phase.send_s, kind="stable")
        mine = now[begin : begin + len(order)][order]
        begin += len(phase.send_s)
        if phase.refused < 8 or mine[0] > 0.2 * usual:
            continue
        refused = ~phase.admitted[order]
        most = max(most, float(np.median(mine[refused][:count])))
    return most


def adaptive(observation: Observation) -> str | None:
    """Why the rate seems to be changed while requests arrive steadily; None: it does not."""
    change = drift(stretches(observation))
    if abs(change) < _DRIFT_SHARE:
        return None
    return f"the admitted rate changes by {change:+.0%} from half to half of every steady overload"


def delayed(observation: Observation, rate_rps: float) -> str | None:
    """Why it looks as if places that keep the limit hear of each other late; None: it does not."""
    longest = max((one.length_s for one in pauses(observation)), default=0.0)
    if longest * rate_rps > 15 + 0.02 * rate_rps:
        return f"for {longest:.1f} s nothing was admitted, where a bucket gives a token at a time"
    uneven = max((evenness(one) for one in stretches(observation)), default=0.0)
    if uneven > _UNEVEN:
        return f"admissions come in surges (variance {uneven:.1f} times the mean)"
    return None
