"""The quotas of a run as documents have them: before, through the run, and in production."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from loadgen.limits import Limits
from loadgen.outcome import Cause
from loadgen.profile.model import Profile
from loadgen.quota.projection import Pace, pace_of_history, period_end, project
from loadgen.quota.use import UsedQuota, used_quotas
from loadgen.steps import StepInfo, step_infos
from reports.load_prediction import QuotaUse


class Plan(Protocol):
    """A plan with what becomes of its requests (`loadgen.preflight.simulated.Simulated`)."""

    @property
    def sent_steps(self) -> NDArray[np.uint16]:
        """The steps of the requests that are sent."""

    @property
    def through_steps(self) -> NDArray[np.uint16]:
        """The steps of the requests that API Gateway lets through."""

    def first_refusal_s(self, cause: Cause, name: str) -> float | None:
        """When a layer refuses for the first time, in seconds of the run."""


def quota_uses(
    profile: Profile,
    limits: Limits,
    plan: Plan | None,
    now: datetime,
    sent_again: Collection[int] = (),
) -> list[QuotaUse]:
    """The quotas on the paths of the steps; without a plan only what is left of them.

    Of the steps in `sent_again` clients send more than the plan has: what that uses is unknown.
    """
    return [_use(profile, used, plan, now, sent_again) for used in used_quotas(limits)]


def _use(
    profile: Profile,
    used: UsedQuota,
    plan: Plan | None,
    now: datetime,
    sent_again: Collection[int],
) -> QuotaUse:
    quota = used.quota
    requests = uses = None
    runs_out_s: float | None = None
    if plan is not None:
        requests = int(np.isin(plan.sent_steps, used.steps).sum())
        if quota.left is not None and set(used.steps).isdisjoint(sent_again):
            uses = int(np.isin(plan.through_steps, used.steps).sum())
        if quota.left is not None:
            runs_out_s = plan.first_refusal_s(Cause.QUOTA, quota.name)
    left_after = None if quota.left is None or uses is None else max(0, quota.left - uses)
    today = now.astimezone(UTC).date()
    pace = production_pace(profile, used) or pace_of_history(quota.by_day, today)
    left = left_after if left_after is not None else quota.left
    found = None if pace is None or left is None else project(quota.period, left, pace, now)
    return QuotaUse(
        name=quota.name,
        limit=quota.limit,
        period=quota.period,
        used_before=quota.used,
        left_before=quota.left,
        read_utc=now.astimezone(UTC).isoformat(timespec="seconds"),
        requests=requests,
        uses=uses,
        left_after=left_after,
        runs_out_s=runs_out_s,
        per_day=None if pace is None else pace.per_day,
        per_day_source="" if pace is None else pace.source,
        needed_per_period=None if found is None else found.needed,
        runs_out_utc=None
        if found is None or found.runs_out is None
        else found.runs_out.astimezone(UTC).isoformat(timespec="minutes"),
        period_ends_on=period_end(quota.period, today).isoformat(),
    )


def production_pace(profile: Profile, used: UsedQuota) -> Pace | None:
    """The part of `production` that comes with a quota's key: the mix is that of the scenarios."""
    if profile.production is None:
        return None
    steps = step_infos(profile)
    weights = {scenario.name: scenario.weight for scenario in profile.scenarios}
    whole = _weight(steps, weights)
    mine = _weight([step for step in steps if step.index in used.steps], weights)
    if not whole:
        return None
    per_day = profile.production.requests_per_day * mine / whole
    return Pace(per_day, "production.requests_per_day of the profile")


def _weight(steps: Sequence[StepInfo], weights: dict[str, float]) -> float:
    return sum(weights[step.scenario] for step in steps)
