"""One load run from beginning to end: prepare, send, find causes, judge, hand over."""

from __future__ import annotations

import math
import secrets
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.aws.session import LocalAccess
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, ToolError
from core.interrupt import StopRequest
from core.located_yaml import read_document
from loadgen.assignments import assignments
from loadgen.auth.given import secrets_in
from loadgen.auth.refresh import RefreshLoop
from loadgen.by_request import ByRequest, by_request
from loadgen.conduct import Conductor, Course, StoppedBy
from loadgen.cost import spent
from loadgen.evidence import Waiting, gather, not_asked
from loadgen.frames_file import FRAMES_NAME, FramesWriter
from loadgen.guards import ASK_ABOVE_REQUESTS, ASK_ABOVE_USD, Guard, Progress
from loadgen.injectors import Injectors
from loadgen.live import live_view
from loadgen.measured import measured_of
from loadgen.messages import Frame
from loadgen.options import RunOptions
from loadgen.outcome import Kind, Outcome
from loadgen.plan_view import plan_document, show_plan
from loadgen.preflight.beside_run import beside, prediction_of
from loadgen.preflight.measured import kinds_by_step
from loadgen.preparation import (
    Prepared,
    access,
    prepare,
    read_options,
    recorded_arguments,
)
from loadgen.quota.use import quota_stop, used_quotas
from loadgen.reattribution import reattribute
from loadgen.records import read_records
from loadgen.redact import Secrets
from loadgen.result import LoadFacts, Stop, build_document, step_uses
from loadgen.schedule import PhasePlan, arrivals
from loadgen.search.document import search_part
from loadgen.statuses import count_statuses
from loadgen.steered.steer import step_back
from loadgen.steered.steering import Steering
from loadgen.tally import Tally
from loadgen.telemetry.after_run import telemetry_after_run
from loadgen.telemetry.gather import Telemetry, warnings_of
from loadgen.thresholds import Abort, check, evaluate
from loadgen.validity import InjectorEnd, judge
from loadgen.view import show_document
from loadgen.web_ui_feed import WebUi
from reports.exports import check_exports, export_document
from reports.figures import usd
from reports.load_document import LoadDocument
from reports.load_prediction import LoadPrediction
from reports.load_search import SearchPart
from reports.run_folder import create_run_folder, document_text, write_document

if TYPE_CHECKING:
    from loadgen.search.finding import SearchFinding


def run_load(options: RunOptions, console: Console) -> ExitCode:
    """Runs a profile and gives the exit code of its verdict.

    Raises:
        ToolError: when the run ends before anything was sent.
    """
    check_exports(options.exports)
    file, profile = read_options(options)
    with access(options, file, profile) as local:
        prepared = prepare(file, profile, local, warn=console.warn)
        show_plan(
            console,
            *prepared.plan,
            seed=prepared.seed,
            notes=prepared.notes,
            is_answer=options.dry_run,
        )
        if options.dry_run:
            if console.json_output:
                console.document(plan_document(*prepared.plan, notes=prepared.notes))
            return ExitCode.PASS
        if not options.yes:
            _confirm_cost(prepared, console)
        prediction = prediction_of(prepared)
        document = _Run(options, prepared, local, console, prediction).run()
    return _deliver(document, options.exports, console)


class _Run:
    """The part of a run that sends: its folder, its books, and how it ended."""

    def __init__(
        self,
        options: RunOptions,
        prepared: Prepared,
        local: LocalAccess | None,
        console: Console,
        prediction: LoadPrediction | None,
    ) -> None:
        self._options = options
        self._prediction = prediction
        self._prepared = prepared
        self._console = console
        self._endpoint = local.endpoint_url if local else None
        self._tally = Tally(prepared.phases, prepared.steps)
        self._guard = Guard(prepared.profile.guards, closed=prepared.profile.load.model == "closed")
        self._abort: Abort | None = None
        self._statuses: dict[str, int] = {}
        self._by_request = ByRequest()
        self._kinds: NDArray[np.uint16] | None = None  # of all records, as they are known
        self._search: SearchFinding | None = None
        self._steered = 0  # arrivals that a search planned

    def run(self) -> LoadDocument:
        """Sends, and gives the document of what came of it."""
        started = datetime.now(UTC)
        with StopRequest() as stop:
            stop.announce(
                on_first=lambda: self._console.warn(
                    "stopping: requests in flight may end, then the result is written; "
                    "Ctrl-C again leaves at once"
                ),
                abandon=lambda: self._console.warn("left at once: the result is not written"),
            )
            folder = create_run_folder(
                self._options.runs, "load", self._prepared.profile.name, started
            )
            try:
                course = self._send(folder, stop)
            except ToolError:
                # Nothing was sent, so there is nothing to keep.
                shutil.rmtree(folder)
                raise
            stop.announce(
                on_first=lambda: self._console.warn("the result is being written"),
                abandon=lambda: self._console.warn(f"left at once: the frames are in {folder}"),
            )
            self._statuses = count_statuses(read_records(folder), self._tally.measured)
            notes = [*course.notes, *self._find_causes(folder, course, stop)]
            telemetry = self._telemetry(folder, course, notes, stop)
            self._by_request = self._look_at_requests(folder, telemetry)
            document = self._judged(course, started, notes, stop, telemetry)
            return self._written(folder, document)

    # -- sending ---------------------------------------------------------------------------------

    def _send(self, folder: Path, stop: StopRequest) -> Course:
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
                self._tally,
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
        if course.stopped_by is None and (found := self._watch_guards(self._tally, course.ended_s)):
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
            self._tally,
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
        return lambda frame: ui.feed(frame, self._tally)

    def _search_part(self) -> SearchPart | None:
        """What a phase that searches found, if it ran."""
        search = _search_phase(self._prepared)
        if search is None or self._search is None:
            return None
        profile = self._prepared.profile
        return search_part(profile, profile.load.phases[search.index], self._search)

    def _watch_thresholds(self, tally: Tally, now_s: float) -> tuple[StoppedBy, str] | None:
        self._abort = check(self._prepared.rules, tally, now_s)
        if self._abort is None:
            return None
        return "threshold", f"{self._abort.that} does not hold for {self._abort.scope}"

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

    # -- after it --------------------------------------------------------------------------------

    def _find_causes(self, folder: Path, course: Course, stop: StopRequest) -> list[str]:
        """Names causes that the wire could not tell; gives what a user should know of it."""
        prepared = self._prepared
        why_not = not_asked(prepared.profile)
        if not prepared.profile.output.records or prepared.profile.locustfile is not None:
            return self._if_refused(why_not)
        files = read_records(folder)
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
                course.started_unix_s,
                self._console.detail,
                waiting=Waiting(stopped=lambda: stop.requested),
            )
        except ToolError as error:
            return [f"causes could not be looked up: {error}"]
        reattribute(self._tally, records, findings.new_kinds)
        self._kinds = findings.new_kinds
        return [*findings.notes, *self._if_refused(why_not)]

    def _telemetry(
        self, folder: Path, course: Course, notes: list[str], stop: StopRequest
    ) -> Telemetry | None:
        """What AWS saw of the run; adds to `notes` why that is not known."""
        try:
            found = telemetry_after_run(
                self._prepared, self._tally, course, folder, self._console.say, stop
            )
        except ToolError as error:
            notes.append(f"metrics and logs of the run are unknown: {error}")
            return None
        notes += found.part.notes if found else ()
        return found

    def _look_at_requests(self, folder: Path, telemetry: Telemetry | None) -> ByRequest:
        """What records, and traces where there are any, tell of where the time went."""
        files = read_records(folder)
        if not sum(len(records) for records in files):
            return ByRequest()
        records = np.concatenate(files)
        # Injectors that run a locustfile number its requests as they come, each in its own order.
        alike = self._prepared.profile.locustfile is None or len(files) == 1
        return by_request(
            records,
            telemetry.traces if telemetry else None,
            records["kind"] if self._kinds is None else self._kinds,
            self._tally.steps if alike else (),
            self._tally.measured,
            telemetry.part if telemetry else None,
        )

    def _if_refused(self, note: str | None) -> list[str]:
        """`note`, if there are requests of which the responses do not tell all."""
        totals = self._tally.totals(range(len(self._tally.phases)))
        outcomes = {Kind.of(code).outcome for code in totals.counts}
        refused = outcomes & {Outcome.THROTTLED, Outcome.SERVER_ERROR}
        return [note] if note is not None and refused else []

    def _planned(self, stopped: Stop | None) -> int | None:
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

    def _secrets(self) -> Secrets:
        """All that must not be written, of other environments of the file as well."""
        known = self._prepared.sources.secret_values()
        return Secrets(known | secrets_in(read_document(self._prepared.file.text).value))

    def _judged(
        self,
        course: Course,
        started: datetime,
        notes: Sequence[str],
        stop: StopRequest,
        telemetry: Telemetry | None,
    ) -> LoadDocument:
        prepared, profile, tally = self._prepared, self._prepared.profile, self._tally
        ends = _ends(course, profile.load.processes)
        stopped = _stop_of(course, stop)
        if stopped is not None:
            tally.until_us = int(stopped.at_s * 1e6)
        uses = step_uses(tally, ends)
        facts = LoadFacts(
            profile=profile,
            search=self._search_part(),
            profile_file=str(prepared.file.path),
            profile_sha256=prepared.file.sha256,
            profile_text=self._secrets().hide(prepared.file.text),
            environment=prepared.file.environment,
            target=prepared.resolved.facts,
            limits=prepared.limits.configured,
            functions=prepared.functions,
            command=recorded_arguments(["loadgen", *sys.argv[1:]]),
            started=started,
            finished=datetime.now(UTC),
            seed=prepared.seed,
            run_id=secrets.token_hex(6),
            ends=ends,
            stop=stopped,
            endpoint=self._endpoint,
            estimated_usd=prepared.estimate.most_usd,
            notes=[*prepared.notes, *notes],
            statuses=self._statuses,
            telemetry=telemetry.part if telemetry else None,
            by_request=self._by_request,
        )
        validity = judge(measured_of(tally), profile, ends, planned=self._planned(stopped))
        if telemetry is not None:
            warnings = [*validity.warnings, *warnings_of(telemetry.part)]
            validity = validity.model_copy(update={"warnings": warnings})
        results = evaluate(prepared.rules, tally, self._abort)
        document = build_document(facts, tally, results, validity, spent(prepared.tariff, uses))
        document = beside(self._prediction, document, prepared, tally)
        return LoadDocument.model_validate(self._secrets().hide_in(document.model_dump()))

    def _written(self, folder: Path, document: LoadDocument) -> LoadDocument:
        """`document`, with the error where it could not be written: it is shown all the same."""
        try:
            self._console.say(f"result: {write_document(folder, document)}")
        except ToolError as error:
            errors = [*document.errors, str(error)]
            return document.model_copy(update={"exit_code": int(ExitCode.ERROR), "errors": errors})
        return document


def _confirm_cost(prepared: Prepared, console: Console) -> None:
    """Asks when the run may cost more than a dollar."""
    most_usd, requests = prepared.estimate.most_usd, prepared.expected.requests
    if most_usd is not None and most_usd > ASK_ABOVE_USD:
        confirm(f"the run may cost up to {usd(most_usd)}", "start it?", console)
    elif (
        most_usd is None
        and prepared.tariff.billing in ("rest", "http", "function_url")
        and (requests is None or requests > ASK_ABOVE_REQUESTS)
    ):
        # What has no price in the table costs all the same.
        many = "as many requests as users send" if requests is None else f"{requests:,.0f} requests"
        confirm(f"what the run costs is not known: {many}", "start it?", console)


def _ends(course: Course, injectors: int) -> list[InjectorEnd]:
    """How each injector ended."""
    found = []
    for number in range(injectors):
        ended = course.ends.get(number)
        found.append(
            InjectorEnd(
                injector=number,
                frames=course.frames.get(number, 0),
                drained=course.drained.get(number),
                exit_code=ended.code if ended else None,
                ended_at_s=course.ended_at_s.get(number),
                words=ended.words if ended else "",
            )
        )
    return found


def _stop_of(course: Course, stop: StopRequest) -> Stop | None:
    """What ended the run before its schedule did."""
    if course.stopped_by is None:
        return None
    return Stop(course.stopped_by, course.stop_reason, course.stopped_at_s, stop.exit_code)


def _search_phase(prepared: Prepared) -> PhasePlan | None:
    """The phase that searches, which is the last one; None where the schedule is known."""
    last = prepared.phases[-1]
    return last if last.kind == "search" else None


def _deliver(document: LoadDocument, exports: Sequence[str], console: Console) -> ExitCode:
    """Shows and writes `document`; gives its exit code.

    Raises:
        InputError: when an export cannot be written; the answer has been shown by then.
    """
    show_document(console, document)
    for spec in exports:
        console.say(f"written: {export_document(document, spec)}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(document.exit_code)
