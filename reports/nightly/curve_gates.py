"""The gate of a tuned function's setting: is today's size too dear, and is that new?

A valley is flat, and where its lowest point lies moves from night to night: that alone is never an
alarm. What counts is how much more the configured size costs than the best one, by the lower bound
of that. A function that was always set to a dear size is a saving, and no regression: the gate asks
for more than the plan allows, more than was usual, and more than the nights before scatter: an
adaptive run goes on calling what looks cheap, so that its best size looks better than its interval
says now and then. That costs rose at every size alike is not
asked here; the mean of the curve is a figure of the relative gate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log1p
from statistics import median

from reports.figures import megabytes, percent, percent_range
from reports.history.record import RunRecord
from reports.nightly.document import GateStatus, NightGate
from reports.nightly.plan import NightlyPlan
from reports.regression.confirmation import Confirmation
from reports.regression.cost_curve import TODAYS_SIZE
from reports.regression.regret import Regret, pooled_rows, regret, regret_p_value

REGRET = "regret"
# A recommendation that moves is told where the old one is shown to cost so much more.
_MOVED_SHARE = 0.05
# Of a normal distribution, one night in 740 is so many standard deviations above the middle.
_SCATTER = 3.0
_NORMAL = 1.4826  # a standard deviation over the median of absolute deviations
# As of other confirmations: what is below the interval has a chance of 5 %.
_CONFIRMED_LEVEL = 0.9
# The share of nights on which a recommendation must have been the same to be called usual.
_USUAL_SHARE = 0.5


def curve_gates(
    tonight: RunRecord,
    past: Sequence[RunRecord],
    plan: NightlyPlan,
    *,
    level_from: int | None = None,
) -> list[NightGate]:
    """The regret of today's size: at most one gate, `suspect` where it is too high and newly so.

    `past` are nights of the same key, ascending. Since an accepted change, which began with the
    night `level_from`, only its nights tell what is usual. None for a plan without the metric
    `curve`, and for a step that tunes one size.
    """
    if not _is_judged(tonight, plan):
        return []
    if not tonight.valid:
        return [_gate(tonight, plan, "invalid", "the measurement is invalid")]
    found = regret_of(tonight)
    if found is None:
        why = f"what {_today(tonight)} costs beside other sizes is not known well enough"
        return [_gate(tonight, plan, "inconclusive", why)]
    valid = [one for one in past if one.valid]
    before = _regrets(valid[-plan.gates.window :])
    nights = [one for one, _ in before]
    usual = _usual(before, level_from)
    limit = max(plan.gates.regret, usual or 0.0)
    status: GateStatus = "passed"
    if found.low > limit and log1p(found.share) > _reach(before, usual):
        known = len(nights) >= plan.gates.min_nights and usual is not None
        status = "suspect" if known else "inconclusive"
    message = _message(tonight, found, limit, usual, len(nights))
    if status == "inconclusive":
        message += f"; whether that is new takes {plan.gates.min_nights} nights"
    moved = moved_recommendation(tonight, nights)
    return [
        _gate(tonight, plan, status, f"{message}; {moved}" if moved else message).model_copy(
            update={
                "value": found.share,
                "baseline": usual,
                "limit": limit,
                "change_interval": (found.low, found.high),
                "nights": len(nights),
                "n": found.n,
            }
        )
    ]


def regret_of(record: RunRecord) -> Regret | None:
    """The regret of the size that was configured on a night, at that night's prices.

    A ratio of two costs hardly depends on the price list, so that nights need no common one.
    """
    if record.current_mb is None or record.prices is None:
        return None
    return regret(record.sizes, record.current_mb, record.prices)


def usual_regret(past: Sequence[RunRecord], level_from: int | None = None) -> float | None:
    """The median regret of the sizes that were configured on earlier nights; None without one."""
    return _usual(_regrets(past), level_from)


def _regrets(past: Sequence[RunRecord]) -> list[tuple[RunRecord, Regret]]:
    """The valid nights of which the regret is known."""
    return [(one, found) for one in past if one.valid and (found := regret_of(one)) is not None]


def _usual(before: Sequence[tuple[RunRecord, Regret]], level_from: int | None) -> float | None:
    shares = [
        found.share for one, found in before if level_from is None or one.sequence >= level_from
    ]
    return median(shares) if shares else None


def _reach(before: Sequence[tuple[RunRecord, Regret]], usual: float | None) -> float:
    """The ln(1 + regret) that nights of the usual one reach by chance; 0 without any."""
    if usual is None:
        return 0.0
    logs = [log1p(found.share) for _, found in before]
    middle = median(logs)
    scatter = _NORMAL * median(abs(one - middle) for one in logs)
    return log1p(usual) + _SCATTER * scatter


def confirm_regret(reruns: Sequence[RunRecord], limit_share: float) -> Confirmation | None:
    """Whether further runs of the same night find today's size too dear as well.

    They are judged together and without the run that raised the suspicion, which was picked for
    being high. None where they say nothing of it.
    """
    known = [one for one in reruns if one.valid and one.prices and one.current_mb is not None]
    if not known or known[0].prices is None or known[0].current_mb is None:
        return None
    current_mb, prices = known[0].current_mb, known[0].prices
    rows = pooled_rows([one.sizes for one in known])
    found = regret(rows, current_mb, prices, level=_CONFIRMED_LEVEL)
    p_value = regret_p_value(rows, current_mb, prices, limit_share)
    if found is None or p_value is None:
        return None
    runs = f"{len(known)} rerun{'s' if len(known) > 1 else ''}"
    return Confirmation(
        confirmed=found.low > limit_share,
        change=log1p(found.share),
        interval=(log1p(found.low), log1p(found.high)),
        p_value=p_value,
        words=f"{runs}: {_costs_more(current_mb, found, _CONFIRMED_LEVEL)}",
    )


def moved_recommendation(tonight: RunRecord, past: Sequence[RunRecord]) -> str:
    """In words, that another size is recommended than usual, where that gains over 5 %; or empty.

    The gain is that over the usual recommendation, by its lower bound: where the lowest point of a
    flat valley lies says nothing.
    """
    counts = Counter(one.recommended_mb for one in past if one.recommended_mb is not None)
    if not counts or tonight.recommended_mb is None or tonight.prices is None:
        return ""
    usual_mb, nights = counts.most_common(1)[0]
    if usual_mb == tonight.recommended_mb or nights < _USUAL_SHARE * counts.total():
        return ""
    found = regret(tonight.sizes, usual_mb, tonight.prices)
    if found is None or found.low <= _MOVED_SHARE:
        return ""
    return (
        f"{megabytes(tonight.recommended_mb)} is recommended, and not {megabytes(usual_mb)} as on "
        f"{nights:,} of {counts.total():,} nights, which costs at least {percent(found.low)} more"
    )


def _is_judged(tonight: RunRecord, plan: NightlyPlan) -> bool:
    step = next((one for one in plan.steps if one.name == tonight.step), None)
    metrics = plan.metrics_of(step) if step is not None else plan.gates.metrics
    called = sum(row.n > 0 for row in tonight.sizes)
    return tonight.kind == "tune" and "curve" in metrics and (called > 1 or not tonight.valid)


def _gate(tonight: RunRecord, plan: NightlyPlan, status: GateStatus, message: str) -> NightGate:
    return NightGate(
        step=tonight.step,
        scope=TODAYS_SIZE,
        metric=REGRET,
        kind="curve",
        text=f"costs at most {percent(plan.gates.regret)} more than the best size, or as usual",
        status=status,
        message=message,
        unit="share",
    )


def _message(
    tonight: RunRecord, found: Regret, limit: float, usual: float | None, nights: int
) -> str:
    parts = [_costs_more(tonight.current_mb or 0, found), f"limit {percent(limit)}"]
    if usual is not None:
        parts.append(f"usual {percent(usual)} of {nights:,} night{'s' if nights != 1 else ''}")
    return ", ".join([*parts, f"n = {found.n:,}"])


def _costs_more(current_mb: int, found: Regret, level: float = 0.95) -> str:
    interval = f"{percent(level)} interval {percent_range(found.low, found.high)}"
    if found.low <= 0:
        return f"{megabytes(current_mb)} is not shown to cost more than another size ({interval})"
    more = f"{percent(found.share)} more than {megabytes(found.best_mb)}"
    return f"{megabytes(current_mb)} costs {more} ({interval})"


def _today(record: RunRecord) -> str:
    return "today's size" if record.current_mb is None else megabytes(record.current_mb)
