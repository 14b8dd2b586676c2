"""The open model whose later arrivals come as orders, segment by segment."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import gevent
from gevent.queue import SimpleQueue

from loadgen.injector.open_model import OpenModel
from loadgen.messages import SegmentDone
from loadgen.steered.orders import arrivals_of

_LOOK_S = 0.005
_SECOND_NS = 1_000_000_000


class SteeredModel(OpenModel):
    """First the arrivals of the schedule, then those of each segment; between them it waits.

    `tell_done` is called when everything of a segment has ended, or `patience_s` after its last
    arrival; it has to hand over frames and records before it passes the message on.
    """

    def __init__(
        self,
        *arguments: Any,
        injector: int,
        injectors: int,
        patience_s: float,
        tell_done: Callable[[SegmentDone], None],
        **more: Any,
    ) -> None:
        super().__init__(*arguments, **more)
        self._injector, self._injectors = injector, injectors
        self._patience_ns = int(patience_s * 1e9)
        self._tell_done = tell_done
        self._orders: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._skipping = False

    def order(self, segment: dict[str, Any] | None) -> None:
        """The next segment; None: there is none."""
        self._orders.put(segment)

    def skip(self) -> None:
        """Leaves out what is left of the segment."""
        self._skipping = True
        self.drop_rest()

    def schedule(self) -> None:
        """Begins all arrivals when they are due; what the user does."""
        with self.ringing():
            self.begin_all(self._start_ns)
            while not self._stopping and (order := self._orders.get()) is not None:
                self._begin_segment(order)

    def _begin_segment(self, order: dict[str, Any]) -> None:
        self._skipping = False
        chunk = arrivals_of(order, self._injector, self._injectors)
        if len(chunk.at_us):
            self.take(chunk)
            self.begin_all(int(chunk.at_us[0]) * 1000 + self._start_ns)
        end_ns = int(order["to_us"]) * 1000 + self._start_ns
        self._wait(lambda now_ns: now_ns >= end_ns or self._skipping)
        end_ns = min(end_ns, perf_counter_ns())
        self._wait(lambda now_ns: not self.running or now_ns >= end_ns + self._patience_ns)
        self._tell_done(
            SegmentDone(
                self._injector,
                int(order["phase"]),
                rows=0,
                ended_us=(end_ns - self._start_ns) // 1000,
                unended=self.running,
            )
        )

    def _wait(self, is_over: Callable[[int], bool]) -> None:
        while not self._stopping and not is_over(perf_counter_ns()):
            gevent.sleep(_LOOK_S)
