"""The time while injectors send: their frames are booked, limits watched, and stops passed on."""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from core.interrupt import StopRequest
from loadgen.frames_file import FramesWriter
from loadgen.injectors import Ended, Injectors
from loadgen.messages import Drained, Frame, NewSteps, SegmentDone
from loadgen.steered.steering import Steering
from loadgen.tally import Tally

_POLL_S = 0.1
# Beyond the drain: an injector that has said nothing by then will not.
_GRACE_S = 20.0
# So many looks in vain after that. A command that was stopped for a while (Ctrl-Z, a machine that
# slept) finds all that its injectors said in the meantime, and takes it first.
_LOOKS_IN_VAIN = 20

StoppedBy = Literal["guard", "threshold", "signal", "injector"]


class Watch(Protocol):
    """Looks at the figures once a second."""

    def __call__(self, tally: Tally, now_s: float) -> tuple[StoppedBy, str] | None:
        """Why the run has to stop, if it has to; `now_s` counts from its beginning."""


@dataclass(slots=True)
class Course:
    """How a run went, beside its figures."""

    started_unix_s: float
    ended_s: float = 0.0  # since the beginning
    ends: dict[int, Ended] = field(default_factory=dict)
    ended_at_s: dict[int, float] = field(default_factory=dict)
    frames: dict[int, int] = field(default_factory=dict)
    drained: dict[int, Drained] = field(default_factory=dict)
    stopped_by: StoppedBy | None = None
    stop_reason: str = ""
    stopped_at_s: float = math.inf
    notes: list[str] = field(default_factory=list)


class Conductor:
    """Follows one run from its start to the last word of the last injector."""

    def __init__(
        self,
        injectors: Injectors,
        tally: Tally,
        frames: FramesWriter,
        *,
        stop: StopRequest,
        longest_s: float,
        watches: Sequence[Watch],
        on_second: Callable[[Tally, float], None],
        on_frame: Callable[[Frame], None] = lambda frame: None,
        steering: Steering[Any] | None = None,
    ) -> None:
        self._injectors = injectors
        self._tally = tally
        self._frames = frames
        self._stop = stop
        self._longest_s = longest_s
        self._watches = watches
        self._on_second = on_second
        self._on_frame = on_frame
        self._steering = steering

    def run(self) -> Course:
        """Starts the injectors and gives the course of the run when all have ended."""
        course = Course(self._injectors.begin())
        # Somebody may set the clock of the day while it goes on.
        start_s = time.monotonic() + course.started_unix_s - time.time()
        waiting = set(range(len(self._injectors.pids)))
        next_look_s = 1.0
        in_vain = 0
        while waiting:
            now_s = time.monotonic() - start_s
            try:
                injector, event = self._injectors.events.get(timeout=_POLL_S)
            except queue.Empty:
                in_vain += now_s > self._longest_s + _GRACE_S
                if in_vain > _LOOKS_IN_VAIN:
                    self._give_up(course, waiting)
                    break
            else:
                self._book(course, injector, event, now_s)
                if isinstance(event, Ended):
                    waiting.discard(injector)
            now_s = time.monotonic() - start_s
            self._steer(course, now_s)
            if self._stop.requested:
                self._ask_to_stop(course, "signal", "interrupted", now_s)
            if now_s >= next_look_s:
                next_look_s = math.floor(now_s) + 1.0
                self._look(course, now_s)
        course.ended_s = time.monotonic() - start_s
        return course

    def _steer(self, course: Course, now_s: float) -> None:
        """Goes on with the plan, if there is one; it decides how long the run takes."""
        steering = self._steering
        if steering is None or steering.over or course.stopped_by is not None:
            return
        steering.next_if_idle(now_s)
        self._longest_s = steering.latest_s(now_s)

    def _book(self, course: Course, injector: int, event: object, now_s: float) -> None:
        if isinstance(event, Frame):
            course.frames[injector] = course.frames.get(injector, 0) + 1
            self._keep(course, event)
            try:
                self._tally.add(event)
            except ValueError as error:
                # It stays missing in the books, which makes the run invalid.
                self._ask_to_stop(course, "injector", f"a damaged frame came: {error}", now_s)
                return
            self._on_frame(event)
        elif isinstance(event, SegmentDone):
            if self._steering is not None:
                self._steering.done(event, now_s)
        elif isinstance(event, NewSteps):
            self._keep(course, event)
            self._tally.add_steps(event)
        elif isinstance(event, Drained):
            course.drained[injector] = event
            self._keep(course, event)
            self._tally.add_drained(event)
        elif isinstance(event, Ended):
            course.ends[injector] = event
            course.ended_at_s[injector] = now_s
            if injector not in course.drained:
                # What the others measure from now on is another load than the planned one.
                reason = f"injector {injector} {event.reason}"
                self._ask_to_stop(course, "injector", reason, now_s)

    def _keep(self, course: Course, event: Frame | NewSteps | Drained) -> None:
        """Writes what came to the disk; without it there is still the result."""
        try:
            self._frames.write(event)
        except OSError as error:
            note = f"could not keep all frames in {self._frames.path}: {error.strerror or error}"
            if note not in course.notes:
                course.notes.append(note)

    def _look(self, course: Course, now_s: float) -> None:
        self._on_second(self._tally, now_s)
        if self._steering is not None:
            self._steering.look(now_s)
        if course.stopped_by is not None:
            return
        for watch in self._watches:
            found = watch(self._tally, now_s)
            if found is not None:
                self._ask_to_stop(course, *found, now_s)
                return

    def _ask_to_stop(self, course: Course, by: StoppedBy, reason: str, now_s: float) -> None:
        if course.stopped_by is None:
            course.stopped_by, course.stop_reason = by, reason
            course.stopped_at_s = max(now_s, 0.0)
            self._injectors.stop()
            if self._steering is not None:
                self._steering.stop(reason, now_s)

    def _give_up(self, course: Course, waiting: set[int]) -> None:
        reason = f"injector(s) {', '.join(map(str, sorted(waiting)))} did not end in time"
        self._ask_to_stop(course, "injector", reason, self._longest_s)
