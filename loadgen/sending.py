"""Sending of a load run: injectors, books, guards and thresholds, until something ends it."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from core.console import Console
from core.interrupt import StopRequest
from loadgen.assignments import assignments
from loadgen.auth.refresh import RefreshLoop
from loadgen.conduct import Conductor, Course, StoppedBy
from loadgen.cost import spent
from loadgen.frames_file import FRAMES_NAME, FramesWriter
from loadgen.guards import Guard, Progress
from loadgen.injectors import Injectors
from loadgen.live import live_view
from loadgen.messages import Frame
from loadgen.options import RunOptions
from loadgen.preflight.measured import kinds_by_step
from loadgen.preparation import Prepared
from loadgen.quota.use import quota_stop, used_quotas
from loadgen.result import Stop, step_uses
from loadgen.schedule import PhasePlan, arrivals
from loadgen.search.document import search_part
from loadgen.steered.steer import step_back
from loadgen.steered.steering import Steering
from loadgen.tally import Tally
from loadgen.thresholds import Abort, check
from loadgen.web_ui_feed import WebUi
from reports.load_search import SearchPart

if TYPE_CHECKING:
    from loadgen.search.finding import SearchFinding


class Sending:
    """Sends once; `tally` has what became of the arrivals, `abort` the threshold that ended it."""

    def __init__(self, options: RunOptions, prepared: Prepared, console: Console) -> None:
        self.tally = Tally(prepared.phases, prepared.steps)
        self.abort: Abort | None = None
        self._options = options
        self._prepared = prepared
        self._console = console
        self._guard = Guard(prepared.profile.guards, closed=prepared.profile.load.model == "closed")
        self._search: SearchFinding | None = None
        self._steered = 0  # arrivals that a search planned

    def send(self, folder: Path, stop: StopRequest) -> Course:
        """Sends until the schedule, a guard, a threshold or `stop` ends it.

        Raises:
            ToolError: before anything was sent.
        """
        prepared, profile = self._prepared, self._prepared.profile
        longest_s = prepared.expected.duration_s + profile.load.drain_s
        with ExitStack() as stack:
            frames = stack.enter_context(FramesWriter(folder / FRAMES_NAME))
            search = _search_phase(prepared)
            given = assignments(prepared, folder, steered_from=search.index if search else None)
            injectors = stack.enter_context(Injectors(given))
            step_back()
            stack.enter_context(RefreshLoop(prepared.sources, injectors.update))
            update = stack.enter_context(
                live_view(
                    self._console,
                    prepared.rules,
                    0.0 if search else prepared.expected.duration_s,
                )
            )
            feed = self._web_ui(stack, stop)
            steering = self._steering(search, injectors, folder) if search else None
            course = Conductor(
                injectors,
                self.tally,
                frames,
                stop=stop,
                longest_s=longest_s,
                watches=[self._watch_thresholds, self._watch_guards],
                on_second=update,
                on_frame=feed,
                steering=steering,
            ).run()
        if steering is not None:
            self._search, self._steered = steering.finding, steering.planned
        if course.stopped_by is None and (found := self._watch_guards(self.tally, course.ended_s)):
            course.stopped_by, course.stop_reason = found
            course.stopped_at_s = course.ended_s
        return course

    def _steering(
        self, search: PhasePlan, injectors: Injectors, folder: Path
    ) -> Steering[SearchFinding]:
        # With it comes scipy, which no other run needs.
        from loadgen.search.plan import search_plan

        profile = self._prepared.profile
        phase = profile.load.phases[search.index]
        return Steering(
            search_plan(profile, phase),
            injectors,
            self.tally,
            count=profile.load.processes,
            folder=folder,
            seed=self._prepared.seed,
            first_us=round(search.from_s * 1e6),
            patience_s=profile.load.drain_s,
            name=phase.name,
        )

    def _web_ui(self, stack: ExitStack, stop: StopRequest) -> Callable[[Frame], None]:
        """Shows frames in Locust's web UI, if it is asked for."""
        if self._options.ui is None:
            return lambda frame: None
        base_url = self._prepared.resolved.base_url
        ui = stack.enter_context(WebUi(self._options.ui, base_url, stop.request))
        self._console.say(f"web UI: {ui.url}")
        return lambda frame: ui.feed(frame, self.tally)

    def search_part(self) -> SearchPart | None:
        """What a phase that searches found, if it ran."""
        search = _search_phase(self._prepared)
        if search is None or self._search is None:
            return None
        profile = self._prepared.profile
        return search_part(profile, profile.load.phases[search.index], self._search)

    def _watch_thresholds(self, tally: Tally, now_s: float) -> tuple[StoppedBy, str] | None:
        self.abort = check(self._prepared.rules, tally, now_s)
        if self.abort is None:
            return None
        return "threshold", f"{self.abort.that} does not hold for {self.abort.scope}"

    def _watch_guards(self, tally: Tally, now_s: float) -> tuple[StoppedBy, str] | None:
        everywhere = range(len(tally.phases))
        seconds = range(max(0, int(now_s) - 3), int(now_s))
        progress = Progress(
            sent=tally.arrivals(everywhere).sent,
            sent_by_second=[tally.arrivals(everywhere, range(s, s + 1)).sent for s in seconds],
            cost=spent(self._prepared.tariff, step_uses(tally, [])),
        )
        reason = self._guard.reason_to_stop(progress) or self._beyond_quota(tally)
        return None if reason is None else ("guard", reason)

    def _beyond_quota(self, tally: Tally) -> str | None:
        most = self._prepared.profile.guards.max_quota_share
        if most is None:
            return None
        return quota_stop(used_quotas(self._prepared.limits), kinds_by_step(tally), most)

    def planned(self, stopped: Stop | None) -> int | None:
        """How many arrivals the schedule has until the run ended; None where users decide."""
        prepared = self._prepared
        if prepared.profile.load.model != "open":
            return None
        until_us = math.inf if stopped is None else stopped.at_s * 1e6
        count = self._steered
        for chunk in arrivals(prepared.profile, prepared.phases, prepared.seed, 0, 1):
            count += int((chunk.at_us < until_us).sum())
            if chunk.at_us[-1] >= until_us:
                break
        return count


def _search_phase(prepared: Prepared) -> PhasePlan | None:
    """The phase that searches, which is the last one; None where the schedule is known."""
    last = prepared.phases[-1]
    return last if last.kind == "search" else None
