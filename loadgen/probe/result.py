"""Builds the document of a probe: what was found, whose it is, and what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from core.errors import ExitCode
from core.version import toolkit_version
from loadgen.bucket.finding import BucketFinding, Range
from loadgen.bucket.judge import judge_bucket
from loadgen.cost import Cost
from loadgen.outcome import Outcome
from loadgen.probe.compare import Configured, binding_layer, compared, quota_note
from loadgen.probe.document_parts import (
    bins_of,
    counts_of,
    guard_rows,
    length_s_of,
    phase_row,
    statuses_of,
)
from loadgen.probe.identities import Choice
from loadgen.probe.layers import layer_seen
from loadgen.probe.refuser import as_refused
from loadgen.probe.seen import Seen
from loadgen.probe.setup import Identity, Setup
from loadgen.steps import StepInfo
from reports.limits_document import (
    AccountQuota,
    BindingLayer,
    FrontierPoint,
    LimitFinding,
    LimitsDocument,
    LimitsProvenance,
    LimitsVerdict,
    ProbedScenario,
    Quantity,
)
from reports.load_document import LoadSpent, TargetFacts

_MOST_LOST_SHARE = 0.05
_NO_FAILURES = (Outcome.OK, Outcome.THROTTLED)
_MAY_BE_REFUSALS = (
    "if they are refusals (500 and 503 may be Lambda's, other codes a customised response), a rule "
    "in `outcomes` of the profile counts them as such"
)


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """All that is known of a probe besides what it saw; nothing in it is secret."""

    name: str
    target: TargetFacts
    setup: Setup
    choice: Choice
    step: StepInfo
    configured: Configured
    notes: Sequence[str]
    started: datetime
    finished: datetime
    seed: int
    run_id: str
    command: Sequence[str]
    profile_file: str
    profile_sha256: str
    profile_text: str
    environment: str | None
    processes: int
    endpoint: str | None
    estimated_usd: float | None
    errors: Sequence[str] = ()
    interrupted: ExitCode | None = None  # by a signal


def judged(seen: Seen, base: Identity) -> BucketFinding | None:
    """What limit the probe met; None where nothing was sent. Takes seconds."""
    observation = seen.observation(base)
    if not len(observation):
        return None
    return as_refused(judge_bucket(observation), seen.refuser(base), observation)


def build_document(
    facts: ProbeFacts, seen: Seen, found: BucketFinding | None, cost: Cost
) -> LimitsDocument:
    """The document of a probe that has ended, whichever way; `found` is what was `judged`."""
    observation = seen.observation(facts.setup.base)
    tests = layer_seen(seen.comparisons, has_key=facts.choice.has_key)
    if found is None or found.kind == "no_refusal":
        binding = BindingLayer(layer="unknown", evidence="none")
    else:
        binding = binding_layer(
            tests,
            seen.comparisons,
            found,
            observation,
            facts.configured,
            seen.refuser(facts.setup.base),
        )
    entries = [] if found is None else compared(binding, found, observation, facts.configured)
    counts = counts_of(seen, found)
    verdict, code, errors = _verdict(
        facts, seen, found, any(e.answer == "disagrees" for e in entries)
    )
    note = quota_note(facts.configured)
    notes = [*facts.notes, *facts.choice.notes, *seen.notes, *([note] if note else [])]
    return LimitsDocument(
        name=facts.name,
        verdict=verdict,
        exit_code=code,
        errors=errors,
        notes=list(dict.fromkeys(notes)),
        target=facts.target,
        probed=_probed(facts),
        finding=_finding(found, seen),
        binding=binding,
        comparisons=entries,
        account_quota=_account_quota(facts.configured),
        counts=counts,
        phases=[phase_row(one, facts.setup.base.step) for one in seen.phases],
        bins=bins_of(observation, found, facts.seed),
        guards=guard_rows(facts.setup, seen, counts),
        statuses=statuses_of(seen),
        length_s=length_s_of(seen),
        spent=LoadSpent(usd=cost.usd, estimated_usd=facts.estimated_usd, detail=list(cost.detail)),
        provenance=_provenance(facts),
    )


def _verdict(
    facts: ProbeFacts,
    seen: Seen,
    found: BucketFinding | None,
    disagree: bool,  # noqa: FBT001
) -> tuple[LimitsVerdict, ExitCode, list[str]]:
    """What ended the probe comes first, then whether it can be trusted, then what it says."""
    errors = list(facts.errors)
    stop = seen.stop
    if stop is not None and stop.by != "interrupted":
        errors.append(f"the probe ended early: {stop.reason}")
        if stop.by == "errors" and any(status >= 400 for status in _failing(seen)):
            errors.append(_MAY_BE_REFUSALS)
    if facts.interrupted is not None:
        return "interrupted", facts.interrupted, [*errors, "stopped before the probe was done"]
    if facts.errors or (stop is not None and stop.by == "interrupted"):
        reason = []
        if stop is not None and stop.by == "interrupted" and not facts.errors:
            reason = [stop.reason]
        return "error", ExitCode.ERROR, [*errors, *reason]
    lost = _lost_share(seen)
    if lost > _MOST_LOST_SHARE:
        errors.append(
            f"{lost:.0%} of the arrivals were dropped or cut: raise load.max_in_flight, or use "
            "more processes"
        )
        return "invalid", ExitCode.INVALID, errors
    if stop is not None:
        return "refused", ExitCode.REFUSED, errors
    if found is None or found.kind == "no_refusal":
        if disagree:
            why = "more was admitted than is configured"
            return "failed", ExitCode.FAILED, [*errors, why]
        few = f"{seen.took.refused:,} requests were refused, which is too little to tell a limit"
        peak = max((one.rate_rps for one in seen.phases), default=0.0)
        why = few if seen.took.refused else f"nothing was refused up to {peak:,.0f} requests/s"
        return "inconclusive", ExitCode.INCONCLUSIVE, [*errors, why]
    if disagree:
        return "failed", ExitCode.FAILED, [*errors, "configuration and behaviour disagree"]
    return "pass", ExitCode.PASS, errors


def _failing(seen: Seen) -> list[int]:
    """The statuses of requests that failed; 0: no response."""
    records = [one.sent.records for one in seen.phases]
    failed = [each[~np.isin(each["kind"] >> 12, _NO_FAILURES)] for each in records]
    return [status for each in failed for status in np.unique(each["status"]).tolist()]


def _lost_share(seen: Seen) -> float:
    lost = sum(one.sent.dropped + one.sent.cut for one in seen.phases)
    return lost / max(1, seen.took.sent + sum(one.sent.dropped for one in seen.phases))


# -- the finding ----------------------------------------------------------------------------------


def _finding(found: BucketFinding | None, seen: Seen) -> LimitFinding:
    if found is None:
        return LimitFinding(kind="unknown", rate_rps=None, burst=None, reasons=[])
    quota = seen.stop is not None and seen.stop.by == "quota"
    reasons = list(found.reasons)
    if quota and seen.stop is not None:
        reasons.insert(0, seen.stop.reason)
    return LimitFinding(
        kind="quota" if quota else found.kind,
        rate_rps=_quantity(found.rate_rps),
        burst=_quantity(found.burst),
        reasons=reasons,
        shards=found.shards,
        other_share=found.other_share,
        limit=found.limit,
        window_s=found.window_s,
        misfit=found.misfit,
        frontier=[FrontierPoint(rate_rps=b.rate_rps, burst=b.burst) for b in found.frontier],
        rough_rate_rps=seen.rate_rps,
        rough_burst=seen.burst,
    )


def _account_quota(configured: Configured) -> AccountQuota | None:
    quota = configured.quota
    if quota is None or quota.rate_rps is None:
        return None
    return AccountQuota(rate_rps=quota.rate_rps, burst=quota.burst)


def _quantity(found: Range | None) -> Quantity | None:
    if found is None:
        return None
    return Quantity(value=found.value, low=found.low, high=found.high, calibrated=found.calibrated)


def _probed(facts: ProbeFacts) -> ProbedScenario:
    canary = facts.setup.canary
    return ProbedScenario(
        scenario=facts.setup.base.name,
        method=facts.step.method,
        path=facts.step.path,
        stage=facts.step.stage or facts.target.stage,
        with_key=facts.choice.has_key,
        canary=None if canary is None else canary.name,
    )


def _provenance(facts: ProbeFacts) -> LimitsProvenance:
    return LimitsProvenance(
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
        processes=facts.processes,
        endpoint=facts.endpoint,
    )
