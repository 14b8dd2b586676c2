"""Builds the result document of a load run: verdict, books, slices, and how to repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from core.errors import ExitCode
from core.version import toolkit_version
from loadgen.by_request import ByRequest
from loadgen.cost import Cost, StepFunction, StepUse
from loadgen.fairness import fairness_of
from loadgen.latency_blocks import latency_blocks, run_histograms
from loadgen.measures import length_s
from loadgen.profile.model import Bursts, Profile
from loadgen.retry.report import retry_report
from loadgen.retry.timely import timely_totals
from loadgen.slices import (
    Figures,
    Losses,
    check_failures,
    figures,
    phase_slices,
    step_slices,
)
from loadgen.tally import Tally
from loadgen.validity import InjectorEnd
from reports.figures import listed
from reports.load_document import (
    CalledFunction,
    CauseCount,
    ConfiguredLimit,
    LoadDocument,
    LoadProvenance,
    LoadSpent,
    LoadVerdict,
    TargetFacts,
    ThresholdResult,
    ValidityReport,
)
from reports.load_search import SearchPart
from reports.load_telemetry import LoadTelemetry
from reports.load_words import cause_word, class_word

_MOST_NAMED = 5  # causes, where nothing was ok


@dataclass(frozen=True, slots=True)
class Stop:
    """What ended a run before its schedule did; `code` is that of a signal, 130 or 143."""

    by: Literal["guard", "threshold", "signal", "injector", "error"]
    reason: str
    at_s: float
    code: ExitCode = ExitCode.INTERRUPTED


@dataclass(frozen=True, slots=True)
class LoadFacts:
    """All that is known of a run besides its measurements; nothing in it is secret."""

    profile: Profile
    profile_file: str
    profile_sha256: str
    profile_text: str
    environment: str | None
    target: TargetFacts
    limits: Sequence[ConfiguredLimit]
    command: Sequence[str]
    started: datetime
    finished: datetime
    seed: int
    run_id: str
    ends: Sequence[InjectorEnd]
    stop: Stop | None = None
    endpoint: str | None = None
    estimated_usd: float | None = None
    errors: Sequence[str] = ()
    notes: Sequence[str] = ()
    search: SearchPart | None = None
    statuses: Mapping[str, int] = field(default_factory=dict)  # of the measured phases
    telemetry: LoadTelemetry | None = None
    by_request: ByRequest = field(default_factory=ByRequest)
    functions: Sequence[StepFunction] = ()  # behind the steps


def _called(functions: Sequence[StepFunction]) -> list[CalledFunction]:
    """Each function once, with the steps that call it."""
    steps: dict[str, list[int]] = {}
    for one in functions:
        steps.setdefault(one.name, []).append(one.step)
    first = {one.name: one for one in reversed(functions)}
    return [
        CalledFunction(
            name=name,
            memory_mb=first[name].memory_mb,
            arch=first[name].arch,
            timeout_s=first[name].timeout_s,
            steps=calling,
        )
        for name, calling in steps.items()
    ]


def build_document(
    facts: LoadFacts,
    tally: Tally,
    thresholds: Sequence[ThresholdResult],
    validity: ValidityReport,
    spent: Cost,
) -> LoadDocument:
    """The document of a run that has ended, whichever way."""
    losses = losses_of(tally, facts.ends)
    measured_s = length_s(tally, tally.measured)
    timely = timely_totals(tally, tally.measured)
    totals = tally.totals()
    whole = figures(totals, measured_s, losses, timely)
    of_run, of_steps = latency_blocks(tally)
    verdict, code, errors = judge(facts, whole, thresholds, validity)
    return LoadDocument(
        name=facts.profile.name,
        verdict=verdict,
        exit_code=code,
        errors=errors,
        notes=list(dict.fromkeys([*facts.notes, *tally.notes])),
        target=facts.target,
        **whole.fields(),
        statuses=dict(facts.statuses),
        telemetry=facts.telemetry,
        search=facts.search,
        waterfall=facts.by_request.waterfall,
        cold_starts=facts.by_request.cold_starts,
        versions=facts.by_request.versions,
        failures=check_failures(tally),
        retries=retry_report(facts.profile, tally),
        fairness=fairness_of(facts.profile, tally),
        measured_s=measured_s,
        steps=step_slices(tally, measured_s, losses, of_steps),
        phases=phase_slices(tally, losses),
        seconds=tally.second_rows(),
        thresholds=list(thresholds),
        validity=validity,
        limits=list(facts.limits),
        functions=_called(facts.functions),
        spent=LoadSpent(
            usd=spent.usd,
            estimated_usd=facts.estimated_usd,
            detail=list(spent.detail),
            parts=list(spent.parts),
            as_if=spent.as_if,
            prices_date=spent.prices_date,
        ),
        provenance=_provenance(facts),
        histograms=run_histograms(totals, of_run),
    )


def judge(
    facts: LoadFacts,
    whole: Figures,
    thresholds: Sequence[ThresholdResult],
    validity: ValidityReport,
) -> tuple[LoadVerdict, ExitCode, list[str]]:
    """Verdict, exit code, and what ended the run, makes it doubtful or fails it.

    What ended a run comes first, because it explains the rest; then whether the measurement can be
    trusted; and only then what it says about the API. Where no threshold says what is good enough,
    something has to be ok.
    """
    stop = facts.stop
    reasons = [*facts.errors, *_stop_words(stop), *validity.reasons]
    if facts.errors or (stop and stop.by == "error"):
        return "error", ExitCode.ERROR, reasons
    if stop and stop.by == "signal":
        return "interrupted", stop.code, reasons
    if stop and stop.by == "guard":
        return "refused", ExitCode.REFUSED, reasons
    if validity.verdict == "invalid":
        return "invalid", ExitCode.INVALID, reasons
    if any(threshold.ok is False for threshold in thresholds):
        return "failed", ExitCode.FAILED, reasons
    if any(threshold.ok is None for threshold in thresholds):
        return "inconclusive", ExitCode.INCONCLUSIVE, reasons
    if facts.search is not None:
        return judge_search(facts.search, reasons)
    if not thresholds and whole.requests.completed and not whole.outcomes.ok:
        return "failed", ExitCode.FAILED, [*reasons, _nothing_ok_words(whole)]
    return "pass", ExitCode.PASS, reasons


def judge_search(search: SearchPart, reasons: list[str]) -> tuple[LoadVerdict, ExitCode, list[str]]:
    """A search passes when it has an answer, and fails when no rate holds its SLO."""
    if search.ended in ("found", "holds_everywhere"):
        return "pass", ExitCode.PASS, reasons
    if search.ended in ("breaks_everywhere", "errors"):
        return "failed", ExitCode.FAILED, [*reasons, f"search: {search.detail}"]
    return "inconclusive", ExitCode.INCONCLUSIVE, [*reasons, f"search: {search.detail}"]


def _nothing_ok_words(whole: Figures) -> str:
    entries = [*whole.throttled_by_cause, *whole.errors_by_cause]
    ranked = sorted(entries, key=lambda entry: -entry.count)
    named = [f"{entry.count:,} x {_entry_words(entry)}" for entry in ranked[:_MOST_NAMED]]
    if len(ranked) > _MOST_NAMED:
        named.append("others")
    completed = whole.requests.completed
    return f"none of {completed:,} completed requests was ok: {listed(named)}"


def _entry_words(entry: CauseCount) -> str:
    if entry.outcome in ("connection_error", "timeout"):
        return cause_word(entry.cause)
    name = class_word(entry.outcome, 1)
    return name if entry.cause in ("none", "unknown") else f"{name}: {cause_word(entry.cause)}"


def _stop_words(stop: Stop | None) -> list[str]:
    if stop is None:
        return []
    after = f"{stop.at_s:.1f} s after the start"
    match stop.by:
        case "guard":
            return [f"a guard stopped the run {after}: {stop.reason}"]
        case "signal":
            return [f"stopped {after}, before the run was done"]
        case "threshold":
            return [f"a threshold ended the run {after}: {stop.reason}"]
        case "injector":
            return [f"the run was stopped {after}: {stop.reason}"]
        case "error":
            return [stop.reason]


def losses_of(tally: Tally, ends: Sequence[InjectorEnd]) -> Losses:
    """Requests without an outcome: cut at the end of the drain, or lost with an injector."""
    whole = tally.totals(phases=range(len(tally.phases)))
    open_requests = max(whole.sent - whole.completed, 0)
    cut_by_step: dict[int, int] = {}
    for end in ends:
        for step, count in (end.drained.cut_by_step if end.drained else {}).items():
            number = tally.step_number(end.injector, int(step))
            cut_by_step[number] = cut_by_step.get(number, 0) + count
    cut = sum(end.drained.cut for end in ends if end.drained)
    return Losses(cut_by_step=cut_by_step, lost=max(open_requests - cut, 0))


def step_uses(tally: Tally, ends: Sequence[InjectorEnd]) -> list[StepUse]:
    """What became of the requests of each step in all phases, for the bill."""
    losses = losses_of(tally, ends)
    everywhere = range(len(tally.phases))
    uses = []
    for number in range(max(len(tally.steps), 1)):
        totals = tally.totals(everywhere, step=number)
        cut = losses.cut_by_step.get(number, 0) + (losses.lost if number == 0 else 0)
        uses.append(StepUse(number, totals.counts, cut, totals.service.mean_us / 1e6))
    return uses


def _provenance(facts: LoadFacts) -> LoadProvenance:
    load = facts.profile.load
    arrivals = load.arrivals
    return LoadProvenance(
        tool_version=toolkit_version(),
        command=list(facts.command),
        started_utc=facts.started.isoformat(timespec="milliseconds"),
        finished_utc=facts.finished.isoformat(timespec="milliseconds"),
        seed=facts.seed,
        run_id=facts.run_id,
        profile_file=facts.profile_file,
        profile_sha256=facts.profile_sha256,
        profile_text=facts.profile_text,
        environment=facts.environment,
        processes=load.processes,
        model=load.model,
        arrivals=f"bursts of {arrivals.size}" if isinstance(arrivals, Bursts) else arrivals,
        endpoint=facts.endpoint,
    )
