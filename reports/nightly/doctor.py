"""What a history says of its own alarms: how many are false, and what they can find at best.

Past nights are replayed as if nothing had changed in them: steps that were accepted or that
E-divisive dates are taken out first. What is left are nights that differ by chance, and each alarm
among them is a false one. Steps are then added to them, to see which would have been found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, expm1, sqrt
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ExitCode
from reports.nightly.alarm_course import HELD_P
from reports.nightly.doctor_advice import advice_of
from reports.nightly.doctor_document import Alarms, DatedStep, DoctorDocument, FigureHealth
from reports.nightly.doctor_history import Gated, GatedPast, gated_past, shifted, typical_requests
from reports.nightly.plan import NightlyPlan
from reports.regression.binomial_bounds import share_bounds
from reports.regression.even_nights import EvenSeries, even_series
from reports.regression.noise_parts import NoiseParts, noise_parts
from reports.regression.power import Smallest, smallest_changes
from reports.regression.replay import Replay, Reruns, Rules, replayed
from reports.regression.series import Observation

if TYPE_CHECKING:
    from reports.history.history import Past

# With fewer nights an interval of alarms reaches from none to one in four, and says nothing.
FEWEST_NIGHTS = 15
# At least so many of them must have enough nights before them.
_FEWEST_JUDGED = 5
_DAYS_A_MONTH = 365.25 / 12
_DAY_S = 86_400.0
_REQUESTS_FACTOR = 4.0
_ONE_PERCENT = 0.01


def diagnosed(
    past: Past, plan: NightlyPlan, *, history: str, last: int = 90, seed: int = 1
) -> DoctorDocument:
    """The document of a history; inconclusive where it has too few nights."""
    found = gated_past(past, plan, last)
    gates = plan.gates
    rules = Rules(
        window=gates.window,
        min_nights=gates.min_nights,
        family_error=gates.family_error,
        reruns=gates.confirm.reruns if gates.confirm.by == "rerun" else 0,
        agreeing_p=HELD_P,
    )
    orders = {one.order for gated in found.figures.values() for one in gated.observed.nights}
    dates = [found.dates[order] for order in sorted(orders)]
    needed = max(FEWEST_NIGHTS, gates.min_nights + _FEWEST_JUDGED)
    missing = max(needed - len(dates), 0)
    document = DoctorDocument(
        verdict="inconclusive" if missing else "pass",
        exit_code=ExitCode.INCONCLUSIVE if missing else ExitCode.PASS,
        errors=[],
        plan=plan.name,
        history=history,
        branch=found.branch,
        seed=seed,
        nights=len(dates),
        nights_missing=missing,
        first_night=dates[0] if dates else None,
        last_night=dates[-1] if dates else None,
        nights_a_month=_DAYS_A_MONTH * _DAY_S / plan.every_s,
        family_error=rules.family_error,
        window=rules.window,
        min_nights=rules.min_nights,
        reruns=rules.reruns,
        history_problems=[str(problem) for problem in past.problems],
    )
    return document if missing else _Examination(found, rules, document, seed).document()


class _Examination:
    """A replay of all nights, and what it says of each figure."""

    def __init__(self, past: GatedPast, rules: Rules, begun: DoctorDocument, seed: int) -> None:
        self.past, self.rules, self.begun, self.seed = past, rules, begun, seed
        self.even = {
            name: even_series(gated.observed, self._rng(0)) for name, gated in past.figures.items()
        }
        self.replay = self._replayed(self.even, self._reruns())

    def _rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose])

    def _reruns(self) -> Reruns:
        return {
            (name, order): values
            for name, gated in self.past.figures.items()
            for order, values in shifted(gated.reruns, self.even[name].shifts)
        }

    def _replayed(self, figures: Mapping[str, EvenSeries], reruns: Reruns) -> Replay:
        return replayed(figures, self.rules, self._rng(1), reruns)

    def _smallest(self, figures: Mapping[str, EvenSeries], replay: Replay) -> dict[str, Smallest]:
        return smallest_changes(figures, replay, self.rules, self._rng(2))

    def document(self) -> DoctorDocument:
        """All of it."""
        replay = self.replay
        changed = self.begun.model_copy(
            update={
                "judged_nights": replay.nights,
                "suspected": self._alarms(replay.suspected_nights),
                "failed": self._alarms(replay.failed_nights),
                "reruns_recorded": sum(one.by == "reruns" for one in replay.suspicions),
                "reruns_drawn": sum(one.by == "drawn reruns" for one in replay.suspicions),
                "figures": self._figures(),
                "steps": [*self._steps()],
            }
        )
        return changed.model_copy(update={"advice": advice_of(changed)})

    def _alarms(self, nights: float) -> Alarms:
        judged, month = self.replay.nights, self.begun.nights_a_month
        low, high = share_bounds(nights, judged)
        a_month = month * nights / judged if judged else 0.0
        return Alarms(nights=nights, a_month=a_month, a_month_interval=(low * month, high * month))

    def _figures(self) -> list[FigureHealth]:
        parts = {name: noise_parts(name, self.even) for name in self.even}
        smallest = self._smallest(self.even, self.replay)
        more = {
            name: with_requests(one, parts[name], _REQUESTS_FACTOR)
            for name, one in self.even.items()
        }
        with_more = self._smallest(more, self._replayed(more, {}))
        suspected = Counter(one.name for one in self.replay.suspicions)
        return [
            figure_health(
                gated, parts[name], smallest.get(name), with_more.get(name), suspected[name]
            )
            for name, gated in self.past.figures.items()
        ]

    def _steps(self) -> list[DatedStep]:
        found = []
        for name, gated in self.past.figures.items():
            by_order = {one.order: one for one in gated.observed.nights}
            before = sorted(by_order)
            for order, change in self.even[name].steps.items():
                earlier = by_order[before[before.index(order) - 1]]
                step = DatedStep(
                    series=gated.series,
                    night=self.past.dates[order],
                    night_id=self.past.night_ids[order],
                    change_share=expm1(change),
                    accepted=by_order[order].level != earlier.level,
                )
                found.append(step)
        return sorted(found, key=lambda step: step.night)


def with_requests(one: EvenSeries, parts: NoiseParts, factor: float) -> EvenSeries:
    """A figure as if its nights had so many times the requests: sampling varies by their root less.

    Where nights do not say how sure they are, it stays as it is.
    """
    left = parts.with_requests(factor)
    if left is None or not parts.total:
        return one
    center, ratio = one.center, left / parts.total
    nights: list[Observation] = [
        replace(
            night,
            y=center + (night.y - center) * ratio,
            error=night.error / sqrt(factor) if night.error is not None else None,
        )
        for night in one.series.nights
    ]
    return replace(one, series=replace(one.series, nights=nights))


def figure_health(
    gated: Gated,
    parts: NoiseParts,
    smallest: Smallest | None,
    with_more: Smallest | None,
    suspected: int,
) -> FigureHealth:
    """One figure; steps are None where it was judged at no night, or nothing is ever found."""
    requests = typical_requests(gated.nights)
    is_sampled = parts.within is not None
    return FigureHealth(
        series=gated.series,
        unit=gated.nights[-1].point.unit,
        nights=len(gated.nights),
        typical=exp(_last_level(gated.observed.nights)),
        requests=requests,
        night_sd_share=expm1(parts.total),
        sampling_share=parts.sampling_share,
        bad_nights_share=parts.bad_share,
        alike=parts.alike,
        floor_share=gated.observed.floor_share,
        noise_limit_share=None if smallest is None else expm1(smallest.statistical),
        floor_binds_share=None if smallest is None else smallest.floor_binds,
        smallest_first_night=_share(smallest.first_night if smallest else None),
        smallest_two_nights=_share(smallest.two_nights if smallest else None),
        with_four_times_requests=_share(with_more.two_nights if with_more and is_sampled else None),
        requests_for_one_percent=_requests_for(parts.within, requests),
        with_control_sd_share=_share(parts.with_control),
        suspected_nights=suspected,
    )


def _last_level(nights: Sequence[Observation]) -> float:
    return float(np.median([night.y for night in nights if night.level == nights[-1].level]))


def _share(ln: float | None) -> float | None:
    return None if ln is None else expm1(ln)


def _requests_for(within: float | None, requests: int) -> int | None:
    """The standard error of ln(quantile) is some constant over the root of n."""
    if within is None or not requests:
        return None
    return round(requests * (within / _ONE_PERCENT) ** 2)
