"""Scenarios that are ready to run: flows of steps that send requests, and of pauses to think."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from loadgen.answer import Answer
from loadgen.flow.feeds import Feeder
from loadgen.flow.judge import Judge
from loadgen.flow.request import Request
from loadgen.flow.session import Session
from loadgen.profile.model import RangeBetween, RangeExponential, Scenario


class Think:
    """A pause: a fixed one, a uniform one between two times, or an exponential one by its mean."""

    __slots__ = ("_from_s", "_mean_s", "_to_s")

    def __init__(self, think: float | RangeBetween | RangeExponential) -> None:
        self._mean_s = think.exponential if isinstance(think, RangeExponential) else 0.0
        self._from_s = self._to_s = think if isinstance(think, float | int) else 0.0
        if isinstance(think, RangeBetween):
            self._from_s, self._to_s = think.between

    def seconds(self, rng: random.Random) -> float:
        """How long it lasts this time."""
        if self._mean_s:
            return rng.expovariate(1 / self._mean_s)
        return rng.uniform(self._from_s, self._to_s)


class FlowStep:
    """A step that sends a request."""

    __slots__ = ("_judge", "_request", "index", "is_head", "name", "timeout_s")

    def __init__(
        self, index: int, name: str, timeout_s: float, request: Request, judge: Judge
    ) -> None:
        self.index = index
        self.name = name
        self.timeout_s = timeout_s
        self.is_head = request.method == "HEAD"
        self._request = request
        self._judge = judge

    def render(self, session: Session) -> bytes:
        """The whole HTTP/1.1 request.

        Raises:
            RenderError: data that it needs are missing, or do not fit where they belong.
        """
        return self._request.render(session)

    def judge(self, answer: Answer, session: Session) -> int:
        """The code of the answer's kind; marks the session as failed when the flow must end."""
        return self._judge.kind(answer, session)


class Flow:
    """A scenario, ready to run."""

    __slots__ = ("_ended", "_feeds", "_injector", "_iterations", "_rng", "items", "name", "weight")

    def __init__(
        self,
        scenario: Scenario,
        items: Sequence[FlowStep | Think],
        feeds: Mapping[str, Feeder],
        *,
        rng: random.Random,
        injector: int,
        iterations: Iterator[int],
    ) -> None:
        self.name = scenario.name
        self.weight = scenario.weight
        self.items = tuple(items)
        self._feeds = tuple(feeds.items())
        self._rng = rng
        self._injector = injector
        self._iterations = iterations
        self._ended = False

    def drop_last_pauses(self) -> None:
        """Leaves out pauses that no request follows: an arrival does not come back."""
        while self.items and isinstance(self.items[-1], Think):
            self.items = self.items[:-1]

    def session(self) -> Session | None:
        """A new run of this flow, with a row of each feed; None when one of them has ended."""
        rows: dict[str, Mapping[str, JsonValue]] = {}
        for name, feeder in () if self._ended else self._feeds:
            row = feeder.draw()
            if row is None:
                self._ended = True
                break
            rows[name] = row
        if self._ended:
            return None
        return Session(rows, self._rng, self._injector, next(self._iterations))
