"""`loadgen limits`: prepare, show what is going to happen, send, judge, hand over."""

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
from loadgen.cost import spent
from loadgen.guards import ASK_ABOVE_REQUESTS, ASK_ABOVE_USD
from loadgen.live import live_view
from loadgen.preparation import access, read_options, recorded_arguments
from loadgen.probe.options import LimitsOptions
from loadgen.probe.plan import probe
from loadgen.probe.plan_view import plan_document, show_plan
from loadgen.probe.preparing import CONNECTIONS, Ready, ready
from loadgen.probe.result import ProbeFacts, build_document, judged
from loadgen.probe.seen import Seen, Took
from loadgen.probe.view import show_limits
from loadgen.redact import Secrets
from loadgen.result import step_uses
from loadgen.steered.steer import Steered, steer
from reports.exports import check_exports, export_document
from reports.figures import usd
from reports.limits_document import LimitsDocument
from reports.run_folder import RESULT_NAME, create_run_folder, document_text, write_document


def run_limits(options: LimitsOptions, console: Console) -> ExitCode:
    """Probes the limit of a profile's API and gives the exit code of the verdict.

    Raises:
        ToolError: when it ends before anything was sent.
    """
    check_exports(options.exports, json_output=console.json_output)
    file, profile = read_options(options.of_a_run)
    with access(options.of_a_run, file, profile) as local:
        probing = ready(options, file, profile, local, console.warn)
        show_plan(console, probing, is_answer=options.dry_run)
        if options.dry_run:
            if console.json_output:
                console.document(plan_document(probing))
            return ExitCode.PASS
        if not options.yes:
            _confirm(probing, console)
        document = _Run(options, probing, local, console).run()
    return _deliver(document, options, console)


def _confirm(probing: Ready, console: Console) -> None:
    """Asks when the probe may cost more than a dollar, or nobody knows how much."""
    known = probing.prediction.known
    cost = probing.cost if known else probing.worst
    if cost.most_usd is not None and cost.most_usd > ASK_ABOVE_USD:
        confirm(f"the probe may cost up to {usd(cost.most_usd)}", "start it?", console)
    most = probing.prediction.admitted if known else probing.setup.caps.max_admitted
    billed = probing.prepared.tariff.billing in ("rest", "http", "function_url")
    if cost.most_usd is None and billed and most > ASK_ABOVE_REQUESTS:
        confirm(f"what the probe costs is not known: {most:,.0f} requests", "start it?", console)


class _Run:
    """The part of a probe that sends."""

    def __init__(
        self, options: LimitsOptions, probing: Ready, local: LocalAccess | None, console: Console
    ) -> None:
        self._options = options
        self._probing = probing
        self._local = local
        self._console = console

    def run(self) -> LimitsDocument:
        """Sends, and gives the document of what came of it."""
        started = datetime.now(UTC)
        name = self._probing.prepared.profile.name
        with StopRequest() as stop:
            stop.announce(
                on_first=lambda: self._console.warn(
                    "stopping: requests in flight may end, then the result is written; "
                    "Ctrl-C again leaves at once"
                ),
                abandon=lambda: self._console.warn("left at once: the result is not written"),
            )
            folder = create_run_folder(self._options.runs, "limits", name, started)
            try:
                steered = self._steered(folder, stop)
            except ToolError:
                shutil.rmtree(folder)  # nothing was sent, so there is nothing to keep
                raise
            document = self._document(steered, started, stop)
            return self._written(folder, document)

    def _steered(self, folder: Path, stop: StopRequest) -> Steered[Seen]:
        probing = self._probing
        with live_view(self._console, [], probing.prediction.length_s) as update:
            return steer(
                probing.prepared,
                probe(probing.setup),
                folder,
                stop=stop,
                spread=CONNECTIONS,
                on_second=update,
            )

    def _document(
        self, steered: Steered[Seen], started: datetime, stop: StopRequest
    ) -> LimitsDocument:
        probing, prepared = self._probing, self._probing.prepared
        seen = steered.finding or Seen((), (), Took())
        course = steered.course
        errors = []
        if course.stopped_by is not None and course.stopped_by != "signal":
            errors.append(f"the probe was stopped: {course.stop_reason}")
        facts = ProbeFacts(
            name=prepared.profile.name,
            target=prepared.resolved.facts,
            setup=probing.setup,
            choice=probing.choice,
            step=prepared.steps[probing.setup.base.step],
            configured=probing.configured,
            notes=[*prepared.notes, *probing.notes, *course.notes],
            started=started,
            finished=datetime.now(UTC),
            seed=prepared.seed,
            run_id=secrets.token_hex(6),
            command=recorded_arguments(["loadgen", *sys.argv[1:]]),
            profile_file=str(prepared.file.path),
            profile_sha256=prepared.file.sha256,
            profile_text=self._secrets().hide(prepared.file.text),
            environment=prepared.file.environment,
            processes=prepared.profile.load.processes,
            endpoint=self._local.endpoint_url if self._local else None,
            estimated_usd=probing.cost.most_usd,
            errors=errors,
            interrupted=stop.exit_code if course.stopped_by == "signal" else None,
        )
        cost = spent(prepared.tariff, step_uses(steered.tally, []))
        document = build_document(facts, seen, judged(seen, probing.setup.base), cost)
        return LimitsDocument.model_validate(self._secrets().hide_in(document.model_dump()))

    def _secrets(self) -> Secrets:
        prepared = self._probing.prepared
        given = secrets_in(read_document(prepared.file.text).value)
        return Secrets(prepared.sources.secret_values() | given)

    def _written(self, folder: Path, document: LimitsDocument) -> LimitsDocument:
        """`document`, with the error where it could not be written: it is shown all the same."""
        try:
            self._console.say(f"result: {write_document(folder, document)}")
        except ToolError as error:
            errors = [*document.errors, f"could not write {folder / RESULT_NAME}: {error}"]
            return document.model_copy(update={"exit_code": int(ExitCode.ERROR), "errors": errors})
        return document


def _deliver(document: LimitsDocument, options: LimitsOptions, console: Console) -> ExitCode:
    show_limits(console, document)
    if options.chart:
        from reports.chart_view import show_charts

        show_charts(console, [document])
    for spec in options.exports:
        console.say(f"written: {export_document(document, spec)}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(document.exit_code)
