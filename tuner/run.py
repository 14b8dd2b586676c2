"""One tuning from beginning to end: plan, lease, measure, release, answer, result."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.aws.limits import MEMORY_PER_VCPU_MB, vcpu_share
from core.aws.session import AwsSession, LocalAccess
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, Refused, ToolError
from core.interrupt import StopRequest
from core.local_aws import local_aws
from reports.document import TuneDocument
from reports.figures import megabytes, usd
from reports.run_folder import create_run_folder, write_document
from tuner.conduct import Place, conduct
from tuner.delivery import deliver
from tuner.facts import RunFacts, recorded_command
from tuner.interference import check_free
from tuner.journal import state_folder
from tuner.objective import SloLimit
from tuner.options import TuneOptions, TuneRequest, check_options
from tuner.plan import ASK_ABOVE_USD, FixedPlan, Plan, doubts, snap_start_note
from tuner.restore import offer_restore
from tuner.sample import Sample
from tuner.slo import too_few_note
from tuner.strategy import make_plan, sizes_for_cold
from tuner.target import Target, read_target
from tuner.usage import given_usage, read_usage
from tuner.view import plan_document, show_plan

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from tuner.analysis import Answer


def tune(options: TuneOptions, console: Console) -> ExitCode:
    """Tunes one function and gives the exit code of the run.

    Raises:
        ToolError: when the run ends before anything was measured.
    """
    request = check_options(options)
    with _access(options) as local:
        session = AwsSession(region=options.region, profile=options.profile, local=local)
        request.prices.check_region(session.region)
        control = session.control_lambda()
        target = read_target(control, options.function, session.region)
        check_free(target)
        _check_reports(target)
        facts = _facts(request, session, control, target)
        _note_host(facts, local)
        offer_restore(target, facts.endpoint, console)
        show_plan(console, target, session.region, facts.plan, facts.price)
        if options.dry_run:
            if console.json_output:
                console.document(plan_document(target, session.region, facts.plan, facts.price))
            return ExitCode.PASS
        if not options.yes:
            _confirm_cost(facts, console)
        if request.usage.reads_aws:
            facts.usage = read_usage(request.usage, session, control, target, facts.started)
        document = _run(request, session, control, facts, local, console)
        return deliver(document, options.exports, console)


def _run(
    request: TuneRequest,
    session: AwsSession,
    control: LambdaClient,
    facts: RunFacts,
    local: LocalAccess | None,
    console: Console,
) -> TuneDocument:
    """Measures and answers; a signal may stop the measuring, and never keeps the answer back."""
    with StopRequest() as stop:
        stop.announce(
            on_first=lambda: console.warn(
                "stopping: waiting for calls in flight, then putting everything back; "
                "Ctrl-C again leaves at once"
            ),
            abandon=lambda: console.warn("left at once: `tune restore` undoes what is left"),
        )
        folder = create_run_folder(request.options.runs, "tune", facts.target.name, facts.started)
        # A sandbox of our own ends with us, and its functions with it: so may its journal.
        with _journal_folder(local) as journals:
            try:
                samples = conduct(
                    facts,
                    session,
                    control,
                    Place(folder, journals),
                    stop,
                    console,
                    lambda taken: _cold_sizes(request, facts, taken),
                )
            except ToolError:
                # Nothing was measured, so there is nothing to keep.
                shutil.rmtree(folder)
                raise
        stop.announce(
            on_first=lambda: console.warn(
                "all is measured and put back: the answer is being written; "
                "Ctrl-C again leaves at once"
            ),
            abandon=lambda: console.warn(f"left at once: the samples are in {folder}"),
        )
        return _written(folder, _answer(request, facts, samples), console)


def _written(folder: Path, document: TuneDocument, console: Console) -> TuneDocument:
    """`document`, with the error where it could not be written: it is shown all the same."""
    try:
        console.say(f"result: {write_document(folder, document)}")
    except ToolError as error:
        errors = [*document.errors, str(error)]
        return document.model_copy(update={"exit_code": int(ExitCode.ERROR), "errors": errors})
    return document


def _check_reports(target: Target) -> None:
    """Refuses a function of which every call would be paid for and none measured."""
    if not target.logs_reports:
        raise Refused(
            f"function {target.name!r}: its system log level hides the REPORT lines that are "
            "measured",
            hint="set LoggingConfig.SystemLogLevel to INFO; nothing was changed",
        )


def _confirm_cost(facts: RunFacts, console: Console) -> None:
    """Asks when the run may cost more than a dollar."""
    target = facts.target
    cost = facts.plan.cost_range(
        facts.price, timeout_s=target.timeout_s, storage_mb=target.storage_mb
    )
    if cost.most_usd > ASK_ABOVE_USD:
        confirm(f"the run may cost up to {usd(cost.most_usd)}", "start it?", console)


@contextmanager
def _access(options: TuneOptions) -> Iterator[LocalAccess | None]:
    if not options.sandbox:
        yield None
        return
    with local_aws() as local:
        yield local


@contextmanager
def _journal_folder(local: LocalAccess | None) -> Iterator[Path]:
    if local is None:
        yield state_folder()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _facts(
    request: TuneRequest, session: AwsSession, control: LambdaClient, target: Target
) -> RunFacts:
    plan = make_plan(request, target)
    account = session.account_id()
    facts = RunFacts(
        run_id=secrets.token_hex(6),
        target=target,
        plan=replace(plan, notes=(*plan.notes, *_notes(plan, target, request.goal.slo))),
        payload=request.payload,
        price=request.prices.lambda_price(session.region, target.arch),
        price_table=request.prices,
        region=session.region,
        account=account,
        endpoint=session.custom_endpoint(control),
        command=recorded_command(["tune", *sys.argv[1:]]),
        started=datetime.now(UTC),
        goal=request.goal,
        limits=request.limits,
    )
    if not request.usage.reads_aws:
        facts.usage = given_usage(request.usage)
    if account is None:
        facts.notes.append("the account is unknown: STS did not answer")
    return facts


def _notes(plan: Plan, target: Target, limit: SloLimit | None) -> tuple[str, ...]:
    """What a user should know of the plan before it is paid for."""
    fewest_samples = 0
    if isinstance(plan, FixedPlan):
        # Not at the top: it imports scipy, which takes longer than most mistakes to be found.
        from tuner.estimate import MIN_SAMPLES_FOR_INTERVAL as fewest_samples
    most_samples = plan.samples_per_size if isinstance(plan, FixedPlan) else plan.most_calls
    found = (
        snap_start_note(plan, target.runtime) if target.snap_start else None,
        too_few_note(limit, most_samples) if limit else None,
    )
    return (*doubts(plan, fewest_samples=fewest_samples), *(note for note in found if note))


def _note_host(facts: RunFacts, local: LocalAccess | None) -> None:
    """Says which sizes stand for more CPU than the machine under the sandbox has."""
    if local is None or vcpu_share(max(facts.plan.sizes_mb)) <= local.host_cores:
        return
    most_mb = local.host_cores * MEMORY_PER_VCPU_MB
    facts.notes.append(
        f"sizes above {megabytes(most_mb)} have more vCPUs than this machine's "
        f"{local.host_cores} cores: code with more busy threads would be faster on AWS"
    )


def _cold_sizes(
    request: TuneRequest, facts: RunFacts, samples: Sequence[Sample]
) -> tuple[int, ...]:
    """Where further cold samples are worth having, by what was measured; none without an answer."""
    answer = _analysed(request, facts, samples)
    if answer.recommendation is None:
        return ()
    return sizes_for_cold(
        answer.recommendation.memory_mb,
        answer.recommendation.tied_mb,
        facts.target.memory_mb,
        {sample.memory_mb for sample in samples if sample.outcome == "measured"},
    )


def _answer(request: TuneRequest, facts: RunFacts, samples: Sequence[Sample]) -> TuneDocument:
    from tuner.result import build_document

    return build_document(facts, samples, _analysed(request, facts, samples))


def _analysed(request: TuneRequest, facts: RunFacts, samples: Sequence[Sample]) -> Answer:
    # scipy takes longer to import than most mistakes take to be found: not before it is needed.
    from tuner.analysis import Question, analyse

    question = Question(
        goal=request.goal,
        current_mb=facts.target.memory_mb,
        price=facts.price,
        storage_mb=facts.target.storage_mb,
        seed=request.seed,
        candidates_mb=facts.candidates_mb,
        usage=facts.usage,
        runtime=facts.target.runtime,
    )
    return analyse(samples, facts.table_mb(samples), dict(facts.refused_sizes), question)
