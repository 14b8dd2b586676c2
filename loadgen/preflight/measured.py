"""What a run measured, beside what was predicted of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from core.aws.gateway import GatewayReader
from core.aws.gateway_plans import Quota, UsagePlan, daily_usage, period_start, used_in_period
from core.aws.session import AwsSession
from core.errors import AwsError
from loadgen.limits import Limits, QuotaLimit
from loadgen.preflight.comparable import why_not
from loadgen.quota.use import counted, refused_by_quota, used_quotas
from loadgen.tally import Tally
from reports.load_document import LoadDocument, PhaseSlice
from reports.load_prediction import LoadPrediction, PhaseFound, PhasePrediction, QuotaUse


def with_measured(
    prediction: LoadPrediction,
    document: LoadDocument,
    quotas: Sequence[QuotaUse],
    spent_usd: float | None,
    at_once: Mapping[str, Sequence[tuple[str, int]]] | None = None,
    other_load: Mapping[int, str] | None = None,
) -> LoadPrediction:
    """The prediction with what `document` has of the same phases; `quotas` replace its own.

    `at_once` has, by function, the most calls at once of minutes, by the UTC time of each.
    `other_load` says of phases, by their place, why they were not what was predicted.
    """
    phases = [
        _with_found(phase, measured, document, at_once or {}, (other_load or {}).get(number, ""))
        for number, (phase, measured) in enumerate(
            zip(prediction.phases, document.phases, strict=False)
        )
    ]
    phases += prediction.phases[len(phases) :]
    cost = prediction.cost
    if cost is not None:
        cost = cost.model_copy(update={"spent_usd": spent_usd})
    return prediction.model_copy(update={"phases": phases, "quotas": list(quotas), "cost": cost})


def _with_found(
    phase: PhasePrediction,
    measured: PhaseSlice,
    document: LoadDocument,
    at_once: Mapping[str, Sequence[tuple[str, int]]],
    other_load: str,
) -> PhasePrediction:
    if phase.name != measured.name or not measured.requests.completed:
        return phase
    share = measured.outcomes.throttled / measured.requests.completed
    causes = sorted(measured.throttled_by_cause, key=lambda each: -each.count)
    predicted, reason = phase.throttled_share, other_load or why_not(phase, measured)
    found = PhaseFound(
        throttled_share=share,
        cause=causes[0].cause if causes else "none",
        off_by=None if predicted is None or reason else share - predicted,
        not_compared=reason,
        concurrency=_concurrency(phase, document, at_once),
    )
    return phase.model_copy(update={"found": found})


def _concurrency(
    phase: PhasePrediction,
    document: LoadDocument,
    at_once: Mapping[str, Sequence[tuple[str, int]]],
) -> dict[str, float]:
    """By function, the most at once in the minutes of a phase that no other phase is in."""
    started_s = datetime.fromisoformat(document.provenance.started_utc).timestamp()
    found: dict[str, float] = {}
    for function, minutes in at_once.items():
        most = [
            count
            for at_utc, count in minutes
            if _is_within(at_utc, started_s, phase, alone=len(document.phases) == 1)
        ]
        if most:
            found[function] = float(max(most))
    return found


def _is_within(at_utc: str, started_s: float, phase: PhasePrediction, *, alone: bool) -> bool:
    """Whether a minute has nothing of other phases in it."""
    begin_s = datetime.fromisoformat(at_utc).timestamp() - started_s
    if alone:
        return begin_s + 60 > phase.from_s and begin_s < phase.to_s
    return begin_s >= phase.from_s and begin_s + 60 <= phase.to_s


# -- quotas ---------------------------------------------------------------------------------------


def kinds_by_step(tally: Tally) -> dict[int, Mapping[int, int]]:
    """Requests of the whole run by kind code, for each step."""
    everywhere = range(len(tally.phases))
    return {
        number: tally.totals(everywhere, step=number).counts for number in range(len(tally.steps))
    }


def quotas_after(
    prediction: LoadPrediction,
    limits: Limits,
    tally: Tally,
    session: AwsSession | None,
    now: datetime,
) -> tuple[list[QuotaUse], list[str]]:
    """The quotas with what the run counted and what AWS says now; and notes."""
    kinds, notes = kinds_by_step(tally), list[str]()
    by_name = {used.quota.name: used for used in used_quotas(limits)}
    found = []
    for quota in prediction.quotas:
        used = by_name.get(quota.name)
        if used is None:
            found.append(quota)
            continue
        update: dict[str, object] = {
            "counted": sum(counted(kinds.get(step, {})) for step in used.steps),
            "refused": sum(refused_by_quota(kinds.get(step, {})) for step in used.steps),
        }
        try:
            after = _used_now(session, used.quota, now.astimezone(UTC).date())
        except AwsError as error:
            notes.append(f"unknown: how much of the quota of {quota.name} is used now ({error})")
            after = None
        if after is not None:
            update["used_after"] = after
            update["left_now"] = max(0, quota.limit - after)
            update["read_after_utc"] = now.astimezone(UTC).isoformat(timespec="seconds")
        found.append(quota.model_copy(update=update))
    return found, notes


def _used_now(session: AwsSession | None, quota: QuotaLimit, today: date) -> int | None:
    if session is None or not quota.plan_id:
        return None
    limit = Quota(quota.limit, quota.period.upper(), 0)
    plan = UsagePlan(quota.plan_id, quota.name, None, limit, {})
    start = period_start(limit.period, today)
    days = daily_usage(GatewayReader(session).rest, plan, quota.key_id, start, today)
    return used_in_period(limit, days)
