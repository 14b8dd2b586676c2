"""Runs a plan with injectors of its own, from its first segment to its finding."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from core.interrupt import StopRequest
from loadgen.assignments import assignments
from loadgen.auth.refresh import RefreshLoop
from loadgen.conduct import Conductor, Course, Watch
from loadgen.frames_file import FRAMES_NAME, FramesWriter
from loadgen.injectors import Injectors
from loadgen.preparation import Prepared
from loadgen.steered.segment import Found, Plan
from loadgen.steered.steering import Steering
from loadgen.tally import Tally

_NICE = 10


@dataclass(frozen=True, slots=True)
class Steered(Generic[Found]):
    """How a steered load went; its phases are those of `tally`, one for each segment."""

    finding: Found | None  # None: it was stopped before it found anything
    course: Course
    tally: Tally


def steer(
    prepared: Prepared,
    plan: Plan[Found],
    folder: Path,
    *,
    stop: StopRequest,
    spread: int = 0,
    watches: Sequence[Watch] = (),
    on_second: Callable[[Tally, float], None] = lambda tally, now_s: None,
) -> Steered[Found]:
    """Sends what `plan` asks for; the schedule of the profile itself is left out.

    Requests go to one of `spread` connections at random. Frames and records go to `folder`.

    Raises:
        InputError: an injector cannot begin with what the profile says.
        ToolError: one did not come up.
    """
    load = prepared.profile.load
    tally = Tally((), prepared.steps)
    with ExitStack() as stack:
        frames = stack.enter_context(FramesWriter(folder / FRAMES_NAME))
        given = assignments(prepared, folder, steered_from=0, spread=spread)
        injectors = stack.enter_context(Injectors(given))
        step_back()
        stack.enter_context(RefreshLoop(prepared.sources, injectors.update))
        steering = Steering(
            plan,
            injectors,
            tally,
            count=load.processes,
            folder=folder,
            seed=prepared.seed,
            first_us=0,
            patience_s=load.drain_s,
        )
        course = Conductor(
            injectors,
            tally,
            frames,
            stop=stop,
            longest_s=load.drain_s,
            watches=watches,
            on_second=on_second,
            steering=steering,
        ).run()
    return Steered(steering.finding, course, tally)


def step_back() -> None:
    """From now on injectors go first, where they share a core with what counts and shows."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
