"""One load run from beginning to end: prepare, send, look back, judge, hand over."""

from __future__ import annotations

import secrets
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from core.aws.session import LocalAccess
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, ToolError
from core.interrupt import StopRequest
from core.located_yaml import read_document
from loadgen.auth.given import secrets_in
from loadgen.conduct import Course
from loadgen.cost import spent
from loadgen.cost_parts import Seen, with_parts
from loadgen.guards import ASK_ABOVE_REQUESTS, ASK_ABOVE_USD
from loadgen.look_back import Hindsight, LookBack
from loadgen.measured import measured_of
from loadgen.options import RunOptions
from loadgen.plan_view import plan_document, show_plan
from loadgen.preflight.beside_run import beside, prediction_of
from loadgen.preparation import (
    Prepared,
    access,
    prepare,
    read_options,
    recorded_arguments,
)
from loadgen.raw_data import raw_data
from loadgen.redact import Secrets
from loadgen.result import LoadFacts, Stop, build_document, step_uses
from loadgen.sending import Sending
from loadgen.telemetry.gather import warnings_of
from loadgen.thresholds import evaluate
from loadgen.validity import InjectorEnd, judge
from loadgen.view import show_document
from reports.exports import check_exports, export_document
from reports.figures import usd
from reports.load_document import LoadDocument
from reports.load_prediction import LoadPrediction
from reports.run_folder import create_run_folder, document_text, write_document


def run_load(options: RunOptions, console: Console) -> ExitCode:
    """Runs a profile and gives the exit code of its verdict.

    Raises:
        ToolError: when the run ends before anything was sent.
    """
    check_exports(options.exports, json_output=console.json_output)
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
    return _deliver(document, options, console)


class _Run:
    """What has a folder: sending, what is found out afterwards, and the result."""

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
        self._sending = Sending(options, prepared, console)

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
                course = self._sending.send(folder, stop)
            except ToolError:
                # Nothing was sent, so there is nothing to keep.
                shutil.rmtree(folder)
                raise
            stop.announce(
                on_first=lambda: self._console.warn("the result is being written"),
                abandon=lambda: self._console.warn(f"left at once: the frames are in {folder}"),
            )
            seen = LookBack(
                self._prepared, self._sending.tally, course, folder, stop, self._console
            ).hindsight()
            document = self._judged(course, started, seen, stop)
            files = raw_data(folder, self._prepared.profile.load.processes)
            document = document.model_copy(update={"raw_files": files})
            return self._written(folder, document)

    def _secrets(self) -> Secrets:
        """All that must not be written, of other environments of the file as well."""
        known = self._prepared.sources.secret_values()
        return Secrets(known | secrets_in(read_document(self._prepared.file.text).value))

    def _judged(
        self,
        course: Course,
        started: datetime,
        seen: Hindsight,
        stop: StopRequest,
    ) -> LoadDocument:
        prepared, profile, tally = self._prepared, self._prepared.profile, self._sending.tally
        telemetry = seen.telemetry
        ends = _ends(course, profile.load.processes)
        stopped = _stop_of(course, stop)
        if stopped is not None:
            tally.until_us = int(stopped.at_s * 1e6)
        uses = step_uses(tally, ends)
        facts = LoadFacts(
            profile=profile,
            search=self._sending.search_part(),
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
            notes=[*prepared.notes, *course.notes, *seen.notes],
            statuses=seen.statuses,
            telemetry=telemetry.part if telemetry else None,
            by_request=seen.by_request,
        )
        validity = judge(measured_of(tally), profile, ends, planned=self._sending.planned(stopped))
        if telemetry is not None:
            warnings = [*validity.warnings, *warnings_of(telemetry.part)]
            validity = validity.model_copy(update={"warnings": warnings})
        results = evaluate(prepared.rules, tally, self._sending.abort)
        cost = with_parts(
            spent(prepared.tariff, uses),
            prepared.list_tariff,
            uses,
            Seen(facts.telemetry, tally.totals(range(len(tally.phases))).bytes_in),
            billed=prepared.tariff.billing != "local",
        )
        document = build_document(facts, tally, results, validity, cost)
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


def _deliver(document: LoadDocument, options: RunOptions, console: Console) -> ExitCode:
    """Shows and writes `document`; gives its exit code.

    Raises:
        InputError: when an export cannot be written; the answer has been shown by then.
    """
    show_document(console, document)
    if options.chart:
        from reports.chart_view import show_charts

        show_charts(console, [document])
    for spec in options.exports:
        console.say(f"written: {export_document(document, spec)}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(document.exit_code)
