"""Runs a plan: passes its segments on to the injectors, and what came of each back to the plan."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from loadgen.injectors import Injectors
from loadgen.messages import SegmentDone
from loadgen.outcome import Kind, Outcome
from loadgen.records import Records, read_file, records_path
from loadgen.schedule import PhasePlan
from loadgen.steered.orders import order_of, planned_arrivals
from loadgen.steered.segment import NOTHING, Found, Plan, Progress, Segment, Sent
from loadgen.tally import Tally
from loadgen.totals import SERVICE

_US = 1_000_000
# From an order to its first arrival: every injector has read it and made its arrivals by then.
_LEAD_US = 100_000
# A segment lasts as long as it was planned, the wait for its last requests, and so much more for
# injectors to say that it is over.
_GRACE_S = 20.0
# Connections of several injectors are told apart by the number of the injector above these bits.
_INJECTOR_BITS = 32


@dataclass(slots=True)
class _Open:
    """The segment that is under way."""

    segment: Segment
    phase: int
    order: dict[str, Any]
    done: dict[int, SegmentDone] = field(default_factory=dict)
    stopped: str | None = None


class Steering(Generic[Found]):
    """One plan on its way; the conductor calls it with what it learns.

    `finding` is what the plan returned; None before that, and when the run was stopped and the plan
    did not care to return anything.
    """

    def __init__(
        self,
        plan: Plan[Found],
        injectors: Injectors,
        tally: Tally,
        *,
        count: int,
        folder: Path,
        seed: int,
        first_us: int,
        patience_s: float,
        name: str = "",
    ) -> None:
        self._plan = plan
        self._injectors = injectors
        self._tally = tally
        self._count = count
        self._folder = folder
        self._seed = seed
        self._name = name
        self._patience_s = patience_s
        self._rows = [0] * count  # records that earlier segments have, by injector
        self._ended_us = first_us  # the last arrival of all before
        self._open: _Open | None = None
        self._over = False
        self._stopped: str | None = None
        self.finding: Found | None = None
        self.planned = 0  # arrivals of segments that ran, as far as they were not skipped

    # -- what the conductor calls ----------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the plan has returned."""
        return self._over

    def next_if_idle(self, now_s: float) -> None:
        """Begins the plan, once the schedule before it is over."""
        if self._open is None and not self._over and now_s * _US >= self._ended_us - _LEAD_US:
            self._advance(None, now_s)

    def latest_s(self, now_s: float) -> float:
        """By when the injectors should have said something, in seconds of the run."""
        until_s = now_s if self._open is None else self._open.order["to_us"] / _US
        return float(until_s) + self._patience_s + _GRACE_S

    def done(self, event: SegmentDone, now_s: float) -> None:
        """An injector says that its part of a segment is over."""
        here = self._open
        if here is None or event.phase != here.phase:
            return
        here.done[event.injector] = event
        if len(here.done) == self._count:
            self._open = None
            self._advance(self._sent(here), now_s)

    def look(self, now_s: float) -> None:
        """Asks the watch of the segment, once a second."""
        here = self._open
        if here is None or here.segment.watch is None or here.stopped is not None:
            return
        reason = here.segment.watch(self._progress(here, now_s))
        if reason is not None:
            here.stopped = reason
            self._injectors.skip()

    def stop(self, reason: str, now_s: float) -> None:
        """The run ends: the plan gets what there is, and may return what it found so far."""
        self._stopped = reason
        here, self._open = self._open, None
        if self._over:
            return
        if here is not None:
            here.stopped = reason
            here.order["to_us"] = min(here.order["to_us"], round(now_s * _US))
        self._advance(self._sent(here) if here else self._nothing(now_s), now_s)

    # -- the plan --------------------------------------------------------------------------------

    def _advance(self, sent: Sent | None, now_s: float) -> None:
        try:
            segment = next(self._plan) if sent is None else self._plan.send(sent)
        except StopIteration as end:
            self.finding = end.value
            self._over = True
            self._injectors.end_segments()
            return
        except TypeError:
            # A plan that has not begun takes nothing: the run was stopped before it.
            if sent is None or self._stopped is None:
                raise
            segment = None
        if self._stopped is not None or segment is None:
            self._plan.close()
            self._over = True
            return
        self._send(segment, now_s)

    def _send(self, segment: Segment, now_s: float) -> None:
        phase = len(self._tally.phases)
        from_us = max(round(now_s * _US) + _LEAD_US, self._ended_us + round(segment.rest_s * _US))
        order = order_of(segment, phase=phase, from_us=from_us, seed=self._seed)
        self._tally.add_phase(self._phase_plan(segment, phase, order))
        self._open = _Open(segment, phase, order)
        self._injectors.send_segment(order)

    def _phase_plan(self, segment: Segment, phase: int, order: dict[str, Any]) -> PhasePlan:
        rate_rps = segment.expected / segment.length_s if segment.length_s else 0.0
        return PhasePlan(
            index=phase,
            name=f"{self._name}: {segment.name}" if self._name else segment.name,
            kind="rate" if segment.streams else "pause",
            from_s=order["from_us"] / _US,
            to_s=order["to_us"] / _US,
            measured=segment.measured and bool(segment.streams),
            expected=segment.expected,
            peak_rps=_peak_rps(segment),
            words=f"{rate_rps:,.4g} arrivals/s" if segment.streams else "pause",
        )

    # -- what came of it -------------------------------------------------------------------------

    def _sent(self, here: _Open) -> Sent:
        ended_us = max((one.ended_us for one in here.done.values()), default=here.order["to_us"])
        to_us = min(int(here.order["to_us"]), ended_us)
        if here.stopped is None:
            to_us = int(here.order["to_us"])
            self.planned += planned_arrivals(here.order)
        else:
            self._tally.end_phase(here.phase, to_us / _US)
        self._ended_us = to_us
        arrivals = self._tally.arrivals([here.phase])
        if here.stopped is not None:
            self.planned += arrivals.offered
        records, connection = self._records(here)
        return Sent(
            records=records,
            from_us=int(here.order["from_us"]),
            to_us=to_us,
            connection=connection,
            dropped=arrivals.dropped,
            cut=sum(one.unended for one in here.done.values()),
            stopped=here.stopped,
        )

    def _nothing(self, now_s: float) -> Sent:
        at_us = round(now_s * _US)
        return Sent(NOTHING, at_us, at_us, np.zeros(0, np.int64), stopped=self._stopped)

    def _records(self, here: _Open) -> tuple[Records, NDArray[np.int64]]:
        """The records of a segment in the order of their starts, and their connections."""
        parts: list[Records] = []
        connections: list[NDArray[np.int64]] = []
        for injector in range(self._count):
            path = records_path(self._folder, injector)
            if not path.exists():
                continue
            rows = read_file(path)
            last = here.done[injector].rows if injector in here.done else len(rows)
            # A request of an earlier segment that ended late is not one of this.
            new = np.array(rows[self._rows[injector] : last])
            self._rows[injector] = last
            new = new[new["phase"] == here.phase]
            parts.append(new)
            connections.append(new["connection"].astype(np.int64) + (injector << _INJECTOR_BITS))
        if not parts:
            return NOTHING, np.zeros(0, np.int64)
        records, connection = np.concatenate(parts), np.concatenate(connections)
        order = np.argsort(records["start_us"], kind="stable")
        return records[order], connection[order]

    def _progress(self, here: _Open, now_s: float) -> Progress:
        admitted: dict[int, int] = {}
        throttled: dict[int, int] = {}
        failed: dict[int, int] = {}
        for step in self._tally.steps:
            counts = self._tally.totals([here.phase], step.index).counts
            by_outcome = dict.fromkeys(Outcome, 0)
            for code, count in counts.items():
                by_outcome[Kind.of(code).outcome] += count
            everything = sum(by_outcome.values())
            if not everything:
                continue
            throttled[step.index] = by_outcome[Outcome.THROTTLED]
            admitted[step.index] = everything - by_outcome[Outcome.THROTTLED]
            failed[step.index] = admitted[step.index] - by_outcome[Outcome.OK]
        service = self._tally.totals([here.phase]).latencies.of(SERVICE, Outcome.OK)
        return Progress(
            elapsed_s=max(0.0, now_s - here.order["from_us"] / _US),
            admitted=admitted,
            throttled=throttled,
            failed=failed,
            p95_ms=service.percentile(95) / 1000 if service.n else None,
        )


def _peak_rps(segment: Segment) -> float:
    """The highest rate of all streams together."""
    borders: Collection[float] = {one.from_s for one in segment.streams}
    return max(
        (
            sum(one.rate_rps for one in segment.streams if one.from_s <= at_s < one.to_s)
            for at_s in borders
        ),
        default=0.0,
    )
