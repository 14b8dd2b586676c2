"""Sends the phases of a probe, each within the guards and the budget, and books what came of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from loadgen.probe import budget
from loadgen.probe.guard import Guard
from loadgen.probe.seen import PhaseSeen, Purpose
from loadgen.probe.setup import CANARY_RPS, Setup
from loadgen.steered.segment import Segment, Sent, Stream

LONGEST_REST_S = 40.0
# A smaller burst is known to two tokens or so while it is measured.
ROUGH_BURST = 5.0
_ROUGH_TOKENS = 2.0


@dataclass(slots=True)
class Sender:
    """What a probe has sent; `rate_rps` and `burst` are None until they are known roughly."""

    setup: Setup
    guard: Guard
    phases: list[PhaseSeen] = field(default_factory=list)
    rate_rps: float | None = None
    burst: float | None = None

    def send(
        self,
        name: str,
        purpose: Purpose,
        rate_rps: float,
        length_s: float,
        predicted: float,
        rest_s: float = 0.0,
    ) -> Generator[Segment, Sent, Sent]:
        """Sends as the base at one rate."""
        stream = Stream(self.setup.base.scenario, rate_rps, 0.0, length_s)
        return (
            yield from self.send_streams(
                name, purpose, (stream,), length_s, predicted, rest_s=rest_s
            )
        )

    def send_streams(
        self,
        name: str,
        purpose: Purpose,
        streams: Sequence[Stream],
        length_s: float,
        predicted: float,
        rest_s: float = 0.0,
    ) -> Generator[Segment, Sent, Sent]:
        """Checks, sends and books one phase; `predicted` requests are expected to be admitted.

        Raises:
            Stopped: a guard does not let it begin, or ends the probe after it.
        """
        canary, peak = self.setup.canary, max(one.rate_rps for one in streams)
        with_canary = predicted + (CANARY_RPS * length_s if canary else 0.0)
        self.guard.check(f"phase {name}", with_canary, peak, rest_s + length_s)
        if canary is not None:
            streams = [*streams, Stream(canary.scenario, CANARY_RPS, 0.0, length_s)]
        layer = purpose == "layer"
        segment = Segment(
            name=name,
            streams=tuple(streams),
            length_s=length_s,
            rest_s=rest_s,
            watch=self.guard.watch(self._enough(predicted, layer=layer)),
        )
        sent = yield segment
        self.phases.append(PhaseSeen(name, purpose, streams[0].rate_rps, sent))
        self.guard.book(sent, layer=layer, rest_s=rest_s)
        return sent

    def _enough(self, predicted: float, *, layer: bool) -> float:
        """What a phase may admit: once rate and burst are known, what the budget has left."""
        if layer or self.rate_rps is None or self.burst is None:
            return float("inf") if layer else 1.5 * predicted + 20
        left = budget.allowed(self.rate_rps, self.burst) * 1.1 - self.guard.took.base_admitted
        return max(left, 10.0)

    def rough(self) -> tuple[float, float]:
        """Rate and burst as far as they are known, for plans."""
        return max(self.rate_rps or 0.0, 1e-3), max(self.burst or 0.0, 1.0)

    def whole_rest_s(self) -> float:
        """A rest after which the bucket is full."""
        rate, burst = self.rough()
        return min(LONGEST_REST_S, max(2.0, 1.5 * burst / rate + 1.0))

    def beyond(self, cost: float, rate_rps: float, length_s: float) -> bool:
        """Whether a phase that can be left out is beyond the budget or a cap."""
        rate, burst = self.rough()
        if burst < ROUGH_BURST:
            burst = max(1.0, burst - _ROUGH_TOKENS)
        left = budget.allowed(rate, burst) * 0.97 - self.guard.took.base_admitted
        return cost > left or self.guard.too_much(cost, rate_rps, length_s) is not None
