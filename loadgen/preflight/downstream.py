"""What a plan needs of limits behind the functions, which the profile names.

Nothing is refused here: what a function does without its database is its own business. So it is
said how many requests find too little there, and they are in no throttled share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.preflight.levels import in_flight, short_of_tokens
from loadgen.preflight.planned import Planned
from loadgen.profile.model import Downstream, Profile
from loadgen.schedule import PhasePlan
from loadgen.steps import StepInfo
from reports.load_prediction import DownstreamUse

NO_DURATION = "how long functions hold it is not known"


@dataclass(frozen=True, slots=True)
class Use:
    """The requests that use one limit, and which of them find too little; None: not known."""

    limit: Downstream
    rows: NDArray[np.int64]
    short: NDArray[np.bool_]
    at_once: NDArray[np.float64] | None

    def in_phase(self, phase: PhasePlan, rows: NDArray[np.int64]) -> DownstreamUse:
        """The use in the phase that has `rows`."""
        mine = np.isin(self.rows, rows)
        length_s = phase.to_s - phase.from_s
        count = int(mine.sum())
        is_open = self.limit.concurrency is not None and self.at_once is None and count > 0
        at_once = None
        if self.limit.concurrency is not None and self.at_once is not None:
            at_once = float(self.at_once[mine].max()) if count else 0.0
        return DownstreamUse(
            name=self.limit.name,
            needed_rps=count * self.limit.per_request / length_s if length_s >= 1.0 else None,
            limit_rps=self.limit.rate,
            needed_at_once=at_once,
            limit_at_once=self.limit.concurrency,
            short_share=None
            if is_open and not self.short[mine].any()
            else (float(self.short[mine].sum()) / count if count else 0.0),
            unknown=NO_DURATION if is_open else "",
        )


def downstream_uses(
    profile: Profile, steps: Sequence[StepInfo], planned: Planned, ran: NDArray[np.bool_]
) -> list[Use]:
    """The use of each limit, by the requests that run."""
    return [_use(limit, steps, planned, ran) for limit in profile.downstream]


def _use(
    limit: Downstream, steps: Sequence[StepInfo], planned: Planned, ran: NDArray[np.bool_]
) -> Use:
    using = [step.index for step in steps if limit.steps is None or step.name in limit.steps]
    rows = np.flatnonzero(np.isin(planned.step, using) & ran)
    at_s, runs_s = planned.at_s[rows], planned.runs_s[rows]
    short = np.zeros(len(rows), np.bool_)
    if limit.rate is not None and len(rows):
        given, least = limit.burst, max(1.0, limit.per_request)
        burst = max(limit.rate, least) if given is None else float(given)
        short |= short_of_tokens(at_s, limit.rate, burst, limit.per_request)
    at_once: NDArray[np.float64] | None = None
    if limit.concurrency is not None and len(rows) and not np.isnan(runs_s).any():
        at_once = np.asarray(in_flight(at_s, runs_s) * limit.per_request, np.float64)
        short |= at_once > limit.concurrency
    elif limit.concurrency is not None and not len(rows):
        at_once = np.zeros(0)
    return Use(limit, rows, short, at_once)
