"""The open model: arrivals begin when they are due, whatever became of the ones before.

One Locust user is the scheduler; each arrival runs its flow in a greenlet of its own. Beyond
`max_in_flight` an arrival is dropped and counted: a queue inside the generator would be load that
the API never sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

import gevent
from gevent.event import Event
from gevent.hub import get_hub
from greenlet import getcurrent, greenlet
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from loadgen.flow.compile import Flow
from loadgen.injector.alarm import Alarm, new_alarm
from loadgen.injector.flow_runner import FlowRunner
from loadgen.injector.recorder import Recorder
from loadgen.injector_notes import used_up_note
from loadgen.schedule import Chunk

# So many arrivals that are late already may begin before those that run get a turn.
_MOST_AT_ONCE = 64
# So many arrivals become Python's numbers at once: more would take longer than arrivals may wait.
_SLICE = 2_048
_SECOND_NS = 1_000_000_000
_NEVER_NS = 2**62
_CUT_TIMEOUT_NS = 5_000_000_000


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
        self._hub = get_hub()
        self._alarm: Alarm
        self._begun_all = Event()
        self._chunk: Chunk | None = None
        self._taken = self._next = 0
        self._due_ns: list[int] = []
        self._phases: list[int] = []
        self._scenarios: list[int] = []
        recorder.before_frame = self._report
        for flow in flows:
            flow.drop_last_pauses()

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
        if not self._runner.stopping:
            waiting = self._runner.waiting + self._recorder.in_flight
            self._recorder.unfinished = len(self._running) - waiting
        # From the loop, which each of them gives back when it has ended.
        for arrival in self._running:
            self._hub.loop.run_callback(arrival.throw, gevent.GreenletExit)
        deadline_ns = perf_counter_ns() + _CUT_TIMEOUT_NS
        while self._running and perf_counter_ns() < deadline_ns:
            gevent.sleep(0)
        return self._runner.cut_by_step()

    def schedule(self) -> None:
        """Begins all arrivals when they are due; what the user does."""
        with self.ringing():
            self.begin_all(self._start_ns)

    @contextmanager
    def ringing(self) -> Iterator[None]:
        """An alarm for the arrivals, for as long as the context lasts."""
        self._alarm = new_alarm(self._ring)
        try:
            yield
        finally:
            self._alarm.close()
            self._due_ns = []

    def begin_all(self, first_ns: int) -> None:
        """Begins what there is of the schedule; the first of it is due at `first_ns` or later."""
        self._begun_all.clear()
        if self._load():
            self._alarm.set(first_ns)
            self._begun_all.wait()

    def take(self, chunk: Chunk) -> None:
        """More arrivals, after those that have begun."""
        self._arrivals = iter([chunk])

    def drop_rest(self) -> None:
        """Forgets the arrivals that have not begun."""
        self._arrivals = iter([])
        self._chunk, self._due_ns, self._next = None, [], 0
        self._alarm.set(perf_counter_ns())

    @property
    def running(self) -> int:
        """How many arrivals have begun and not ended."""
        return len(self._running)

    def _ring(self) -> None:
        """Begins what is due by now; called by the loop, which each flow gives back when it waits.

        Starting flows from here saves a greenlet that the loop would have to switch to first.
        """
        now = perf_counter_ns()
        for _ in range(_MOST_AT_ONCE):
            if self._stopping or (self._next == len(self._due_ns) and not self._load()):
                self._begun_all.set()
                self._alarm.set(_NEVER_NS)
                return
            due = self._due_ns[self._next]
            if due > now:
                now = perf_counter_ns()
                if due > now:
                    self._alarm.set(due)
                    return
            self._arrive(due)
        self._alarm.set(now)

    def _load(self) -> bool:
        """Takes the next arrivals from the schedule; False where it has ended."""
        while True:
            chunk = self._chunk
            if chunk is None or self._taken == len(chunk.at_us):
                self._chunk, self._taken = next(self._arrivals, None), 0
                if self._chunk is None:
                    return False
                continue
            part = slice(self._taken, self._taken + _SLICE)
            self._due_ns = (chunk.at_us[part] * 1000 + self._start_ns).tolist()
            self._phases = chunk.phase[part].tolist()
            self._scenarios = chunk.scenario[part].tolist()
            self._taken += len(self._due_ns)
            self._next = 0
            return True

    def _arrive(self, due_ns: int) -> None:
        number = self._next
        self._next += 1
        phase = self._phases[number]
        key = ((due_ns - self._start_ns) // _SECOND_NS, phase)
        fates = self._counts.get(key)
        if fates is None:
            fates = self._counts[key] = [0, 0]
        fates[0] += 1
        if len(self._running) >= self._max_in_flight:
            fates[1] += 1
            return
        arrival = greenlet(self._begin, self._hub)
        self._running.add(arrival)
        arrival.switch(self._flows[self._scenarios[number]], due_ns, phase)

    def _report(self) -> None:
        """Counts the arrivals since the last frame; cheaper in one go than one by one."""
        for (second, phase), (arrivals, dropped) in self._counts.items():
            self._recorder.offered(second, phase, arrivals, dropped)
        self._counts.clear()

    def _begin(self, flow: Flow, due_ns: int, phase: int) -> None:
        try:
            if self._runner.run(flow, due_ns, phase) is None:
                self._recorder.note(used_up_note(flow.name, "no more arrivals"))
                self._stopping = True
        except gevent.GreenletExit:
            return  # cut at the end of the drain
        except Exception as error:
            # The loop that began it must go on; the request stays in the books as cut.
            what = f"{type(error).__name__}: {error}"
            self._recorder.note(f"scenario {flow.name}: unexpected {what}")
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
