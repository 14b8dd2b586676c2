"""Absolute budgets of a night: each judged by the value of one run, whatever earlier nights were.

A budget holds or does not by the measured value alone, so that the same value gives the same answer
every night; the interval stands beside it. Only a regret is judged by its lower bound: the best of
several noisy sizes always looks cheaper than it is. What the run does not have is inconclusive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.document import TuneDocument
from reports.figures import fixed, percent_range, significant, usd
from reports.gate import Gate, Status
from reports.gates import gates_of
from reports.histogram import decoded, merged, quantile_interval, quantile_ms
from reports.load_document import LoadDocument, Outcomes, Slice
from reports.load_histograms import ok_histograms
from reports.nightly.budget import Budget, budget_fault, parse_budget
from reports.nightly.document import GateStatus, NightGate
from reports.nightly.observe_load import THE_RUN, admitted, scopes
from reports.nightly.observe_tune import curve_rows, prices_of
from reports.regression.bill import usd_per_million
from reports.regression.cost_curve import TODAYS_SIZE, at_size, call_usd
from reports.regression.regret import regret
from reports.tune_sizes import size_at

__all__ = ["Budget", "budget_fault", "document_gates", "judge_budget", "parse_budget"]

_MILLION = 1e6
_ENDED = ("interrupted", "refused", "error")
# One call may meet a passing fault of what the function calls.
_FEWEST_FAILURES = 2
# What a condition is about: `p95(ok_response) < 300 ms` is about `p95(ok_response)`.
_SUBJECT = re.compile(r"[A-Za-z0-9_.]+\([^)]*\)")


@dataclass(frozen=True, slots=True)
class _Measured:
    """What a budget is about, or why it is not known; `judged` is held against the limit.

    `broken` says what is worse than any value: a size at which the function does not run.
    """

    value: float | None
    n: int = 0
    interval: str = ""
    why: str = ""
    judged: float | None = None
    broken: str = ""


def judge_budget(budget: Budget, document: LoadDocument | TuneDocument, *, step: str) -> NightGate:
    """What came of a budget in one run of `step`."""
    if isinstance(document, LoadDocument):
        whole, found = THE_RUN, _of_load(budget, document)
    else:
        whole, found = TODAYS_SIZE, _of_tune(budget, document)
    status, message = _judged(budget, document, found)
    return NightGate(
        step=step,
        scope=budget.scope or whole,
        metric=budget.metric,
        kind="budget",
        text=budget.text,
        status=status,
        message=message,
        unit=budget.unit,
        value=found.value,
        limit=budget.limit,
        n=found.n,
    )


def document_gates(document: LoadDocument | TuneDocument, *, step: str) -> list[NightGate]:
    """What the run itself was held against: its validity first, then thresholds and SLOs.

    Another size than today's that could not be measured (128 MB are too few for a function) is no
    gate of a night: it would be inconclusive for ever. Today's is what production runs on.
    """
    suite = gates_of(document)
    first, *rest = suite.gates
    found = [_night_gate(first, step, "validity")]
    if isinstance(document, LoadDocument):
        return [*found, *(_night_gate(gate, step, "budget") for gate in rest)]
    kept = [gate for gate in rest if not gate.text.endswith(" can be measured")]
    return [
        *found,
        *_todays_size(document, step),
        *(_night_gate(gate, step, "budget") for gate in kept),
    ]


def _todays_size(document: TuneDocument, step: str) -> Iterator[NightGate]:
    """A gate that fails where calls at today's size do."""
    broken = _broken(document)
    if broken and document.verdict != "invalid":
        gate = Gate(TODAYS_SIZE, "today's size works", "failed", broken)
        yield _night_gate(gate, step, "budget")


def _judged(
    budget: Budget, document: LoadDocument | TuneDocument, found: _Measured
) -> tuple[GateStatus, str]:
    if document.verdict == "invalid":
        return "invalid", "the measurement is invalid"
    if document.verdict in _ENDED:
        return "inconclusive", f"the run ended early: {document.verdict}"
    if found.broken:
        return "failed", found.broken
    value = found.value if found.judged is None else found.judged
    if found.value is None or value is None:
        return "inconclusive", found.why or "nothing was measured"
    shown, limit = _apart(budget, found.value)
    parts = [f"measured {shown}", found.interval, f"limit {limit}"]
    parts += [f"n = {found.n:,}"] if found.n else []
    return "passed" if budget.holds(value) else "failed", ", ".join(p for p in parts if p)


def _apart(budget: Budget, value: float) -> tuple[str, str]:
    """Value and limit with as many digits as it takes to tell them apart."""
    limit = budget.limit
    digits = next((d for d in range(3, 9) if significant(value, d) != significant(limit, d)), 3)
    return _in_unit(value, budget.unit, digits), _in_unit(limit, budget.unit, digits)


def _in_unit(value: float, unit: str, digits: int) -> str:
    if unit == "usd_per_million":
        return f"{usd(value)} a million" if digits <= 3 else f"${significant(value, digits)}"
    scaled = value * 100 if unit == "share" else value
    text = fixed(scaled, 0) if scaled == round(scaled) else significant(scaled, digits)
    return text + {"ms": " ms", "share": " %", "rps": "/s"}[unit]


# -- load runs --------------------------------------------------------------------------------


def _of_load(budget: Budget, document: LoadDocument) -> _Measured:
    fault = budget_fault(budget, "load", [step.name for step in document.steps])
    if fault is not None:
        return _Measured(None, why=fault)
    if budget.percent is not None:
        return _percentile(budget, budget.percent / 100, document)
    if budget.metric == "usd_per_million":
        n = admitted(document)
        known = usd_per_million(document.spent.parts, n)
        return _Measured(known, n, why="what the run costs is not known")
    parts = _slices(budget.scope, document)
    completed = sum(part.requests.completed for part in parts)
    if not completed:
        return _Measured(None, why="no request was completed")
    if budget.metric == "rate":
        return _Measured(sum(part.rates.admitted_rps for part in parts), completed)
    outcomes = [part.outcomes for part in parts]
    count = sum(map(_failed if budget.metric == "errors" else _throttled, outcomes))
    return _Measured(count / completed, completed)


def _slices(scope: str | None, document: LoadDocument) -> Sequence[LoadDocument | Slice]:
    """The run, or all steps with the name: two scenarios may have steps of one name."""
    if scope is None or scope == THE_RUN:
        return [document]
    return [step for step in document.steps if step.name == scope]


def _failed(outcomes: Outcomes) -> int:
    """Completed requests that are neither ok nor throttled."""
    broken = outcomes.client_error + outcomes.server_error + outcomes.check_failed
    return broken + outcomes.timeout + outcomes.connection_error


def _throttled(outcomes: Outcomes) -> int:
    return outcomes.throttled


def _percentile(budget: Budget, q: float, document: LoadDocument) -> _Measured:
    """A quantile of ok responses, from the histograms of the blocks of time."""
    scope = budget.scope or THE_RUN
    found = [
        blocks for name, blocks in scopes(document) if name == scope or name.endswith(f": {scope}")
    ]
    known = [histogram for blocks in found for histogram in ok_histograms(blocks)]
    if not known and scope == THE_RUN and document.histograms and document.histograms.ok_response:
        known = [decoded(document.histograms.ok_response)]
    n = sum(histogram.n for histogram in known)
    # At least one request must be slower, or the percentile is none of these requests.
    if n * round(1 - q, 9) < 1:
        return _Measured(None, n, why=f"{n:,} ok requests are too few for {budget.metric}")
    interval = quantile_interval(known, q) if len(found) == 1 else None
    words = ""
    if interval is not None:
        low, high = (significant(bound) for bound in interval)
        words = f"95 % interval {low} to {high} ms"
    return _Measured(quantile_ms(merged(known), q), n, words)


# -- tunings ----------------------------------------------------------------------------------


def _of_tune(budget: Budget, document: TuneDocument) -> _Measured:
    fault = budget_fault(budget, "tune")
    if fault is not None:
        return _Measured(None, why=fault)
    rows, prices = curve_rows(document), prices_of(document)
    current_mb, broken = document.current.memory_mb, _broken(document)
    if broken:
        return _Measured(None, broken=broken)
    today, row = at_size(rows, current_mb), size_at(document, current_mb)
    failure = row.failure if row is not None else None
    why = f"today's size, {current_mb:,} MB, was not measured" + (f": {failure}" if failure else "")
    if today is None:
        return _Measured(None, why=why)
    if budget.metric == "regret":
        found = regret(rows, current_mb, prices)
        if found is None:
            return _Measured(None, why="no other size is known well enough to compare with")
        words = f"95 % interval {percent_range(found.low, found.high)}, judged by its lower bound"
        words += f", beside {found.best_mb:,} MB" if found.low > 0 else ""
        return _Measured(found.share, found.n, words, judged=found.low)
    if budget.metric == "duration":
        between = row.duration_interval_ms if row is not None else None
        return _Measured(today.duration_ms, today.n, _bounds(between, " ms"), why)
    between = row.cost_interval if row is not None else None
    return _Measured(
        call_usd(current_mb, today.billed_ms, prices) * _MILLION, today.n, _bounds(between, " USD")
    )


def _broken(document: TuneDocument) -> str:
    """What fails at today's size; empty where it works, or was not called."""
    row = size_at(document, document.current.memory_mb)
    if row is None or row.failure is None or row.n_failed < _FEWEST_FAILURES:
        return ""
    return f"{row.memory_mb:,} MB, today's size: {row.failure}"


def _bounds(interval: tuple[float, float] | None, unit: str) -> str:
    if interval is None:
        return ""
    low, high = (significant(bound) for bound in interval)
    return f"90 % interval {low} to {high}{unit}"


# -- what the run itself says -----------------------------------------------------------------


def _night_gate(gate: Gate, step: str, kind: str) -> NightGate:
    status: Status = gate.status
    subject = _SUBJECT.match(gate.text)
    return NightGate(
        step=step,
        scope=gate.scope,
        metric="validity" if kind == "validity" else subject[0] if subject else "answer",
        kind="validity" if kind == "validity" else "budget",
        text=gate.text,
        status=status,
        message=gate.message,
    )
