"""Runs flows: step after step over the wire, each with its clocks and its verdict."""

from __future__ import annotations

import random
from time import perf_counter_ns

import gevent

from loadgen.answer import Answer
from loadgen.flow.compile import Flow, FlowStep, RenderError, Think
from loadgen.flow.judge import CHECK_FAILED
from loadgen.injector.recorder import FIRST, Recorder
from loadgen.wire import Pool


class FlowRunner:
    """Sends the requests of flows and records each of them.

    A flow whose step failed in a way that later steps cannot do without ends there.
    """

    def __init__(self, pool: Pool, recorder: Recorder, steps: int, rng: random.Random) -> None:
        self._exchange = pool.exchange
        self._recorder = recorder
        self._rng = rng
        self._open = [0] * steps  # requests in flight, by step
        self.sent = 0  # requests of flows that have ended
        self.stopping = False  # then who thinks does not go on
        self.waiting = 0  # modelled clients that will send again

    def run(self, flow: Flow, intended_ns: int, phase: int) -> int | None:
        """Runs `flow` once and gives how many requests it sent.

        `intended_ns` is when it should have begun. None when its data has come to an end, so that
        nothing was sent.
        """
        session = flow.session()
        if session is None:
            self._recorder.without_data += 1
            return None
        sent = 0
        in_flight, recorder = self._open, self._recorder
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
            step = item.index
            sent += 1
            in_flight[step] += 1
            recorder.in_flight += 1
            recorder.begin((intended_ns, phase))
            # Who is killed here, at the end of the drain, stays in the books as in flight.
            answer: Answer = self._exchange(request, item.timeout_s, is_head=item.is_head)
            kind = item.judge(answer, session)
            in_flight[step] -= 1
            recorder.in_flight -= 1
            recorder.add(intended_ns, answer, kind, phase | FIRST if sent == 1 else phase, step)
            if kind == CHECK_FAILED:
                recorder.failures.add(phase, step, session.reason, session)
            if session.failed:
                break
            intended_ns = answer.end_ns
        self.sent += sent
        return sent

    def _note_not_built(self, item: FlowStep, error: RenderError) -> None:
        self._recorder.not_built += 1
        self._recorder.note(f"step {item.name}: {error}: the flow ends there, nothing was sent")

    def _goes_on_after(self, think: Think) -> bool:
        if not self.stopping:
            gevent.sleep(think.seconds(self._rng))
        return not self.stopping

    def cut_by_step(self) -> dict[str, int]:
        """Requests that are in flight now, by the number of their step."""
        return {str(step): count for step, count in enumerate(self._open) if count}
