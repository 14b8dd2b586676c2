"""What can be found out of a load run once it has ended: causes, telemetry, where the time went."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.console import Console
from core.errors import ToolError
from core.interrupt import StopRequest
from loadgen.by_request import ByRequest, by_request
from loadgen.conduct import Course
from loadgen.evidence import Waiting, gather, not_asked
from loadgen.outcome import Kind, Outcome
from loadgen.preparation import Prepared
from loadgen.reattribution import reattribute
from loadgen.records import read_records
from loadgen.statuses import count_statuses
from loadgen.tally import Tally
from loadgen.telemetry.after_run import telemetry_after_run
from loadgen.telemetry.gather import Telemetry


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What was found out, and what a user should know of what was not."""

    statuses: dict[str, int]
    telemetry: Telemetry | None
    by_request: ByRequest
    notes: tuple[str, ...]


@dataclass(slots=True)
class LookBack:
    """Asks records and AWS for what became of a run; causes that are found are put into `tally`."""

    prepared: Prepared
    tally: Tally
    course: Course
    folder: Path
    stop: StopRequest
    console: Console
    _kinds: NDArray[np.uint16] | None = field(default=None, init=False)  # of all records

    def hindsight(self) -> Hindsight:
        """Looks everything up, as far as it is to be asked and can be."""
        statuses = count_statuses(read_records(self.folder), self.tally.measured)
        notes = self._find_causes()
        telemetry = self._telemetry(notes)
        return Hindsight(statuses, telemetry, self._look_at_requests(telemetry), tuple(notes))

    def _find_causes(self) -> list[str]:
        """Names causes that the wire could not tell; gives what a user should know of it."""
        prepared = self.prepared
        why_not = not_asked(prepared.profile)
        if not prepared.profile.output.records or prepared.profile.locustfile is not None:
            return self._if_refused(why_not)
        files = read_records(self.folder)
        if not sum(len(records) for records in files):
            return []
        records = np.concatenate(files)
        try:
            findings = gather(
                records,
                prepared.steps,
                prepared.limits,
                prepared.resolved,
                prepared.session if prepared.profile.aws.discover else None,
                prepared.profile,
                self.course.started_unix_s,
                self.console.detail,
                waiting=Waiting(stopped=lambda: self.stop.requested),
            )
        except ToolError as error:
            return [f"causes could not be looked up: {error}"]
        reattribute(self.tally, records, findings.new_kinds)
        self._kinds = findings.new_kinds
        return [*findings.notes, *self._if_refused(why_not)]

    def _telemetry(self, notes: list[str]) -> Telemetry | None:
        """What AWS saw of the run; adds to `notes` why that is not known."""
        try:
            found = telemetry_after_run(
                self.prepared,
                self.tally,
                self.course,
                self.folder,
                self.console.say,
                self.stop,
            )
        except ToolError as error:
            notes.append(f"metrics and logs of the run are unknown: {error}")
            return None
        notes += found.part.notes if found else ()
        return found

    def _look_at_requests(self, telemetry: Telemetry | None) -> ByRequest:
        """What records, and traces where there are any, tell of where the time went."""
        files = read_records(self.folder)
        if not sum(len(records) for records in files):
            return ByRequest()
        records = np.concatenate(files)
        # Injectors that run a locustfile number its requests as they come, each in its own order.
        alike = self.prepared.profile.locustfile is None or len(files) == 1
        return by_request(
            records,
            telemetry.traces if telemetry else None,
            records["kind"] if self._kinds is None else self._kinds,
            self.tally.steps if alike else (),
            self.tally.measured,
            telemetry.part if telemetry else None,
        )

    def _if_refused(self, note: str | None) -> list[str]:
        """`note`, if there are requests of which the responses do not tell all."""
        totals = self.tally.totals(range(len(self.tally.phases)))
        outcomes = {Kind.of(code).outcome for code in totals.counts}
        refused = outcomes & {Outcome.THROTTLED, Outcome.SERVER_ERROR}
        return [note] if note is not None and refused else []
