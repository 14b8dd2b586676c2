"""What a probe saw: its phases, its comparisons of identities, and what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loadgen.bucket.layer import SharedTest, shared_bucket
from loadgen.bucket.observation import Observation, Phase
from loadgen.outcome import Cause, Outcome
from loadgen.probe.refuser import Refuser, refuser_of
from loadgen.probe.setup import Factor, Identity
from loadgen.records import Records
from loadgen.steered.segment import Sent

Purpose = Literal["slow", "ramp", "overload", "hold", "dose", "pulse", "layer"]
StoppedBy = Literal[
    "cap", "errors", "latency", "canary", "quota", "account", "generator", "interrupted"
]


@dataclass(frozen=True, slots=True)
class PhaseSeen:
    """A phase of the probe: what was planned, and what came of it."""

    name: str
    purpose: Purpose
    rate_rps: float  # of the identity whose limit is looked for
    sent: Sent


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pulses of an identity that differs in one factor, beside the one that is being refused."""

    factor: Factor
    other: Identity
    base_sent: int
    base_admitted: int
    sent: int
    admitted: int

    @property
    def test(self) -> SharedTest:
        """Whether the two share the bucket, with the log likelihood ratio."""
        return shared_bucket(
            sent=self.sent,
            admitted=self.admitted,
            base_sent=self.base_sent,
            base_admitted=self.base_admitted,
        )


@dataclass(frozen=True, slots=True)
class Stop:
    """What ended a probe early."""

    by: StoppedBy
    reason: str


@dataclass(frozen=True, slots=True)
class Took:
    """Requests by what they were for; `base_admitted` is held against 7 x burst + 15 s x rate."""

    sent: int = 0
    base_admitted: int = 0  # outside of the layer test
    layer_admitted: int = 0  # of all identities in the layer test
    canary_admitted: int = 0
    refused: int = 0

    @property
    def admitted(self) -> int:
        """All that came through."""
        return self.base_admitted + self.layer_admitted + self.canary_admitted


@dataclass(frozen=True, slots=True)
class Seen:
    """All of a probe; `rate_rps` and `burst` are what it planned by, no result."""

    phases: tuple[PhaseSeen, ...]
    comparisons: tuple[Comparison, ...]
    took: Took
    rate_rps: float | None = None  # None: nothing was refused
    burst: float | None = None
    canary_refused: int = 0
    stop: Stop | None = None
    notes: tuple[str, ...] = ()

    def refuser(self, base: Identity) -> Refuser | None:
        """Who refused requests of `base`, quotas aside."""
        causes: Counter[Cause] = Counter()
        for one in self.phases:
            kinds = of_base(one.sent, base.step)["kind"]
            refused = kinds[kinds >> 12 == Outcome.THROTTLED]
            codes, counts = np.unique(refused >> 4 & 0xFF, return_counts=True)
            for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
                causes[Cause(code)] += count
        return refuser_of(causes)

    def observation(self, base: Identity) -> Observation:
        """What is fitted: the requests of `base`, without the layer test.

        Other identities use the bucket there. If something follows, it begins with a rest that
        fills the bucket.
        """
        return Observation(
            tuple(_phase(one, base.step) for one in self.phases if one.purpose != "layer")
        )


def of_base(sent: Sent, step: int) -> Records:
    """The requests of a step that met a throttle or passed it: a quota's refusals are neither."""
    return sent.records[_kept(sent, step)]


def _kept(sent: Sent, step: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    kind = sent.records["kind"]
    lost = kind >> 12 == Outcome.CONNECTION_ERROR
    quota = kind >> 4 & 0xFF == Cause.QUOTA
    return np.asarray((sent.records["step"] == step) & ~lost & ~quota, np.bool_)


def admitted(records: Records) -> int:
    """How many were not throttled."""
    return int((records["kind"] >> 12 != Outcome.THROTTLED).sum())


def _phase(one: PhaseSeen, step: int) -> Phase:
    kept = _kept(one.sent, step)
    records = one.sent.records[kept]
    return Phase(
        name=one.name,
        from_s=one.sent.from_us / 1e6,
        to_s=one.sent.to_us / 1e6,
        send_s=one.sent.send_s[kept],
        rtt_s=one.sent.rtt_s[kept],
        admitted=np.asarray(records["kind"] >> 12 != Outcome.THROTTLED, np.bool_),
        connection=one.sent.connection[kept],
    )


def quota_refusals(sent: Iterable[Sent]) -> int:
    """How many requests a usage plan's quota refused."""
    return sum(int((one.records["kind"] >> 4 & 0xFF == Cause.QUOTA).sum()) for one in sent)
