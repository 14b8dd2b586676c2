"""The closed model: Locust users that run flows one after the other, with time to think between."""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

import gevent
from locust import User, task
from locust.exception import StopUser

from loadgen.flow.compile import Flow, Think
from loadgen.injector.alarm import Sleeper
from loadgen.injector.flow_runner import FlowRunner
from loadgen.injector.recorder import Recorder
from loadgen.injector_notes import used_up_note
from loadgen.profile.model import Phase, Profile
from loadgen.schedule import PhasePlan, UserTarget

_SECOND_NS = 1_000_000_000
_PAUSE_S = 0.001


class ClosedModel:
    """Keeps as many users running as the phase wants."""

    def __init__(
        self,
        flows: Sequence[Flow],
        runner: FlowRunner,
        recorder: Recorder,
        *,
        profile: Profile,
        phases: Sequence[PhasePlan],
        targets: Sequence[UserTarget],
        start_ns: int,
        most_requests: int,
        rng: random.Random,
    ) -> None:
        self._runner = runner
        self._recorder = recorder
        self._phases = phases
        self._targets = targets
        self._most_requests = most_requests
        self._think = None if profile.load.think is None else Think(profile.load.think)
        self._start_ns = start_ns
        self._rng = rng
        self._choices = [_choices(flows, phase) for phase in profile.load.phases]
        self._users: set[Any] = set()
        self._wanted = 0
        self._phase = 0
        self._driver: Any = None

    def start(self, environment: Any) -> None:
        """Begins to follow the plan of users."""
        self._driver = gevent.spawn(self._follow, environment)

    def finished(self) -> bool:
        """Whether the plan has come to its end, and all users with it."""
        return self._driver is not None and self._driver.ready() and not self._users

    def stop(self) -> None:
        """Lets each user end its request, and begins nothing more."""
        self._wanted = 0
        if self._driver is not None:
            self._driver.kill(block=True, timeout=5)

    def cut(self) -> dict[str, int]:
        """Ends what still runs; the requests that have no outcome, by the number of their step."""
        gevent.killall([user.greenlet for user in self._users], block=True, timeout=5)
        return self._runner.cut_by_step()

    def _follow(self, environment: Any) -> None:
        sleeper = Sleeper()
        try:
            sleeper.wait_until(self._start_ns)
            for target in self._targets:
                sleeper.wait_until(self._start_ns + target.at_us * 1000)
                self._phase = target.phase
                self._wanted = target.users
                missing = target.users - len(self._users)
                if missing > 0:
                    # A user that was asked to leave and has not left yet is one that stays.
                    self._users.update(environment.runner.spawn_users({FlowUser.__name__: missing}))
                self._recorder.users = target.users
            sleeper.wait_until(self._start_ns + int(self._phases[-1].to_s * _SECOND_NS))
        finally:
            sleeper.close()
            self._wanted = 0
            self._recorder.users = 0

    def serve(self, user: Any) -> None:
        """Runs flows until there are more users than wanted."""
        try:
            while len(self._users) <= self._wanted and self._runner.sent < self._most_requests:
                phase = self._phase
                flows, weights = self._choices[phase]
                flow = flows[0] if len(flows) == 1 else self._rng.choices(flows, weights)[0]
                now_ns = perf_counter_ns()
                self._recorder.offered((now_ns - self._start_ns) // _SECOND_NS, phase, 1, 0)
                sent = self._runner.run(flow, now_ns, phase)
                if sent is None:
                    self._recorder.note(used_up_note(flow.name, "users end"))
                    return
                if self._think is not None:
                    gevent.sleep(self._think.seconds(self._rng))
                elif not sent:
                    # Nothing waited, so nobody else had a turn.
                    gevent.sleep(_PAUSE_S)
        finally:
            self._users.discard(user)


def _choices(flows: Sequence[Flow], phase: Phase) -> tuple[list[Flow], list[float]]:
    """The flows of a phase, and their weights."""
    names = phase.scenarios
    chosen = [flow for flow in flows if names is None or flow.name in names]
    return chosen, [flow.weight for flow in chosen]


class FlowUser(User):
    """A Locust user whose one long task is to run flows."""

    @task
    def serve(self) -> None:
        """Runs flows until the model wants fewer users."""
        model: ClosedModel = self.environment.loadgen_model
        model.serve(self)
        raise StopUser
