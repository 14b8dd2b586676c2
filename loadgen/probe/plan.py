"""The schedule of a probe: slow requests, a ramp, an overload, a hold, a dose ladder, pulses.

Rate and burst of a bucket show in what it admits while it is drained, held empty, and filled again.
The ramp finds the rough rate; the overload drains a full bucket at three times that; hold and dose
ladder keep it empty at 1.25 and 6 times, which tells one bucket from several; the pulses confirm
that it fills as it should. The layer test comes last, or right after the ramp where the bucket may
be the account's, which is not drained any further then unless that is allowed.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from loadgen.outcome import Outcome
from loadgen.probe import budget
from loadgen.probe.guard import Guard, Stopped, troubles
from loadgen.probe.layers import MOST_ROUNDS, Comparisons, layer_seen, next_round
from loadgen.probe.refuser import INSIDE
from loadgen.probe.rough import rough_burst
from loadgen.probe.seen import Seen, Stop, admitted, of_base
from loadgen.probe.sender import LONGEST_REST_S, ROUGH_BURST, Sender
from loadgen.probe.setup import Setup
from loadgen.records import Records
from loadgen.steered.segment import Plan, Segment, Sent

SLOW_RPS, SLOW_S = 4.0, 3.0
_COLD = 3  # of the slow requests may meet an API that was asleep
FIRST_RPS = 5.0
_STEP_S = 1.0
_REFUSED_SHARE, _FEWEST_REFUSED = 0.25, 4
_STAY_S = 8.0
_LAST_S = 2.0  # at the highest rate, if nothing was refused
HOLD = 1.25
_DOSES = (6.0, 12.0, 24.0)
_SATURATED_SHARE = 0.55
_OVERLOADS = 3
# Below it there is no overload, and above it a limit cannot be told from what was sent.
_LEAST_OVERLOAD = 1.6

Part = Generator[Segment, Sent, None]


def probe(setup: Setup) -> Plan[Seen]:
    """The plan of a probe; returns what it saw, also when a guard ends it."""
    run = _Run(setup, Guard(setup))
    stop: Stop | None = None
    try:
        yield from run.all_phases()
    except Stopped as early:
        stop = early.stop
    return run.seen(stop)


@dataclass(slots=True)
class _Run(Sender):
    comparisons: Comparisons = field(init=False)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.comparisons = Comparisons(dict(self.setup.others))

    def seen(self, stop: Stop | None) -> Seen:
        return Seen(
            phases=tuple(self.phases),
            comparisons=self.comparisons.results(),
            took=self.guard.took,
            rate_rps=self.rate_rps,
            burst=self.burst,
            canary_refused=self.guard.canary_refused,
            stop=stop,
            notes=tuple(self.notes),
        )

    # -- the sequence ----------------------------------------------------------------------------

    def all_phases(self) -> Part:
        yield from self._slow()
        yield from self._ramp()
        if self.rate_rps is None or self.burst is None:
            return
        inside = self.seen(None).refuser(self.setup.base) in INSIDE
        if inside and self.setup.others:
            self.notes.append("no layer test: the refusals are none of API Gateway")
        first = not (
            inside or self.setup.account_allowed or not self.setup.account_may_bind(self.rate_rps)
        )
        if first:
            yield from self._layers(drained=True)
            self._spare_account()
        yield from self._overload()
        yield from self._steady()
        yield from self._pulses()
        if not (first or inside):
            yield from self._layers(drained=True)

    def _spare_account(self) -> None:
        """Ends the probe where the bucket may be the account's."""
        found = layer_seen(self.comparisons.results(), has_key=True)
        if "account" not in found.candidates:
            return
        which = "is" if found.layer == "account" else "may be"
        raise Stopped(
            "account",
            f"the limit {which} the account's, which all its APIs share; --account lets it go on",
        )

    # -- what the rough figures come from --------------------------------------------------------

    def _slow(self) -> Part:
        """Slow requests: what the API answers at rest, and how long that takes."""
        sent = yield from self.send("slow", "slow", SLOW_RPS, SLOW_S, SLOW_RPS * SLOW_S)
        records = of_base(sent, self.setup.base.step)
        outcome = records["kind"] >> 12
        failed = (outcome != Outcome.OK) & (outcome != Outcome.THROTTLED)
        if not len(records) or failed.mean() > 0.5:
            why = troubles(sent.records) or "no answer came"
            raise Stopped("errors", f"at {SLOW_RPS:g} requests/s most of them fail: {why}")
        ok_us = records["service_us"][outcome == Outcome.OK]
        if len(ok_us) > _COLD:
            self.guard.baseline_ms = float(np.percentile(ok_us[_COLD:], 95)) / 1000

    def _ramp(self) -> Part:
        """Doubles the rate until a part of the requests is refused, and stays there for a while."""
        rate, most = FIRST_RPS, self.setup.caps.max_rate_rps
        while True:
            sent = yield from self.send(f"ramp {rate:g}/s", "ramp", rate, _STEP_S, rate * _STEP_S)
            if self._is_refused(sent):
                break
            if rate >= most:
                sent = yield from self.send(
                    f"stay {rate:g}/s", "ramp", rate, _LAST_S, rate * _LAST_S
                )
                if not self._is_refused(sent):
                    return
                break
            rate = min(2 * rate, most)
        yield from self._stay(rate, sent.to_us / 1e6)

    def _is_refused(self, sent: Sent) -> bool:
        records = of_base(sent, self.setup.base.step)
        refused = len(records) - admitted(records)
        return refused >= max(_FEWEST_REFUSED, _REFUSED_SHARE * len(records))

    def _stay(self, rate: float, from_s: float) -> Part:
        """Holds the bucket empty until the rate is known to some 5 %."""
        came, until_s = 0, from_s
        length = min(2.5, max(0.5, 40.0 / rate))
        while True:
            sent = yield from self.send(f"stay {rate:g}/s", "ramp", rate, length, rate * length)
            came += admitted(of_base(sent, self.setup.base.step))
            until_s = sent.to_us / 1e6
            rough = max(came, 1) / (until_s - from_s)
            if came >= min(25.0, max(8.0, 2.0 * rough)) or until_s - from_s > _STAY_S:
                break
            length = min(2.5, max(0.5, 10.0 / rough))
        if not came:
            raise Stopped("errors", "nothing at all is admitted any more")
        self.rate_rps = came / (until_s - from_s)
        self._estimate_burst()

    def _estimate_burst(self) -> None:
        base, rate = self.setup.base, self.rate_rps or 0.0
        phases = [one for one in self.seen(None).observation(base).phases if len(one.send_s)]
        self.burst = rough_burst(
            [one.send_s for one in phases], [one.admitted for one in phases], rate
        )

    # -- with an empty bucket --------------------------------------------------------------------

    def _overload(self) -> Part:
        """Drains a full bucket, and keeps it empty for a while; again if it was not."""
        for _ in range(_OVERLOADS):
            rate, burst = self.rough()
            send = min(budget.OVERLOAD * rate, self.setup.caps.max_rate_rps)
            if send < _LEAST_OVERLOAD * rate:
                reason = f"limits.max_rate leaves no overload of {rate:,.0f} requests/s"
                raise Stopped("cap", reason)
            factor = send / rate
            part = budget.allot(rate, burst, self.guard.took.base_admitted, factor)
            drain = budget.DRAIN_SLACK * budget.drain_s(burst, rate, factor) + budget.SETTLE_S
            length = drain + part.overload_s
            sent = yield from self.send(
                "overload",
                "overload",
                send,
                length,
                burst + rate * length,
                rest_s=self.whole_rest_s(),
            )
            last = self._last(sent, part.overload_s)
            if not len(last):
                return
            share = admitted(last) / len(last)
            found = admitted(last) / min(part.overload_s, sent.length_s)
            if share <= _SATURATED_SHARE:
                self.rate_rps = found
                self._estimate_burst()
                return
            self.rate_rps = (1.6 if share > 0.9 else 1.15) * max(found, rate)
            self._estimate_burst()
        self.notes.append("the overload did not drain the bucket: it refuses less than it should")

    def _last(self, sent: Sent, length_s: float) -> Records:
        """The requests of the last part of a phase, when the bucket is empty."""
        records = of_base(sent, self.setup.base.step)
        return records[records["start_us"] >= sent.to_us - length_s * 1e6]

    def _steady(self) -> Part:
        """Hold and dose ladder: the bucket stays empty, whether it is asked gently or hard."""
        rate, burst = self.rough()
        part = self._left()
        cost = rate * part.hold_s + min(burst, 0.3 * rate)
        if burst < ROUGH_BURST and self.beyond(cost, HOLD * rate, part.hold_s):
            return
        sent = yield from self.send("hold", "hold", HOLD * rate, part.hold_s, cost)
        most = max(rate, self._admitted_rps(sent))
        for dose in _DOSES:
            send = min(dose * rate, self.setup.caps.max_rate_rps)
            length = part.dose_s if dose == _DOSES[0] else min(part.dose_s, 1.5)
            cost = rate * length + min(burst, 0.3 * rate)
            if send < 1.5 * budget.OVERLOAD * rate or self.beyond(cost, send, length):
                return
            sent = yield from self.send(f"dose {dose:g}x", "dose", send, length, cost)
            came = self._admitted_rps(sent)
            n = max(came * length, 1.0)
            if came <= most * (1 + max(0.02, 0.015 + 1.05 / n**0.5)):
                return
            most = came

    def _admitted_rps(self, sent: Sent) -> float:
        """Admitted requests a second, without the beginning, which has what came in between."""
        length_s = max(0.75 * sent.length_s, sent.length_s - 0.6)
        return admitted(self._last(sent, length_s)) / length_s if length_s else 0.0

    def _left(self) -> budget.Allotment:
        """How the time after the overload is shared out now that rate and burst are known better.

        The overload is over, so that its part belongs to the others.
        """
        rate, burst = self.rough()
        taken = self.guard.took.base_admitted
        spent = burst + rate * (
            budget.DRAIN_SLACK * budget.drain_s(burst, rate, budget.OVERLOAD) + budget.SETTLE_S
        )
        part = budget.allot(rate, burst, taken - spent)
        more = (part.overload_s + part.hold_s + part.dose_s) / (part.hold_s + part.dose_s)
        return budget.Allotment(
            overload_s=0.0,
            hold_s=min(part.hold_s * more, 6.0 if rate > 10 else 12.0),
            dose_s=min(part.dose_s * more, max(2.0, 40.0 / rate)),
            half_pulse=part.half_pulse,
            full_pulse=part.full_pulse,
        )

    def _pulses(self) -> Part:
        """A pulse after half a refill and one after a whole: the bucket fills as it is emptied."""
        rate, burst = self.rough()
        send = min(budget.OVERLOAD * rate, self.setup.caps.max_rate_rps)
        factor = send / rate
        length = budget.pulse_length_s(burst, rate, factor)
        whole = burst + rate * length
        half_s = 0.5 * burst / rate
        half = 0.5 * burst + rate * length
        if half_s > 0.2 and not self.beyond(half + whole, send, length):
            yield from self.send("half pulse", "pulse", send, length, half, rest_s=half_s)
        if not self.beyond(whole, send, length):
            rest_s = min(LONGEST_REST_S, 1.3 * burst / rate + 0.7)
            yield from self.send("pulse", "pulse", send, length, whole, rest_s=rest_s)

    # -- whose bucket it is ----------------------------------------------------------------------

    def _layers(self, *, drained: bool) -> Part:
        """Pulses of other identities while the bucket is empty, repeated where they stay open."""
        rate, burst = self.rough()
        for _ in range(MOST_ROUNDS):
            factors = self.comparisons.open_factors()
            if not factors:
                return
            most_rps = self.setup.caps.max_rate_rps
            plan = next_round(factors, rate, burst, most_rps=most_rps, drained=drained)
            streams = plan.streams(self.setup.base, self.setup.others)
            peak = max(one.rate_rps for one in streams)
            why = self.guard.too_much(plan.predicted(rate, burst), peak, plan.length_s)
            if why is not None:
                self.notes.append(f"no layer test: {why}")
                return
            sent = yield from self.send_streams(
                "layer test", "layer", streams, plan.length_s, plan.predicted(rate, burst)
            )
            self.comparisons.add(sent, plan, self.setup.base)
