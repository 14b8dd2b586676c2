"""Runs flows for modelled clients: what was refused is sent again, as their policy has it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter_ns

import gevent

from loadgen.answer import Answer
from loadgen.classify import OK_CODE
from loadgen.flow.compile import Flow, FlowStep, RenderError, Session, Think
from loadgen.flow.judge import CHECK_FAILED
from loadgen.injector.client_gate import ClientGate
from loadgen.injector.flow_runner import FlowRunner
from loadgen.injector.recorder import FIRST, Recorder
from loadgen.injector.waits import Waits
from loadgen.retry.cells import Fate
from loadgen.retry.client import Ending, ModelledClient, Operation
from loadgen.retry.operation_log import OperationLog
from loadgen.retry.policy import Fleet
from loadgen.wire import Pool

_FATES = {
    Ending.ANSWERED: Fate.FAILED,
    Ending.ATTEMPTS: Fate.ATTEMPTS,
    Ending.QUOTA: Fate.QUOTA,
}


class _RunEnded(Exception):
    """When the run ends while a client waits."""


@dataclass(slots=True)
class _Course:
    """A step of a flow on its way through a modelled client."""

    gate: ClientGate
    item: FlowStep
    request: bytes
    session: Session
    phase: int
    begins_flow: bool
    begun_ns: int  # when its first request was due
    sent: int = 0


class RetryingRunner(FlowRunner):
    """A flow runner whose requests are sent by modelled clients, each in its turn.

    The attempts of an operation have the same bytes, as those of an SDK have the same payload; a
    signature stays valid far longer than a client retries.
    """

    def __init__(
        self,
        pool: Pool,
        recorder: Recorder,
        steps: int,
        rng: random.Random,
        fleets: Mapping[str, Fleet],
    ) -> None:
        super().__init__(pool, recorder, steps, rng)
        self._waits = Waits()
        self._log = OperationLog()
        recorder.operations = self._log
        now_s = perf_counter_ns() / 1e9
        self._gates = {
            scenario: cycle(
                [
                    ClientGate(ModelledClient(fleet.policy, rng, now_s), self._waits)
                    for _ in range(fleet.clients)
                ]
            )
            for scenario, fleet in fleets.items()
        }

    def run(self, flow: Flow, intended_ns: int, phase: int) -> int | None:
        """Runs `flow` once and gives how many requests it sent, those sent again included.

        `intended_ns` is when it should have begun. None when its data has come to an end, so that
        nothing was sent.
        """
        session = flow.session()
        if session is None:
            self._recorder.without_data += 1
            return None
        gate = next(self._gates[flow.name])
        sent = 0
        for item in flow.items:
            if isinstance(item, Think):
                if not self._goes_on_after(item):
                    break
                intended_ns = perf_counter_ns()
                continue
            try:
                request = item.render(session)
            except RenderError as error:
                self._note_not_built(item, error)
                break
            course = _Course(gate, item, request, session, phase, not sent, intended_ns)
            try:
                intended_ns = self._operation(course)
            except _RunEnded:
                break
            finally:
                sent += course.sent
            if session.failed:
                break
        self.sent += sent
        return sent

    def _operation(self, course: _Course) -> int:
        """Sends a request, and again as long as its client does; gives when the last answer ended.

        Raises:
            _RunEnded: before that.
        """
        log, client = self._log, course.gate.client
        step, phase, begun_ns = course.item.index, course.phase, course.begun_ns
        log.begun((begun_ns, phase, step))
        operation, due_ns = Operation(), begun_ns
        while True:
            let_go_ns = self._let_go_ns(course, operation, due_ns)
            log.sent((let_go_ns, let_go_ns - due_ns, phase, step, operation.attempt))
            answer, kind = self._exchanged(course, operation, let_go_ns)
            after = client.answered(operation, answer, answer.end_ns / 1e9)
            if after.ending is not None:
                fate = Fate.OK if kind == OK_CODE else _FATES[after.ending]
                log.ended((begun_ns, answer.end_ns, phase, step, fate))
                return answer.end_ns
            due_ns = answer.end_ns + int(after.wait_s * 1e9)
            # What this answer lacks, the next one may have.
            course.session.failed = False

    def _let_go_ns(self, course: _Course, operation: Operation, due_ns: int) -> int:
        """Waits for the end of the backoff and for the client's limiter; gives when both let go.

        Raises:
            _RunEnded: the run ends first.
        """
        self.waiting += 1
        try:
            if operation.attempt > 1:
                self._go_on()
                self._waits.until(due_ns)
                self._go_on()
            if course.gate.client.holds_back:
                due_ns = course.gate.passed(due_ns)
                self._go_on()
        except (_RunEnded, gevent.GreenletExit):
            step, phase = course.item.index, course.phase
            self._log.ended((course.begun_ns, course.begun_ns, phase, step, Fate.RUN_ENDED))
            self._recorder.unsent += course.begins_flow and not course.sent
            raise
        finally:
            self.waiting -= 1
        return due_ns

    def _go_on(self) -> None:
        if self.stopping:
            raise _RunEnded

    def _exchanged(self, course: _Course, operation: Operation, due_ns: int) -> tuple[Answer, int]:
        """The answer to a request, and its kind."""
        recorder, item, attempt = self._recorder, course.item, operation.attempt
        step, phase = item.index, course.phase
        course.sent += 1
        self._log.retries += attempt > 1
        self._open[step] += 1
        recorder.in_flight += 1
        recorder.begin((due_ns, phase))
        # Who is killed here, at the end of the drain, stays in the books as in flight.
        answer = self._exchange(course.request, item.timeout_s, is_head=item.is_head)
        kind = item.judge(answer, course.session)
        self._open[step] -= 1
        recorder.in_flight -= 1
        is_arrival = course.begins_flow and attempt == 1
        recorder.add(due_ns, answer, kind, phase | FIRST if is_arrival else phase, step, attempt)
        self._log.answered((due_ns, answer.end_ns, phase, step, attempt, kind == OK_CODE))
        if kind == CHECK_FAILED:
            recorder.failures.add(phase, step, course.session.reason, course.session)
        return answer, kind
