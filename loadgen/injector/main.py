"""The life of an injector: take the assignment, wait for the start, send, drain, give account."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns, time_ns
from typing import Protocol

import gevent
import locust
from gevent.event import Event
from gevent.hub import get_hub
from gevent.lock import Semaphore
from locust.env import Environment
from locust.stats import RequestStats

from core.errors import ToolError
from loadgen.answer import Answer
from loadgen.auth.apply import Auths
from loadgen.classify import Classifier
from loadgen.flow.compile import compile_flows
from loadgen.injector.closed_model import ClosedModel, FlowUser
from loadgen.injector.flow_runner import FlowRunner
from loadgen.injector.locust_events import fire, new_events
from loadgen.injector.locust_stats import log_batch
from loadgen.injector.locustfile_model import LocustfileModel, load_users
from loadgen.injector.open_model import ArrivalScheduler, OpenModel
from loadgen.injector.pipe import Orders, Reports, take_pipes
from loadgen.injector.recorder import FIRST, Batch, Recorder
from loadgen.injector.retrying_runner import RetryingRunner
from loadgen.injector.stalls import StallWatch
from loadgen.injector.steered_model import SteeredModel
from loadgen.injector.tls import origin_of
from loadgen.injector_notes import burst_note, waited_note
from loadgen.messages import Assignment, Control, Frame, Ready, SegmentDone, to_line
from loadgen.profile.model import Profile
from loadgen.records import RecordWriter, records_path
from loadgen.retry.policy import fleets_of, models_clients
from loadgen.schedule import arrivals, duration_s, plan_phases, user_targets
from loadgen.steps import step_infos
from loadgen.wire import Pool

_FRAME_S = 1.0
_LOOK_S = 0.02
_LAST_WORDS_S = 30
_MOST_DESCRIPTORS = 65_536
_NEVER_NS = 1 << 62


class Model(Protocol):
    """How load is made: open, closed, or by a locustfile."""

    def start(self, environment: Environment) -> None:
        """Begins; the first requests go out at the start of the run."""

    def finished(self) -> bool:
        """Whether nothing is to come and nothing runs."""

    def stop(self) -> None:
        """Begins nothing more."""

    def cut(self) -> dict[str, int]:
        """Ends what still runs; the requests that have no outcome, by the number of their step."""


class Injector:
    """One run of one injector."""

    def __init__(self, assignment: Assignment, reports: Reports) -> None:
        self._assignment = assignment
        self._reports = reports
        self.profile = Profile.model_validate(assignment.profile)
        self._steps = step_infos(self.profile)
        self._rng = random.Random(f"{assignment.seed}/{assignment.injector}")
        self.auths = Auths(self.profile, assignment.credentials)
        self._writer = (
            RecordWriter(records_path(Path(assignment.folder), assignment.injector))
            if assignment.folder
            else None
        )
        self._recorder = Recorder(
            assignment.injector,
            writer=self._writer,
            on_batch=self._log_batch,
            secrets=self.auths.secrets,
        )
        http = self.profile.http
        self._pool = Pool(
            origin_of(assignment.base_url, http, Path(assignment.base_dir)),
            max_connections=_share(http.max_connections, assignment),
            keep_body_bytes=http.keep_body_bytes,
            keep_alive=http.connections == "reuse",
            spread=_share(assignment.spread, assignment) if assignment.spread else 0,
        )
        self._recorder.connections = lambda: self._pool.connections
        self._runner = self._make_runner()
        self._environment = self._make_environment()
        self._environment.create_local_runner()
        self._flows = compile_flows(
            self.profile,
            base_url=assignment.base_url,
            base_dir=Path(assignment.base_dir),
            auths=self.auths,
            rng=self._rng,
            injector=assignment.injector,
            injectors=assignment.injectors,
        )
        # Of the phases that come as orders, nothing is known here.
        self._phases = plan_phases(self.profile)[: assignment.steered_from]
        self._steered: SteeredModel | None = None
        self._framing = Semaphore()
        _warm_up()
        self._stopped = Event()
        self._sent_all = Event()
        self._deadline_ns = 0

    def _make_runner(self) -> FlowRunner:
        parts = self._pool, self._recorder, len(self._steps), self._rng
        # What steers a load counts requests as they were planned.
        if self._assignment.steered_from is not None or not models_clients(self.profile):
            return FlowRunner(*parts)
        fleets = fleets_of(self.profile, self._assignment.injector, self._assignment.injectors)
        return RetryingRunner(*parts, fleets)

    def _make_environment(self) -> Environment:
        profile = self.profile
        if profile.locustfile is not None:
            users = load_users(profile.locustfile, Path(self._assignment.base_dir))
            # The listeners that a locustfile registers are those of the module.
            return Environment(
                user_classes=users, events=locust.events, host=self._assignment.base_url
            )
        user = ArrivalScheduler if profile.load.model == "open" else FlowUser
        return Environment(user_classes=[user], events=new_events())

    def _make_model(self, start_ns: int) -> Model:
        assignment, load, phases = self._assignment, self.profile.load, self._phases
        targets = user_targets(self.profile, phases, assignment.injector, assignment.injectors)
        if self.profile.locustfile is not None:
            return LocustfileModel(
                self._environment,
                self._recorder,
                Classifier(self.profile.outcomes),
                phases=phases,
                targets=targets,
                start_ns=start_ns,
                drain_s=load.drain_s,
                tell=self._reports.send,
            )
        if load.model == "open":
            schedule = arrivals(
                self.profile, phases, assignment.seed, assignment.injector, assignment.injectors
            )
            most = _share(load.max_in_flight, assignment)
            if assignment.steered_from is None:
                return OpenModel(
                    self._flows,
                    self._runner,
                    self._recorder,
                    arrivals=schedule,
                    max_in_flight=most,
                    start_ns=start_ns,
                )
            self._steered = SteeredModel(
                self._flows,
                self._runner,
                self._recorder,
                arrivals=schedule,
                max_in_flight=most,
                start_ns=start_ns,
                injector=assignment.injector,
                injectors=assignment.injectors,
                patience_s=load.drain_s,
                tell_done=self._tell_done,
            )
            return self._steered
        return ClosedModel(
            self._flows,
            self._runner,
            self._recorder,
            profile=self.profile,
            phases=phases,
            targets=targets,
            start_ns=start_ns,
            most_requests=_share(self.profile.guards.max_requests, assignment),
            rng=self._rng,
        )

    # -- orders ----------------------------------------------------------------------------------

    def obey(self, orders: Orders) -> None:
        """Follows orders until their pipe is closed, which means stop: nobody reads any more."""
        for order in orders:
            if not isinstance(order, Control):
                continue
            if order.do == "credentials":
                self.auths.update(order.credentials)
            elif order.do == "abort":
                self._stop(drain_s=0.0)
            elif order.do == "stop":
                self._stop(drain_s=self.profile.load.drain_s)
            elif self._steered is not None:
                self._steer(self._steered, order)
        self._stop(drain_s=0.0)

    def _steer(self, model: SteeredModel, order: Control) -> None:
        if order.do == "segment":
            model.order(order.segment)
        elif order.do == "skip":
            model.skip()
        elif order.do == "end":
            self._deadline_ns = perf_counter_ns() + int(self.profile.load.drain_s * 1e9)
            model.order(None)

    def _tell_done(self, done: SegmentDone) -> None:
        """Hands over what is known of a segment, and says that it has ended."""
        self._reports.send(self._frame())
        rows = self._writer.n if self._writer is not None else 0
        self._reports.send(replace(done, rows=rows))

    def _stop(self, *, drain_s: float) -> None:
        self._runner.stopping = True
        self._deadline_ns = perf_counter_ns() + int(drain_s * 1e9)
        self._stopped.set()

    # -- the run ---------------------------------------------------------------------------------

    def run(self, start_ns: int) -> None:
        """Sends all of the assignment from `start_ns` on, or what comes before a stop.

        Then it gives account. `start_ns` is on the clock of `perf_counter_ns`.
        """
        environment = self._environment
        self._recorder.start_ns = start_ns
        self._recorder.burst_us = dict.fromkeys(self._bursts_at_once(), 0)
        end_ns = start_ns + int(duration_s(self._phases) * 1e9)
        self._deadline_ns = end_ns + int(self.profile.load.drain_s * 1e9)
        if self._assignment.steered_from is not None:
            self._deadline_ns = _NEVER_NS  # until the end is ordered
        model = self._make_model(start_ns)
        environment.loadgen_model = model  # type: ignore[attr-defined] # where users find it
        events = environment.events
        # The beginning and the end of the test are told by the runner that starts the users.
        fire(events.init, environment=environment, runner=environment.runner, web_ui=None)
        ticks = gevent.spawn(self._tick)
        # What there is by now stays for good: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        stalls = StallWatch(self.profile.validity.max_start_lag_s)
        stalls.start()
        model.start(environment)
        self._wait(model, end_ns)
        self._sent_all.set()
        ticks.join()
        stalls.stop()
        cut = model.cut()
        fire(events.quitting, environment=environment)
        self._recorder.digest()
        for phase, longest_us in self._recorder.burst_us.items():
            if longest_us:
                self._recorder.note(burst_note(self._phases[phase].name, longest_us / 1000))
        self._reports.send(self._frame())
        self._reports.send(self._recorder.drained(cut, stalls))
        self._pool.close()
        if self._writer is not None:
            self._writer.close()

    def _wait(self, model: Model, end_ns: int) -> None:
        """Until all has ended, or the drain has; the schedule ends at `end_ns`."""
        closed = self.profile.load.model == "closed"
        while not (done := self._done(model)) and not self._stopped.wait(_LOOK_S):
            now_ns = perf_counter_ns()
            # Users go when the schedule ends; arrivals run their flows to the end.
            self._runner.stopping = closed and now_ns > end_ns
            if now_ns > self._deadline_ns:
                break
        if not done:
            model.stop()
        while not self._done(model) and perf_counter_ns() < self._deadline_ns:
            gevent.sleep(_LOOK_S)

    def _done(self, model: Model) -> bool:
        """Whether nothing runs any more, or only those that think and need not go on."""
        if model.finished():
            return True
        thinking = self._runner.stopping and not self._recorder.in_flight
        return thinking and self.profile.locustfile is None

    def _bursts_at_once(self) -> list[int]:
        """The phases whose arrivals are all due at the same moment."""
        of_schedule = self.profile.load.phases[: len(self._phases)]
        return [
            plan.index
            for plan, phase in zip(self._phases, of_schedule, strict=True)
            if plan.kind == "burst" and not phase.within_s
        ]

    def _tick(self) -> None:
        """A frame each second; never killed within one, which would lose what is in it."""
        self._recorder.pause = _give_way
        while not self._sent_all.wait(_FRAME_S):
            self._reports.send(self._frame())

    def _frame(self) -> Frame:
        if self._pool.waited:
            self._recorder.note(waited_note(self.profile.http.max_connections))
        # A frame gives way while it is made, and another one must not begin then.
        with self._framing:
            return self._recorder.frame()

    def _log_batch(self, batch: Batch) -> None:
        if self.profile.locustfile is not None:
            return  # Locust has counted them itself
        step = self._steps[batch.step]
        log_batch(
            self._environment.stats,
            step.method,
            step.name,
            batch.response_ms,
            failed=batch.failed,
            bytes_in=batch.bytes_in,
        )


def _give_way() -> None:
    """Lets the loop look at its sockets and timers once.

    `gevent.sleep(0)` does not: it only goes to the end of the queue of callbacks, which the loop
    works off for up to 5 ms before it looks.
    """
    hub = get_hub()
    hub.wait(hub.loop.timer(0))


def _warm_up() -> None:
    """Makes a frame of next to nothing: what Python and numpy do the first time takes 15 ms."""
    stats = RequestStats()

    def log(batch: Batch) -> None:
        log_batch(stats, "GET", "/", batch.response_ms, failed=1, bytes_in=1)

    recorder = Recorder(0, writer=None, on_batch=log)
    answer = Answer(200, b"", b"", 0, 1, 1, 1, 1, 1, 0)
    for number in range(1000):
        recorder.begin((0, 0))
        recorder.add(-1000 * number, answer, 0, FIRST, 0)
    to_line(recorder.frame())


def _share(most: int, assignment: Assignment) -> int:
    """This injector's part of a limit of the whole run; at least one."""
    whole, rest = divmod(most, assignment.injectors)
    return max(1, whole + (assignment.injector < rest))


def main() -> None:
    """Reads the assignment and the start from stdin, and ends when all is told on stdout."""
    # Who ends all processes of a job ends the command as well, which then ends this one in order.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _raise_limits()
    orders_from, reports_to = take_pipes()
    reports, orders = Reports(reports_to), Orders(orders_from)
    writer = gevent.spawn(reports.write)
    assignment = next(iter(orders), None)
    if not isinstance(assignment, Assignment):
        sys.exit("this is started by `loadgen run`")
    try:
        injector = Injector(assignment, reports)
    except (ToolError, OSError, ValueError) as error:
        reports.send(Ready(assignment.injector, f"{error}"))
    else:
        reports.send(Ready(assignment.injector))
        start_ns = _start_of(orders, injector)
        if start_ns is not None:
            gevent.spawn(injector.obey, orders)
            injector.run(start_ns)
    reports.end()
    writer.join(timeout=_LAST_WORDS_S)
    # Greenlets that were cut and threads of the pool must not hold up the end.
    os._exit(0)


def _start_of(orders: Orders, injector: Injector) -> int | None:
    """When to begin, on the clock of `perf_counter_ns`; None if it is called off."""
    for order in orders:
        if not isinstance(order, Control):
            continue
        if order.do == "start":
            return perf_counter_ns() + order.at_unix_ns - time_ns()
        if order.do != "credentials":
            return None
        injector.auths.update(order.credentials)
    return None


def _raise_limits() -> None:
    """A connection is a descriptor: as many as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
