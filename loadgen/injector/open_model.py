"""The open model: arrivals begin when they are due, whatever became of the ones before.

One Locust user is the scheduler; each arrival runs its flow in a greenlet of its own. Beyond
`max_in_flight` an arrival is dropped and counted: a queue inside the generator would be load that
the API never sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter_ns
from typing import Any

import gevent
from greenlet import getcurrent
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from loadgen.flow.compile import Flow
from loadgen.injector.alarm import Alarm, new_alarm
from loadgen.injector.flow_runner import FlowRunner
from loadgen.injector.recorder import Recorder
from loadgen.schedule import Chunk

# So many arrivals that are late already may begin before those that run get a turn.
_MOST_AT_ONCE = 64
_SECOND_NS = 1_000_000_000


class OpenModel:
    """Begins arrivals by a schedule, and knows which ones run."""

    def __init__(
        self,
        flows: Sequence[Flow],
        runner: FlowRunner,
        recorder: Recorder,
        *,
        arrivals: Iterator[Chunk],
        max_in_flight: int,
        start_ns: int,
    ) -> None:
        self._flows = flows
        self._runner = runner
        self._recorder = recorder
        self._arrivals = arrivals
        self._max_in_flight = max_in_flight
        self._start_ns = start_ns
        self._running: set[Any] = set()
        self._counts: dict[tuple[int, int], list[int]] = {}  # by second, phase: due, dropped
        self._stopping = False
        self._scheduler: User | None = None
        recorder.before_frame = self._report

    def start(self, environment: Environment) -> None:
        """Spawns the user that begins the arrivals."""
        runner = environment.runner
        if runner is None:
            raise RuntimeError("the environment has no runner")
        self._scheduler = runner.spawn_users({ArrivalScheduler.__name__: 1})[0]

    def finished(self) -> bool:
        """Whether all arrivals have begun, and all that began have ended."""
        scheduling = self._scheduler is not None and not self._scheduler.greenlet.dead
        return not scheduling and not self._running

    def stop(self) -> None:
        """Begins no more arrivals; those that run go on."""
        self._stopping = True
        if self._scheduler is not None:
            self._scheduler.greenlet.kill(block=True, timeout=5)

    def cut(self) -> dict[str, int]:
        """Ends what still runs; the requests that have no outcome, by the number of their step."""
        gevent.killall(list(self._running), block=True, timeout=5)
        return self._runner.cut_by_step()

    def schedule(self) -> None:
        """Begins all arrivals when they are due; what the user does."""
        alarm = new_alarm()
        try:
            alarm.wait_until(self._start_ns)
            for chunk in self._arrivals:
                if self._stopping:
                    return
                self._schedule_chunk(chunk, alarm)
        finally:
            alarm.close()

    def _schedule_chunk(self, chunk: Chunk, alarm: Alarm) -> None:
        due_ns = (chunk.at_us * 1000 + self._start_ns).tolist()
        counts = self._counts
        running, flows, begin = self._running, self._flows, self._begin
        most = self._max_in_flight
        now = at_once = 0
        for due, phase, scenario in zip(
            due_ns, chunk.phase.tolist(), chunk.scenario.tolist(), strict=True
        ):
            if due > now:
                now = perf_counter_ns()
                if due > now:
                    alarm.wait_until(due)
                    at_once = 0
            elif at_once >= _MOST_AT_ONCE:
                gevent.sleep(0)
                at_once = 0
            if self._stopping:
                return
            at_once += 1
            key = ((due - self._start_ns) // _SECOND_NS, phase)
            fates = counts.get(key)
            if fates is None:
                fates = counts[key] = [0, 0]
            fates[0] += 1
            if len(running) >= most:
                fates[1] += 1
            else:
                running.add(gevent.spawn_raw(begin, flows[scenario], due, phase))

    def _report(self) -> None:
        """Counts the arrivals since the last frame; cheaper in one go than one by one."""
        for (second, phase), (arrivals, dropped) in self._counts.items():
            self._recorder.offered(second, phase, arrivals, dropped)
        self._counts.clear()

    def _begin(self, flow: Flow, due_ns: int, phase: int) -> None:
        try:
            if self._runner.run(flow, due_ns, phase) is None:
                self._recorder.note(f"scenario {flow.name}: its data is used up; no more arrivals")
                self._stopping = True
        finally:
            self._running.discard(getcurrent())


class ArrivalScheduler(User):
    """The one Locust user of an open model."""

    @task
    def schedule(self) -> None:
        """Begins all arrivals, and ends the user."""
        model: OpenModel = self.environment.loadgen_model
        model.schedule()
        raise StopUser
