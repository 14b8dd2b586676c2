"""One tuning from beginning to end: plan, lease, measure, release, answer, result."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.aws.session import AwsSession, LocalAccess
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, ToolError
from core.interrupt import StopRequest
from core.local_aws import local_aws
from reports.document import TuneDocument
from reports.exports import check_exports
from reports.figures import usd
from reports.run_folder import create_run_folder, write_document
from tuner.answering import answer_run, cold_sizes_of
from tuner.apply.record import records_folder, warn_of_killed
from tuner.arch_run import (
    Pair,
    measure_other,
    note_differences,
    read_other,
    shared,
    with_other_run,
)
from tuner.conduct import Place, conduct, say_trial, try_out
from tuner.delivery import deliver
from tuner.facts import RunFacts
from tuner.hook_kinds.opening import check_hooks
from tuner.journal import state_folder
from tuner.open_journals import check_no_run_works
from tuner.options import TuneOptions, TuneRequest, check_options
from tuner.plan import ASK_ABOVE_USD
from tuner.preflight.before_run import warn_before
from tuner.preparation import read_usable, run_facts
from tuner.qualified import copy_line
from tuner.raw_files import with_raw_files
from tuner.restore_offer import offer_restore, warn_of_leftovers
from tuner.sample import Sample
from tuner.snap_start import snap_start_most_usd
from tuner.time_limit import TimeLimit
from tuner.usage import read_usage
from tuner.view import plan_document, plan_facts, show_plan, warn_of_side_effects

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def tune(options: TuneOptions, console: Console) -> ExitCode:
    """Tunes one function and gives the exit code of the run.

    Raises:
        ToolError: when the run ends before anything was measured.
    """
    request = check_options(options)
    check_exports(options.exports, json_output=console.json_output)
    with access(options) as local:
        session = AwsSession(region=options.region, profile=options.profile, local=local)
        request.prices.check_region(session.region)
        control = session.control_lambda()
        if not options.dry_run:
            for name in (request.options.function, request.options.arch_function):
                if name is not None:
                    endpoint = session.custom_endpoint(control)
                    offer_restore(name, session.region, endpoint, options.profile, console)
        first, pair = _prepared(request, session, control, local)
        check_hooks(request.hooks, session, control)
        runs = [first] if pair is None else [first, pair.other]
        for facts in runs:
            warn_of_leftovers(facts.target, facts.endpoint, console)
            warn_of_killed(records_folder(), console, facts.target.arn)
            warn_before(facts, control, console)
            show_plan(console, facts.target, facts.region, facts.plan, facts.price)
            warn_of_side_effects(console, facts.plan, facts.limits.max_invocations, facts.hooks)
        if options.dry_run:
            if console.json_output:
                console.document(_plan_document(runs))
            return ExitCode.PASS
        for facts in runs:
            check_no_run_works(state_folder(), facts.target.arn, facts.endpoint)
        _check_before_run(request, session, control, first)
        if not options.yes:
            _confirm(runs, console)
        if request.usage.reads_aws:
            # Not only for Ctrl-C: a pipeline that is cancelled must not leave a query that is paid.
            with StopRequest(on_first=lambda: console.warn("stopping before the run")) as stop:
                usage = read_usage(
                    request.usage, session, control, first.target, first.started, stop
                )
            for facts in runs:
                facts.usage = usage
        bench = Bench(options.runs, session, local, console)
        with StopRequest() as stop:
            folder, document = run_one(bench, stop, first, pair)
        apply = _after_run(request, session, folder, console)
        if apply is None:
            _say_how_to_apply(folder, document, console)
        return deliver(document, options.exports, console, apply, chart=options.chart)


def _check_before_run(
    request: TuneRequest, session: AwsSession, control: LambdaClient, facts: RunFacts
) -> None:
    """Makes sure, where `--apply` is given, that it could be done as things are."""
    if request.apply is not None:
        # Not at the top: few runs need it.
        from tuner.apply.after_run import check_before_run

        yes = request.options.yes
        check_before_run(session, control, facts.target, request.apply, facts.endpoint, yes=yes)


def _after_run(
    request: TuneRequest, session: AwsSession, folder: Path, console: Console
) -> Callable[[TuneDocument], TuneDocument] | None:
    """What `--apply` does with the answer."""
    if request.apply is None:
        return None
    from tuner.apply.after_run import AfterRun

    return AfterRun(session, request.apply, folder, request.options.yes, console)


def _plan_document(runs: Sequence[RunFacts]) -> str:
    first, *others = [(facts.target, facts.region, facts.plan, facts.price) for facts in runs]
    return plan_document(*first, other=plan_facts(*others[0]) if others else None)


def _prepared(
    request: TuneRequest, session: AwsSession, control: LambdaClient, local: LocalAccess | None
) -> tuple[RunFacts, Pair | None]:
    """What is known before the run, with `--arch both` of the other function as well."""
    options = request.options
    target = read_usable(control, options.function, session.region, options.tenant_id)
    if options.arch_function is None:
        return run_facts(request, session, control, target, local), None
    other = read_other(control, options.arch_function, target, session.region, options.tenant_id)
    own = shared(request, target, other)
    first = run_facts(own, session, control, target, local)
    pair = Pair(request, first, run_facts(own, session, control, other, local))
    note_differences(first, pair.other)
    return first, pair


@dataclass(frozen=True, slots=True)
class Bench:
    """What a run is measured with, and where its results go."""

    runs: Path
    session: AwsSession
    local: LocalAccess | None
    console: Console


def run_one(
    bench: Bench, stop: StopRequest, first: RunFacts, pair: Pair | None = None
) -> tuple[Path, TuneDocument]:
    """Measures and answers; gives the folder as well.

    A signal may stop the measuring, and never keeps the answer back.

    Raises:
        ToolError: when nothing was measured.
    """
    console = bench.console
    stop.announce(
        on_first=lambda: console.warn(
            "stopping: waiting for calls in flight, then putting everything back; "
            "Ctrl-C again leaves at once"
        ),
        abandon=lambda: console.warn("left at once: `tune restore` undoes what is left"),
    )
    folder = create_run_folder(bench.runs, "tune", first.target.name, first.started)
    finish = _measured(bench, first, pair, folder, stop)
    stop.announce(
        on_first=lambda: console.warn(
            "all is measured and put back: the answer is being written; Ctrl-C again leaves at once"
        ),
        abandon=lambda: console.warn(f"left at once: the samples are in {folder}"),
    )
    return folder, _written(folder, finish(), console)


def _measured(
    bench: Bench, first: RunFacts, pair: Pair | None, folder: Path, stop: StopRequest
) -> Callable[[], TuneDocument]:
    """Measures what there is to measure; gives what computes the answer."""
    limit = TimeLimit(stop, first.limits.max_seconds)
    # A sandbox of our own ends with us, and its functions with it: so may its journal.
    with _journal_folder(bench.local) as journals:

        def measure(facts: RunFacts, place: Path) -> tuple[Sample, ...]:
            own = limit if facts is first else TimeLimit(stop, facts.limits.max_seconds)
            if pair is not None:
                bench.console.say(f"{facts.target.name}, {facts.target.arch}:")
            return conduct(
                facts,
                bench.session,
                Place(place, journals),
                own,
                bench.console,
                lambda taken: cold_sizes_of(facts, taken),
            )

        try:
            for facts in [first] if pair is None else [first, pair.other]:
                doubt = try_out(facts, bench.session, limit)
                say_trial(facts, doubt, bench.console)
            samples = measure(first, folder)
        except ToolError:
            # Nothing was measured, so there is nothing to keep.
            shutil.rmtree(folder)
            raise
        if pair is None:
            return lambda: answer_run(first, samples).document
        answered = answer_run(first, samples)
        other = measure_other(pair, answered, folder, measure, stop, limit.elapsed_s())
    return lambda: with_other_run(pair, answered, other)


def _written(folder: Path, document: TuneDocument, console: Console) -> TuneDocument:
    """`document` with its raw files, or with the error where it could not be written."""
    document = with_raw_files(document, folder)
    try:
        console.say(f"result: {write_document(folder, document)}")
    except ToolError as error:
        errors = [*document.errors, str(error)]
        return document.model_copy(update={"exit_code": int(ExitCode.ERROR), "errors": errors})
    return document


def _confirm(runs: Sequence[RunFacts], console: Console) -> None:
    """Asks when the run may cost more than a dollar, or traffic may meet other settings."""
    total_usd = sum(most_usd(facts) for facts in runs)
    told = [copy_line(facts.target.copy) for facts in runs if facts.target.copy is not None]
    if total_usd > ASK_ABOVE_USD:
        told.append(f"the run may cost up to {usd(total_usd)}")
    if told:
        confirm("; ".join(told), "start it?", console)


def _say_how_to_apply(folder: Path, document: TuneDocument, console: Console) -> None:
    """The command that gives the size to the alias that was tuned."""
    alias, taken = document.provenance.qualifier, document.recommendation
    if document.verdict != "pass" or alias is None or alias == document.provenance.version:
        return
    if taken is not None and taken.memory_mb != document.current.memory_mb:
        command = f"tune apply {shlex.quote(str(folder))} --to alias={alias}"
        console.say(f"`{command}` gives the size to the alias")


def most_usd(facts: RunFacts) -> float:
    """What a run may cost at most in USD, with snapshots of SnapStart."""
    target = facts.target
    cost = facts.plan.cost_range(
        facts.price, timeout_s=target.timeout_s, storage_mb=target.storage_mb
    )
    snap_start = snap_start_most_usd(facts.plan, target.runtime) if target.snap_start else 0.0
    return cost.most_usd + snap_start


@contextmanager
def access(options: TuneOptions) -> Iterator[LocalAccess | None]:
    """The sandbox of this command, or None where it works on AWS."""
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
