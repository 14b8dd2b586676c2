"""The layer test: pulses of identities that differ in one factor, while the bucket is held empty.

The base goes on at 2.5 times the rate, or as much as it may; between, one after the other, each
other identity sends 0.4 x burst requests (12 to 150) at the rate itself. Who is refused as often as
the base shares its bucket. Comparisons that stay open are repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loadgen.bucket.layer import LayerFinding, SharedTest, layer_of
from loadgen.probe.budget import SETTLE_S, drain_s
from loadgen.probe.seen import Comparison, admitted, of_base
from loadgen.probe.setup import Factor, Identity
from loadgen.steered.segment import Sent, Stream

_FACTOR = 2.5
_LEAST_FACTOR = 1.5  # with less, refusals are too few to compare
_PULSE_SHARE = 0.4
_FEWEST, _MOST = 12, 150
_GAP_S = 0.25
MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Round:
    """One segment of the layer test: when each other identity sends, and how much of it."""

    base_rps: float
    lead_s: float
    window_s: float
    pulse: int
    order: tuple[Factor, ...]

    @property
    def length_s(self) -> float:
        """From the beginning of the drain to the end of the last pulse."""
        return self.lead_s + len(self.order) * (self.window_s + _GAP_S)

    def window(self, factor: Factor) -> tuple[float, float]:
        """When the identity that differs in `factor` sends, in seconds of the segment."""
        begin = self.lead_s + self.order.index(factor) * (self.window_s + _GAP_S)
        return begin, begin + self.window_s

    def streams(self, base: Identity, others: Mapping[Factor, Identity]) -> tuple[Stream, ...]:
        """What is sent."""
        # At random times: evenly spaced ones could come just when a token does, each time.
        pulses = [
            Stream(others[one].scenario, self.pulse / self.window_s, *self.window(one), "poisson")
            for one in self.order
        ]
        return (Stream(base.scenario, self.base_rps, 0.0, self.length_s), *pulses)

    def predicted(self, rate_rps: float, burst: float) -> float:
        """The most that it may admit: each pulse may have a bucket of its own."""
        return burst + rate_rps * self.length_s + self.pulse * len(self.order)


def next_round(
    factors: Sequence[Factor], rate_rps: float, burst: float, *, most_rps: float, drained: bool
) -> Round:
    """A round for the factors that are still open, with at most `most_rps` if that is an overload.

    `drained`: the bucket is empty before it.
    """
    factor = max(_LEAST_FACTOR, min(_FACTOR, most_rps / rate_rps))
    pulse = round(min(_MOST, max(_FEWEST, _PULSE_SHARE * burst)))
    level = min(burst, 0.3 * rate_rps) if drained else burst
    lead_s = 1.4 * drain_s(level, rate_rps, factor) + SETTLE_S
    return Round(factor * rate_rps, lead_s, max(pulse / rate_rps, 0.1), pulse, tuple(factors))


@dataclass(slots=True)
class Comparisons:
    """What all rounds together show, by factor."""

    others: Mapping[Factor, Identity]
    counts: dict[Factor, tuple[int, int, int, int]] = field(default_factory=dict)

    def add(self, sent: Sent, plan: Round, base: Identity) -> None:
        """Counts what came of a round."""
        begin_s = sent.from_us / 1e6
        of_all = of_base(sent, base.step)
        for factor in plan.order:
            start, end = (begin_s + at for at in plan.window(factor))
            at_s = of_all["start_us"] / 1e6
            beside = of_all[(at_s >= start) & (at_s < end)]
            pulse = of_base(sent, self.others[factor].step)
            more = (len(beside), admitted(beside), len(pulse), admitted(pulse))
            before = self.counts.get(factor, (0, 0, 0, 0))
            self.counts[factor] = (
                before[0] + more[0],
                before[1] + more[1],
                before[2] + more[2],
                before[3] + more[3],
            )

    def results(self) -> tuple[Comparison, ...]:
        """One for each factor that was looked at."""
        return tuple(
            Comparison(factor, self.others[factor], *numbers)
            for factor, numbers in self.counts.items()
        )

    def open_factors(self) -> list[Factor]:
        """Those of which it is not known yet whether they share the bucket."""
        known = {one.factor for one in self.results() if one.test.shared is not None}
        return [factor for factor in self.others if factor not in known]


def layer_seen(comparisons: Sequence[Comparison], *, has_key: bool) -> LayerFinding:
    """The layer of the bucket that binds; without a key in its requests it is no usage plan's."""
    tests = {one.factor: one.test for one in comparisons}
    untested = SharedTest(None, 0.0)
    key = tests.get("key", untested) if has_key else SharedTest(shared=True, llr=0.0)
    return layer_of(tests.get("method", untested), tests.get("stage", untested), key)
