"""Stretches in which the limit was drained: where what it admits is its rate.

What is read from them needs no model: rates of admission, pauses in it, its evenness and its trend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from loadgen.bucket.observation import Floats, Observation, Phase

# Of a phase's requests; gentler overloads leave a bucket half full at times.
_LEAST_REFUSED_SHARE = 0.15
_LEAST_ADMITTED = 8
# A stretch begins when this share of a phase's refusals has come: shards do not run dry at once.
_DRY_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Stretch:
    """A drained stretch of a phase; `admitted_s` are the starts of admitted requests."""

    from_s: float
    to_s: float
    sent: int
    admitted_s: Floats

    @property
    def length_s(self) -> float:
        """Its length."""
        return self.to_s - self.from_s

    @property
    def admitted_rps(self) -> float:
        """Admitted requests a second."""
        return len(self.admitted_s) / self.length_s

    @property
    def overload(self) -> float:
        """Sent for each that was admitted."""
        return self.sent / max(1, len(self.admitted_s))


@dataclass(frozen=True, slots=True)
class Pause:
    """A run of refused requests; `ends_s` is the next admission, None at the end of the sending."""

    from_s: float
    to_s: float
    refused: int
    ends_s: float | None

    @property
    def length_s(self) -> float:
        """Its length."""
        return self.to_s - self.from_s


def stretches(observation: Observation) -> list[Stretch]:
    """The drained stretches, in the order of time."""
    found = [_stretch(phase) for phase in observation.phases]
    return [one for one in found if one is not None]


def _stretch(phase: Phase) -> Stretch | None:
    if phase.refused < max(4, _LEAST_REFUSED_SHARE * len(phase.send_s)):
        return None
    refused_s = phase.send_s[~phase.admitted]
    begin = float(refused_s[int(_DRY_SHARE * len(refused_s))])
    inside = phase.send_s >= begin
    admitted_s = phase.send_s[inside & phase.admitted]
    refused = int((inside & ~phase.admitted).sum())
    if len(admitted_s) < _LEAST_ADMITTED or refused < _LEAST_REFUSED_SHARE * inside.sum():
        return None
    return Stretch(begin, phase.to_s, int(inside.sum()), np.sort(admitted_s))


def pauses(observation: Observation, longest_gap_s: float = 1.5) -> Iterator[Pause]:
    """Runs of at least four refused requests without a pause in the sending."""
    order = np.argsort(observation.send_s, kind="stable")
    send, admitted = observation.send_s[order], observation.admitted[order]
    parted = np.ones(len(send), np.bool_)
    parted[1:] = (admitted[1:] != admitted[:-1]) | (np.diff(send) > longest_gap_s)
    begins = np.append(np.flatnonzero(parted), len(send))
    for begin, end in zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True):
        if admitted[begin] or end - begin < 4:
            continue
        goes_on = end < len(send) and admitted[end] and send[end] - send[end - 1] <= longest_gap_s
        ends_s = float(send[end]) if goes_on else None
        yield Pause(float(send[begin]), float(send[end - 1]), end - begin, ends_s)


def evenness(stretch: Stretch, tokens: float = 10.0) -> float:
    """Variance over mean of admissions in equal spans of about `tokens`; a bucket's is below 1."""
    n = int(len(stretch.admitted_s) / tokens)
    if n < 5:
        return 0.0
    edges = np.linspace(stretch.from_s, stretch.to_s, n + 1)
    counts = np.histogram(stretch.admitted_s, edges)[0]
    return float(counts.var(ddof=1) / max(counts.mean(), 1e-9))


def drift(steady: Sequence[Stretch]) -> float:
    """Change of the admitted rate from half to half of the stretches, as a share; 0: not clear.

    Clear: there are at least two stretches, and all of them change to the same side.
    """
    halves = [
        np.histogram(one.admitted_s, np.linspace(one.from_s, one.to_s, 3))[0]
        for one in steady
        if len(one.admitted_s) >= 20
    ]
    changes = np.array([int(late) - int(early) for early, late in halves])
    if len(changes) < 2 or np.abs(np.sign(changes).sum()) < len(changes):
        return 0.0
    return float(2 * changes.sum() / sum(int(pair.sum()) for pair in halves))
