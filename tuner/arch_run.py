"""The function of the other architecture: measured after the first, within the same limits."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.aws.prices import other_arch
from core.errors import ExitCode, InputError, ToolError, exit_code_of
from core.interrupt import StopRequest
from core.text import one_line
from reports.document import Budget, TuneDocument
from reports.endpoint import is_loopback
from reports.run_folder import write_document
from tuner.answering import Answered, answer_run
from tuner.budget import Limits
from tuner.facts import RunFacts
from tuner.options import TuneRequest
from tuner.plan import FixedPlan, Plan
from tuner.preparation import read_usable
from tuner.raw_files import with_raw_files
from tuner.sample import Sample
from tuner.sizes import size_limits
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Leases, measures and releases one function; its samples are kept in the folder.
Measure = Callable[[RunFacts, Path], tuple[Sample, ...]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two functions to be measured: the one that is tuned, and that of the other architecture.

    `request` has the limits that both share.
    """

    request: TuneRequest
    first: RunFacts
    other: RunFacts


@dataclass(frozen=True, slots=True)
class OtherRun:
    """What became of the run on the other function; `problem` says why it was not measured."""

    folder: Path
    samples: tuple[Sample, ...] = ()
    problem: str | None = None
    code: ExitCode = ExitCode.INCONCLUSIVE
    stopped: bool = False


def read_other(
    control: LambdaClient,
    function: str,
    first: Target,
    region: str,
    tenant_id: str | None = None,
) -> Target:
    """`$LATEST` of the function of the other architecture.

    Raises:
        InputError: when it has the architecture of the first.
        FunctionNotFound, Refused, AwsError: when it cannot be measured.
    """
    target = read_usable(control, function, region, tenant_id)
    if target.arch == first.arch:
        raise InputError(
            f"--arch-function: expected a function on {other_arch(first.arch)}, as {first.name!r} "
            f"is on {first.arch} (got {target.name!r} on {target.arch})"
        )
    return target


def shared(request: TuneRequest, one: Target, other: Target) -> TuneRequest:
    """What each of the two functions may use: half of each limit, and the same range of sizes.

    Of an odd number of invocations the second function has one more than the first.

    Raises:
        InputError: where a limit leaves nothing to halve.
    """
    limits, options = request.limits, request.options
    if limits.max_invocations == 1:
        raise InputError(
            "--max-invocations: expected at least 2 with --arch both, which measures two "
            "functions (got 1)"
        )
    largest_mb = max(one.memory_mb, other.memory_mb)
    if options.max_memory_mb is None and request.plan in ("adaptive", "thorough"):
        _, high = size_limits(options.min_memory_mb, None)
        options = replace(options, max_memory_mb=max(high, largest_mb))
    return replace(
        request,
        options=options,
        limits=Limits(
            max_invocations=limits.max_invocations and limits.max_invocations // 2,
            max_usd=limits.max_usd and limits.max_usd / 2,
            max_seconds=limits.max_seconds and limits.max_seconds / 2,
        ),
    )


def note_differences(first: RunFacts, other: RunFacts) -> None:
    """Says before the run and after it what beside the architecture makes the two differ."""
    notes = tuple(_differences(first.target, other.target, first.endpoint))
    other.plan = replace(other.plan, notes=(*other.plan.notes, *notes))
    first.notes.extend(notes)


def _differences(one: Target, other: Target, endpoint: str | None) -> Iterator[str]:
    """What beside the architecture may make the two differ, or keep them from differing."""
    settings = [
        ("runtime", one.runtime or "container image", other.runtime or "container image"),
        ("timeout", f"{one.timeout_s} s", f"{other.timeout_s} s"),
        ("ephemeral storage", f"{one.storage_mb} MB", f"{other.storage_mb} MB"),
        ("SnapStart", _on_or_off(one), _on_or_off(other)),
    ]
    for setting, own, its in settings:
        if own != its:
            yield (
                f"{one.name} and {other.name} differ by more than the architecture: {setting} is "
                f"{own} and {its}"
            )
    if endpoint is not None and is_loopback(endpoint):
        yield (
            "both architectures run on this machine's own processor here: of the two, only the "
            "prices differ"
        )


def _on_or_off(target: Target) -> str:
    return "on" if target.snap_start else "off"


def measure_other(
    pair: Pair,
    answered: Answered,
    folder: Path,
    measure: Measure,
    stop: StopRequest,
    elapsed_s: float,
) -> OtherRun:
    """Measures the other function with what the first has left of the limits.

    `answered` is the answer of the first, `folder` that of the run, `elapsed_s` the time since it
    began.
    """
    other = pair.other
    own = folder / other.target.arch
    hindrance = _hindrance(pair, answered.document, own, stop)
    if hindrance is not None:
        return hindrance
    rest = _rest(pair.request.limits, answered.document, pair.first.counted_usd, elapsed_s)
    if rest is None:
        problem = f"the limits of the run leave nothing for {_name(other)}: it was not measured"
        return OtherRun(own, problem=problem)
    other.plan, other.limits = _within(pair, rest), rest
    other.started = datetime.now(UTC)
    own.mkdir()
    try:
        return OtherRun(own, measure(other, own))
    except ToolError as error:
        # Nothing was measured, so there is nothing to keep.
        shutil.rmtree(own)
        problem = one_line(f"{_name(other)} was not measured: {error}")
        return OtherRun(own, problem=problem, code=exit_code_of(error))


def _hindrance(pair: Pair, document: TuneDocument, own: Path, stop: StopRequest) -> OtherRun | None:
    """Why the other function is left alone; None when it can be measured."""
    first, other = pair.first, pair.other
    if stop.requested:
        problem = f"stopped before {_name(other)} was measured"
        return OtherRun(own, problem=problem, code=stop.exit_code, stopped=True)
    if document.verdict == "invalid" or first.left_behind is not None:
        problem = f"{_name(other)} was not measured, because of what went wrong with {_name(first)}"
        return OtherRun(own, problem=problem)
    return None


def _within(pair: Pair, rest: Limits) -> Plan:
    """The plan that was shown, with other limits."""
    plan = pair.other.plan
    if isinstance(plan, FixedPlan):
        return replace(plan, max_usd=rest.max_usd)
    return replace(plan, limits=rest)


def _rest(
    limits: Limits, document: TuneDocument, counted_usd: float, elapsed_s: float
) -> Limits | None:
    """What the first function has left of the limits; None where that is nothing."""
    calls = limits.max_invocations and limits.max_invocations - document.spent.invocations
    money = limits.max_usd and limits.max_usd - counted_usd
    seconds = limits.max_seconds and limits.max_seconds - elapsed_s
    if min(math.inf if left is None else left for left in (calls, money, seconds)) <= 0:
        return None
    return Limits(calls, money, seconds)


def _name(facts: RunFacts) -> str:
    return f"{facts.target.name} ({facts.target.arch})"


def with_other_run(pair: Pair, first: Answered, run: OtherRun) -> TuneDocument:
    """The document of the command; that of the other run is written beside its samples."""
    limits = pair.request.limits
    # Not at the top: it imports scipy, which is not needed before there are samples.
    from tuner.arch_document import both, with_other, without_other
    from tuner.result import spent, trial_of

    if run.problem is not None:
        document = without_other(first.document, run.problem, run.code, stopped=run.stopped)
        other = pair.other
        tried = spent((), other.price, other.target.storage_mb, trial_of(other))
        return document.model_copy(
            update={
                "budget": _budget(limits, document.budget),
                "spent": both(document.spent, tried),
            }
        )
    theirs = answer_run(pair.other, run.samples)
    document = with_other(first, theirs, pair.request.goal)
    budget = _budget(limits, document.budget, theirs.document.budget)
    document = document.model_copy(update={"budget": budget})
    try:
        write_document(run.folder, with_raw_files(theirs.document, run.folder))
    except ToolError as error:
        return document.model_copy(
            update={"exit_code": int(ExitCode.ERROR), "errors": [*document.errors, str(error)]}
        )
    return document


def _budget(limits: Limits, *parts: Budget | None) -> Budget | None:
    """The limits as the user gave them, and the first that ended a run."""
    if limits == Limits():
        return None
    return Budget(
        max_invocations=limits.max_invocations,
        max_usd=limits.max_usd,
        max_seconds=limits.max_seconds,
        ended_by=next((part.ended_by for part in parts if part and part.ended_by), None),
    )
