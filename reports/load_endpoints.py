"""Steps of a load run side by side: how many, how fast and how sure, what failed, what it costs.

Latencies are those of ok requests, with intervals by blocks of time where the document has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.blocks import Column, Table, TableRow
from reports.figures import (
    ABSENT,
    SPACE,
    column,
    listed,
    money_columns,
    part_of,
    requests,
    significant,
)
from reports.histogram import quantile_intervals, requests_needed
from reports.load_document import LoadDocument, Slice, StepSlice, ThresholdResult
from reports.load_histograms import ok_histograms
from reports.load_words import cause_word, failed_count, totals_of

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_MOST_CAUSES = 2
_MOST_NEEDY = 3
_PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
_MILLION = 1e6

Interval = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Optional:
    """A column that is left out where no step has anything in it."""

    column: Column
    cells: list[str]
    help: str = ""

    @property
    def is_known(self) -> bool:
        return any(cell not in ("", ABSENT) for cell in self.cells)


def steps_table(document: LoadDocument) -> Table | None:
    """One row for each step of the scenarios, in their order."""
    steps = document.steps
    if not steps:
        return None
    intervals = [_intervals_of(step) for step in steps]
    always = _always(steps, intervals)
    further = [part for part in _further(document) if part.is_known]
    columns = [Column("Step", is_text=True), *(c for c, _ in always), *(p.column for p in further)]
    cells = zip(
        step_names(document),
        *(found for _, found in always),
        *(part.cells for part in further),
        strict=True,
    )
    known = any(interval is not None for row in intervals for interval in row)
    said = [_HELP, _INTERVALS if known else "", *(part.help for part in further)]
    rows = [TableRow(list(row)) for row in cells]
    return Table(
        "By step",
        columns,
        rows,
        " ".join(text for text in said if text),
        notes=_sample_size(steps, step_names(document), [row[1] for row in intervals]),
    )


_HELP = (
    "Measured phases only. Shares are of completed requests; admitted is what completed and was "
    "not throttled. Times are response times of requests that succeeded."
)
_INTERVALS = (
    "In brackets: the 95 % interval, by blocks of time; it stands where there are enough requests, "
    "and the slow ones did not all come at once."
)


def step_names(document: LoadDocument) -> list[str]:
    """The names of the steps, with their scenario where there are several."""
    several = len({step.scenario for step in document.steps}) > 1
    return [f"{step.scenario}: {step.name}" if several else step.name for step in document.steps]


def causes_in_short(part: Slice) -> str:
    """The causes of a step or phase, in the room of a cell: all of them up to two."""
    totals = totals_of(part.throttled_by_cause)
    if len(totals) < 2:
        return "".join(cause_word(total.cause) for total in totals)
    refused = sum(total.count for total in totals)
    shown = totals if len(totals) == _MOST_CAUSES else totals[: _MOST_CAUSES - 1]
    words = [f"{cause_word(t.cause)} {part_of(t.count, refused)}" for t in shown]
    rest = len(totals) - len(shown)
    return ", ".join([*words, *([f"{rest} others"] if rest else [])])


def usd_per_million(document: LoadDocument) -> list[float | None]:
    """By step: what a million requests that reach its function cost, API and Lambda together.

    Known where REPORT lines or counts give the cost of functions that only this step calls; a
    function behind several steps does not tell which of them is how dear.
    """
    parts = document.spent.parts
    fees = [part for part in parts if part.part == "api_requests"]
    if any(fee.unit_usd is None for fee in fees):
        return [None] * len(document.steps)
    fee_usd = sum(fee.unit_usd or 0.0 for fee in fees)
    found: list[float | None] = []
    for number in range(len(document.steps)):
        called = [one for one in document.functions if number in one.steps]
        alone = bool(called) and all(one.steps == [number] for one in called)
        calls = [_call_usd(document, one.name) for one in called] if alone else [None]
        known = [usd for usd in calls if usd is not None]
        found.append((fee_usd + sum(known)) * _MILLION if len(known) == len(calls) else None)
    return found


def _call_usd(document: LoadDocument, function: str) -> float | None:
    """What a call of a function cost on average; None where something of it is not known."""
    parts = [part for part in document.spent.parts if part.function == function]
    calls = sum(part.amount or 0.0 for part in parts if part.part == "lambda_requests")
    # Where no log tells of INIT, its time is in that of the service.
    needed = [part for part in parts if part.part != "lambda_init" or part.amount is not None]
    if not calls or any(part.usd is None for part in needed):
        return None
    return sum(part.usd or 0.0 for part in needed) / calls


def _always(
    steps: Sequence[StepSlice], intervals: Sequence[Sequence[Interval]]
) -> list[tuple[Column, list[str]]]:
    return [
        (Column("Completed"), [f"{step.requests.completed:,}" for step in steps]),
        (Column("Offered", "/s"), _numbers([step.rates.offered_rps for step in steps])),
        (Column("Admitted", "/s"), _numbers([step.rates.admitted_rps for step in steps])),
        *(
            (Column(f"Ok {name}", "ms"), _latencies(steps, name, [row[at] for row in intervals]))
            for at, name in enumerate(_QUANTILES)
        ),
        (Column("Throttled"), [_share_of(step, step.outcomes.throttled) for step in steps]),
        (Column("Failed"), [_share_of(step, failed_count(step.outcomes)) for step in steps]),
    ]


def _further(document: LoadDocument) -> list[_Optional]:
    steps = document.steps
    return [
        _Optional(
            Column("Cold"),
            _cold_shares(document),
            "Cold is the share of requests that met a cold start, of those with a REPORT line.",
        ),
        _Optional(
            Column("Per million", "$"),
            money_columns([usd_per_million(document)])[0],
            "Per million: what API Gateway and Lambda take at list prices for so many requests "
            "that reach the function; logs and data out are not in it.",
        ),
        _Optional(Column("Thresholds", is_text=True), _marks(document)),
        _Optional(Column("Refused by", is_text=True), [causes_in_short(step) for step in steps]),
    ]


def _intervals_of(step: StepSlice) -> list[Interval]:
    return quantile_intervals(ok_histograms(step.blocks), list(_QUANTILES.values()))


def _latencies(steps: Sequence[StepSlice], name: str, intervals: Sequence[Interval]) -> list[str]:
    """Cells that begin with their number, so that they sort: 112 (108 to 117).

    Where no step has an interval, all have the same number of decimals.
    """
    known = [step.ok_response_ms for step in steps]
    values = [None if found is None else getattr(found, name) for found in known]
    if not any(intervals):
        return [cell or ABSENT for cell in column(values)]
    return [
        _with_interval(value, interval) for value, interval in zip(values, intervals, strict=True)
    ]


def _with_interval(value: float | None, interval: Interval) -> str:
    if value is None:
        return ABSENT
    if interval is None:
        return significant(value)
    shown, low, high = column([value, *interval])
    return f"{shown} ({low} to {high})"


def _numbers(values: Sequence[float]) -> list[str]:
    return [cell or ABSENT for cell in column(values)]


def _share_of(step: StepSlice, count: int) -> str:
    return part_of(count, step.requests.completed)


def _cold_shares(document: LoadDocument) -> list[str]:
    found = document.cold_starts.steps if document.cold_starts else []
    shares = {(one.scenario, one.step): (one.cold, one.requests) for one in found}
    return [part_of(*shares.get((step.scenario, step.name), (0, 0))) for step in document.steps]


def _sample_size(
    steps: Sequence[StepSlice], names: Sequence[str], intervals: Sequence[Interval]
) -> list[str]:
    """How many ok requests a p95 within 1 % takes, of the steps that need the most."""
    needed = [
        (requests_needed(has, interval), name, has)
        for step, name, interval in zip(steps, names, intervals, strict=True)
        if interval is not None and (has := sum(block.ok for block in step.blocks))
    ]
    most = sorted(needed, reverse=True)[:_MOST_NEEDY]
    if not most:
        return []
    said = [f"{requests(float(f'{n:.2g}'))} of {name} (has {has:,})" for n, name, has in most]
    within = f"For a p95 within {_PLUS_MINUS}1{SPACE}%, at this rate for longer"
    return [f"{within}, about so many ok requests are needed: {listed(said)}."]


def _marks(document: LoadDocument) -> list[str]:
    """Whether the thresholds of each step hold; those that do not are named."""
    return [
        _mark([one for one in document.thresholds if _is_of(one, step)]) for step in document.steps
    ]


def _is_of(threshold: ThresholdResult, step: StepSlice) -> bool:
    rest = threshold.scope.removeprefix(f"step {step.name}")
    return rest != threshold.scope and (not rest or rest.startswith((", ", " in ", " after ")))


def _mark(thresholds: Sequence[ThresholdResult]) -> str:
    if not thresholds:
        return ""
    broken = [one.that for one in thresholds if one.ok is False]
    if broken:
        return f"\N{BALLOT X}{SPACE}{listed(broken)}"
    if any(one.ok is None for one in thresholds):
        return f"?{SPACE}not judged"
    return f"\N{CHECK MARK}{SPACE}holds" if len(thresholds) == 1 else f"\N{CHECK MARK}{SPACE}hold"
