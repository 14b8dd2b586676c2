"""What was predicted of a load as tables of text cells: for terminal, page and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, milliseconds, part_of, rate_number, significant, usd
from reports.load_prediction import (
    DownstreamUse,
    LoadPrediction,
    PhasePrediction,
    PredictedCost,
    QuotaUse,
)
from reports.load_words import cause_word

UNKNOWN = "unknown"


def prediction_tables(prediction: LoadPrediction) -> list[Table]:
    """All tables of a prediction that has nothing measured beside it."""
    tables = [
        phases_table(prediction),
        concurrency_table(prediction),
        downstream_table(prediction),
        quotas_table(prediction.quotas),
        cost_table(prediction.cost),
        durations_table(prediction),
    ]
    return [table for table in tables if table is not None]


def phases_table(prediction: LoadPrediction) -> Table | None:
    """Each phase: what is sent, what of it is refused, and by whom."""
    if not prediction.phases:
        return None
    columns = [
        Column("Phase", is_text=True),
        Column("Planned", is_text=True),
        Column("Requests"),
        Column("Throttled"),
        Column("What binds", is_text=True),
    ]
    rows = [
        TableRow(
            [
                phase.name,
                phase.planned,
                ABSENT if phase.requests is None else f"{phase.requests:,}",
                throttled_words(phase),
                binds_words(phase),
            ]
        )
        for phase in prediction.phases
    ]
    return Table("Predicted by phase", columns, rows, _PHASES_HELP)


_PHASES_HELP = (
    "Throttled is of requests, by all layers that are known; what Lambda refuses is a 5xx on the "
    "wire, not 429."
)


def throttled_words(phase: PhasePrediction) -> str:
    """The share that is refused, as far as it is known."""
    if phase.requests == 0:
        return ABSENT
    if phase.throttled_share is None:
        return UNKNOWN
    share = part_of(phase.throttled_share, 1)
    return f"{share} or more" if phase.unknown else share


def binds_words(phase: PhasePrediction) -> str:
    """What refuses, and what may refuse without anybody knowing it."""
    if phase.requests == 0:
        return "nothing is sent"
    parts = [
        f"{cause_word(each.layer)}{_REASONS[each.reason]} ({each.name})"
        + (f" {part_of(each.share, 1)}" if len(phase.refused_by) > 1 else "")
        for each in phase.refused_by
    ]
    if phase.unknown:
        parts.append(f"{UNKNOWN}: {', '.join(phase.unknown)}")
    return "; ".join(parts) if parts else "nothing"


_REASONS = {
    "rate": "",
    "quota": "",
    "concurrency": "",
    "request_rate": ": 10 x concurrency a second",
    "growth": ": growth",
}


def concurrency_table(prediction: LoadPrediction) -> Table | None:
    """Calls at once by phase and function."""
    rows = [
        TableRow(
            [
                phase.name,
                use.function,
                number_words(use.mean, unknown=use.unknown),
                number_words(use.p99, unknown=use.unknown),
                number_words(use.most, unknown=use.unknown),
                UNKNOWN if use.limit is None else f"{use.limit:,}",
            ]
        )
        for phase in prediction.phases
        for use in phase.concurrency
    ]
    if not rows:
        return None
    columns = [
        Column("Phase", is_text=True),
        Column("Function", is_text=True),
        Column("Mean"),
        Column("p99"),
        Column("Most"),
        Column("Limit"),
    ]
    return Table(
        "Calls at once",
        columns,
        rows,
        "Mean: admitted calls a second x mean duration (Little's law); p99: of a Poisson number, "
        "of the busiest 10 s where the rate changes; most: in the simulation. Starts of "
        "environments are not in it.",
    )


def number_words(value: float | None, *, unknown: str = "") -> str:
    """A number of calls; `unknown` says why there is none."""
    if value is None:
        return UNKNOWN if unknown else ABSENT
    return f"{value:,.0f}" if value == int(value) else significant(value)


def downstream_table(prediction: LoadPrediction) -> Table | None:
    """The use of limits that the profile names."""
    rows = [
        TableRow([phase.name, use.name, *_use_cells(use)])
        for phase in prediction.phases
        for use in phase.downstream
        if phase.requests
    ]
    if not rows:
        return None
    columns = [
        Column("Phase", is_text=True),
        Column("Downstream", is_text=True),
        Column("Needed", is_text=True),
        Column("Limit", is_text=True),
        Column("Short"),
    ]
    return Table(
        "Downstream",
        columns,
        rows,
        "Short: requests that find too little there; what functions do then is not predicted.",
    )


def _use_cells(use: DownstreamUse) -> list[str]:
    needed, limit = [], []
    if use.limit_rps is not None:
        needed.append(ABSENT if use.needed_rps is None else f"{significant(use.needed_rps)}/s")
        limit.append(f"{rate_number(use.limit_rps)}/s")
    if use.limit_at_once is not None:
        at_once = use.needed_at_once
        needed.append(UNKNOWN if at_once is None else f"{number_words(at_once)} at once")
        limit.append(f"{use.limit_at_once:,} at once")
    short = UNKNOWN if use.short_share is None else part_of(use.short_share, 1)
    return [
        ", ".join(needed),
        ", ".join(limit),
        f"{short} or more" if use.unknown and use.short_share else short,
    ]


def quotas_table(quotas: Sequence[QuotaUse]) -> Table | None:
    """Quotas before, through the run, and in production."""
    if not quotas:
        return None
    measured = any(quota.counted is not None for quota in quotas)
    columns = [
        Column("Quota", is_text=True),
        Column("Whole"),
        Column("Left before"),
        Column("Run uses"),
        *([Column("Counted"), Column("Left now")] if measured else [Column("Left after")]),
        Column("In production", is_text=True),
    ]
    rows = [
        TableRow(
            [
                quota.name,
                f"{quota.limit:,} a {quota.period}",
                _count(quota.left_before),
                _count(quota.uses),
                *(
                    [_count(quota.counted), _count(quota.left_now)]
                    if measured
                    else [_count(quota.left_after)]
                ),
                production_words(quota),
            ]
        )
        for quota in quotas
    ]
    times = sorted({quota.read_after_utc or quota.read_utc for quota in quotas})
    pace = " "
    if any(quota.per_day is None for quota in quotas):
        pace = " Give production.requests_per_day to know how long a quota lasts in production. "
    return Table(
        "Quotas",
        columns,
        rows,
        f"As GetUsage had them at {times[0][:19].replace('T', ' ')} UTC; AWS counts with a delay."
        f"{pace}".rstrip(),
    )


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def production_words(quota: QuotaUse) -> str:
    """When production uses up what is left."""
    if quota.per_day is None:
        return UNKNOWN
    pace = f"{quota.per_day:,.0f} a day"
    if quota.runs_out_utc is not None:
        day = quota.runs_out_utc[:16].replace("T", " ")
        return f"{pace}: used up by {day} UTC, the period ends on {quota.period_ends_on}"
    if quota.needed_per_period is not None and quota.needed_per_period > quota.limit:
        return f"{pace}: lasts until {quota.period_ends_on}, but not for a whole {quota.period}"
    return f"{pace}: lasts until {quota.period_ends_on}"


def cost_table(cost: PredictedCost | None) -> Table | None:
    """The parts of the cost; the sums are of what is known."""
    if cost is None or not cost.parts:
        return None
    columns = [
        Column("Cost", is_text=True),
        Column("At least"),
        Column("At most"),
        Column("Of what", is_text=True),
    ]
    rows = [
        TableRow([part.name, _usd(part.least_usd), _usd(part.most_usd), part.detail])
        for part in cost.parts
    ]
    rows.append(TableRow(["known parts", _usd(cost.least_usd), _usd(cost.most_usd), ""]))
    return Table("Cost at list prices", columns, rows, _not_in_it(cost))


def _usd(value: float | None) -> str:
    return UNKNOWN if value is None else usd(value)


def _not_in_it(cost: PredictedCost) -> str:
    return f"Not in it: {'; '.join(cost.not_in_it)}." if cost.not_in_it else ""


def durations_table(prediction: LoadPrediction) -> Table | None:
    """How long functions are taken to run."""
    if not prediction.durations:
        return None
    columns = [
        Column("Step", is_text=True),
        Column("Mean"),
        Column("p50"),
        Column("p99"),
        Column("By", is_text=True),
    ]
    rows = [
        TableRow([known.step, *map(_ms, (known.mean_ms, known.p50_ms, known.p99_ms)), known.source])
        for known in prediction.durations
    ]
    return Table("Durations of functions", columns, rows)


def _ms(value: float | None) -> str:
    return ABSENT if value is None else milliseconds(value)
