"""One tuning from beginning to end: plan, lease, measure, release, answer, result."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.aws.limits import MEMORY_PER_VCPU_MB, vcpu_share
from core.aws.session import AwsSession, LocalAccess
from core.confirm import confirm
from core.console import Console
from core.errors import AwsError, ExitCode, ToolError, exit_code_of
from core.interrupt import StopRequest
from core.local_aws import local_aws
from reports.document import TuneDocument
from reports.figures import megabytes, usd
from reports.run_folder import create_run_folder, write_document
from tuner.delivery import deliver
from tuner.facts import RunFacts, without_payload
from tuner.invoker import Invoker
from tuner.journal import Beginning, Journal, state_folder
from tuner.lease import Lease, check_free
from tuner.measure import measure
from tuner.options import TuneOptions, TuneRequest, check_options
from tuner.plan import ASK_ABOVE_USD, Plan, choose_sizes
from tuner.redact import hidden_texts
from tuner.restore import offer_restore
from tuner.sample import Sample, SampleFile
from tuner.sampler import FixedRounds
from tuner.target import Target, read_target
from tuner.undo import list_versions
from tuner.view import plan_document, show_plan

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


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
        folder = create_run_folder(options.runs, "tune", target.name, facts.started)
        # A sandbox of our own ends with us, and its functions with it: so may its journal.
        with _journal_folder(local) as journals:
            try:
                samples = _measure(request, session, control, facts, folder, journals, console)
            except ToolError:
                # Nothing was measured, so there is nothing to keep.
                shutil.rmtree(folder)
                raise
        document = _answer(request, facts, samples)
        console.say(f"result: {write_document(folder, document)}")
        return deliver(document, options.exports, console)


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
    options = request.options
    sizes, notes = choose_sizes(
        sizes=request.sizes_mb,
        min_memory_mb=options.min_memory_mb,
        max_memory_mb=options.max_memory_mb,
        current_mb=target.memory_mb,
    )
    # Never two calls at one size at once, so more workers than sizes would have nothing to do.
    parallel = min(options.parallel, len(sizes))
    account = session.account_id()
    facts = RunFacts(
        run_id=secrets.token_hex(6),
        target=target,
        plan=Plan(sizes, options.samples, parallel, request.seed, notes),
        payload=request.payload,
        price=request.prices.lambda_price(session.region, target.arch),
        price_table=request.prices,
        region=session.region,
        account=account,
        endpoint=session.custom_endpoint(control),
        command=without_payload(["tune", *sys.argv[1:]]),
        started=datetime.now(UTC),
    )
    if account is None:
        facts.notes.append("the account is unknown: STS did not answer")
    return facts


def _note_host(facts: RunFacts, local: LocalAccess | None) -> None:
    """Says which sizes stand for more CPU than the machine under the sandbox has."""
    if local is None or vcpu_share(max(facts.plan.sizes_mb)) <= local.host_cores:
        return
    most_mb = local.host_cores * MEMORY_PER_VCPU_MB
    facts.notes.append(
        f"sizes above {megabytes(most_mb)} have more vCPUs than this machine's "
        f"{local.host_cores} cores: code with more busy threads would be faster on AWS"
    )


def _measure(
    request: TuneRequest,
    session: AwsSession,
    control: LambdaClient,
    facts: RunFacts,
    folder: Path,
    journals: Path,
    console: Console,
) -> tuple[Sample, ...]:
    """Leases, measures and releases; what goes wrong on the way ends up in `facts`."""
    target, plan = facts.target, facts.plan
    measuring = session.measuring_lambda(
        function_timeout_s=target.timeout_s, concurrency=plan.parallel
    )
    samples: list[Sample] = []
    stop = StopRequest(
        on_first=lambda: console.warn(
            "stopping: waiting for calls in flight, then putting everything back; "
            "Ctrl-C again leaves at once"
        ),
        abandon=lambda: console.warn("left at once: `tune restore` undoes what is left"),
    )
    with ExitStack() as stack:
        stack.enter_context(stop)
        kept = stack.enter_context(SampleFile(folder))
        progress = stack.enter_context(console.progress(plan.invocations, "invocations"))

        def keep(sample: Sample) -> None:
            samples.append(sample)
            kept.append(sample)
            progress.advance(_line(sample))
            console.detail(_line(sample))
            if len(samples) == len(plan.sizes_mb) - len(facts.refused_sizes):
                console.say(_expectation(facts, samples))

        try:
            with _leased(control, facts, journals, stop) as lease:
                facts.refused_sizes = dict(lease.refused_sizes)
                for size, version in lease.versions.items():
                    console.detail(f"{size} MB is version {version}")
                measure(
                    FixedRounds(
                        tuple(lease.versions), plan.samples_per_size, plan.attempts_per_size
                    ),
                    Invoker(
                        measuring,
                        target.arn,
                        request.payload.content,
                        stop.wait,
                        hidden_texts(request.payload.content),
                    ),
                    lease.versions,
                    parallel=plan.parallel,
                    rng=random.Random(plan.seed),
                    keep=keep,
                    stopped=lambda: stop.requested,
                )
        except ToolError as error:
            if not samples:
                raise
            facts.errors.append(str(error))
            facts.error_code = exit_code_of(error)
        if stop.requested:
            facts.stop_code = stop.exit_code
    return tuple(samples)


@contextmanager
def _leased(
    control: LambdaClient, facts: RunFacts, journals: Path, stop: StopRequest
) -> Iterator[Lease]:
    """The lease on the function; whatever happens inside, it is released and the journal closed.

    When releasing does not work the journal stays, for `tune restore`.
    """
    target = facts.target
    beginning = Beginning(
        run_id=facts.run_id,
        function_arn=target.arn,
        region=facts.region,
        endpoint_url=facts.endpoint,
        memory_mb=target.memory_mb,
        description=target.description,
        code_sha256=target.code_sha256,
        existing_versions=tuple(list_versions(control, target.arn)),
        pid=os.getpid(),
        started_utc=facts.started.isoformat(timespec="seconds"),
        revision_id=target.revision_id if target.settled else None,
    )
    journal = Journal(journals, beginning)
    lease = Lease(control, target.arn, beginning, time.sleep)
    try:
        lease.acquire(facts.plan.sizes_mb, journal, lambda: stop.requested)
        yield lease
    finally:
        _release(lease, target)
        journal.close()


def _release(lease: Lease, target: Target) -> None:
    try:
        lease.release()
    except ToolError as error:
        raise AwsError(
            f"{target.name} could not be put back as it was: {error}",
            hint="`tune restore` does it when AWS can be reached again",
        ) from error


def _expectation(facts: RunFacts, first_round: Sequence[Sample]) -> str:
    """What the whole run is going to cost, once every size has answered once."""
    storage_mb, price = facts.target.storage_mb, facts.price
    round_usd = sum(
        price.invocation_usd(s.memory_mb, s.billed_ms, storage_mb=storage_mb)
        for s in first_round
        if s.billed_ms is not None
    )
    return (
        f"by the first round, the run will cost about {usd(round_usd * facts.plan.calls_per_size)}"
    )


def _line(sample: Sample) -> str:
    if sample.duration_ms is None:
        return f"{sample.memory_mb} MB: {sample.error_type}"
    start = " (cold)" if sample.cold else ""
    return f"{sample.memory_mb} MB: {sample.duration_ms:.1f} ms{start}"


def _answer(request: TuneRequest, facts: RunFacts, samples: Sequence[Sample]) -> TuneDocument:
    # scipy takes longer to import than most mistakes take to be found: not before it is needed.
    from tuner.analysis import Question, analyse
    from tuner.result import build_document

    question = Question(
        objective=request.objective,
        weight=request.weight,
        current_mb=facts.target.memory_mb,
        price=facts.price,
        storage_mb=facts.target.storage_mb,
        seed=request.seed,
    )
    answer = analyse(samples, facts.plan.sizes_mb, dict(facts.refused_sizes), question)
    return build_document(facts, samples, answer)
