"""What is taken from a load run: quantiles of ok responses by step, the bill, blocks of time.

Quantiles are those of the pooled histograms of the blocks, never means of quantiles. Where the
requests are too few for a quantile it is absent: a p99 of 100 requests is their slowest but one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from reports.document import TuneDocument
from reports.histogram import decoded, merged, quantile_ms
from reports.history.record import PricesUsed, Purpose, RunRecord, ScopeBlocks, SeriesPoint
from reports.load_cost_parts import LoadCostPart
from reports.load_document import LoadDocument, PhaseSlice
from reports.load_histograms import LatencyBlock
from reports.nightly.asked import asked_of, key_of
from reports.nightly.night_facts import NightFacts
from reports.regression.bill import usd_per_million
from reports.regression.within_night import FEWEST_REQUESTS, log_error

THE_RUN = "the run"
_UNTRUSTED = ("invalid", "interrupted", "refused", "error")
QUANTILES: dict[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def load_record(
    document: LoadDocument, *, plan: str, step: str, night: NightFacts, purpose: Purpose
) -> RunRecord:
    """The record of a load run."""
    run = document.provenance
    reasons = invalid_reasons(document)
    bill = [part for part in document.spent.parts if part.usd is not None]
    return RunRecord(
        run_id=run.run_id,
        night_id=night.night_id,
        sequence=night.sequence,
        night=night.night,
        plan=plan,
        step=step,
        kind="load",
        purpose=purpose,
        started_utc=run.started_utc,
        finished_utc=run.finished_utc,
        verdict=document.verdict,
        valid=not reasons,
        invalid_reasons=reasons,
        key=key_of(document),
        asked=asked_of(document),
        branch=night.branch,
        git_commit=night.git_commit,
        tool_version=run.tool_version,
        versions=_versions(document),
        environment=night.environment,
        prices=_prices(document),
        points=[*_latencies(document), *_cost(document, bill)],
        blocks=[ScopeBlocks(scope=scope, blocks=[*blocks]) for scope, blocks in judged(document)],
        bill=bill,
        bill_requests=admitted(document) or None,
        spent_usd=document.spent.usd,
    )


def invalid_reasons(document: LoadDocument | TuneDocument) -> list[str]:
    """Why a run's figures are not those of its profile or function; empty where they are.

    A run that failed its thresholds was measured as any other, unless one of them ended it.
    """
    if document.verdict in _UNTRUSTED:
        found = document.validity.reasons if document.kind == "load" else []
        said = list(dict.fromkeys([*found, *document.errors])) or ["no reason is given"]
        return [f"{document.verdict}: {reason}" for reason in said]
    if document.kind == "load":
        ended = [one.that for one in document.thresholds if one.aborted]
        return [f"ended early by its threshold {that}" for that in ended]
    return []


def scopes(document: LoadDocument) -> Iterator[tuple[str, Sequence[LatencyBlock]]]:
    """The run and its steps with their blocks of time, under the names that figures have.

    Two scenarios may have steps of one name: those are told apart by their scenario.
    """
    if document.histograms is not None and document.histograms.blocks:
        yield THE_RUN, document.histograms.blocks
    names = [step.name for step in document.steps]
    for step in document.steps:
        if step.blocks:
            is_alone = names.count(step.name) == 1 and step.name != THE_RUN
            yield step.name if is_alone else f"{step.scenario}: {step.name}", step.blocks


def judged(document: LoadDocument) -> list[tuple[str, Sequence[LatencyBlock]]]:
    """The scopes whose quantiles are kept: of a run of one step that step alone.

    The run has the same requests then, and what is judged twice makes each judgement weaker.
    """
    found = [*scopes(document)]
    is_one_step = len(document.steps) == 1 and len(found) == 2
    return [one for one in found if one[0] != THE_RUN] if is_one_step else found


def absent_of_load(document: LoadDocument) -> list[str]:
    """Which quantiles are not kept, and why."""
    if document.search is not None:
        return ["a search sends what it finds out: its latencies are not those of other nights"]
    known = judged(document)
    found = [] if known else ["no histograms by blocks of time: no quantile is kept"]
    for scope, blocks in known:
        n = sum(block.ok for block in blocks)
        few = [(name, FEWEST_REQUESTS[q]) for name, q in QUANTILES.items()]
        few = [(name, needed) for name, needed in few if n < needed]
        if few:
            needs = ", ".join(f"{name} needs {needed:,}" for name, needed in few)
            found.append(f"{scope}: {n:,} ok requests are too few: {needs}")
    return found


# -- latencies --------------------------------------------------------------------------------


def _latencies(document: LoadDocument) -> Iterator[SeriesPoint]:
    """Quantiles of ok responses; none of a search, whose rates differ from night to night."""
    if document.search is not None:
        return
    for scope, blocks in judged(document):
        known = [(block, decoded(block.ok_response)) for block in blocks if block.ok_response]
        histograms = [histogram for _, histogram in known]
        n = sum(histogram.n for histogram in histograms)
        phases = [
            _phase_of(block, document.phases, index) for index, (block, _) in enumerate(known)
        ]
        for metric, q in QUANTILES.items():
            if n < FEWEST_REQUESTS[q]:
                continue
            value_ms = quantile_ms(merged(histograms), q)
            if value_ms > 0:
                error = log_error(histograms, q, phases)
                yield SeriesPoint(
                    scope=scope, metric=metric, unit="ms", value=value_ms, error_ln=error, n=n
                )


def _phase_of(block: LatencyBlock, phases: Sequence[PhaseSlice], index: int) -> int:
    """The phase that a block lies in; a number of its own where it reaches over several."""
    middle = (block.from_s + block.to_s) / 2
    touched = [
        at
        for at, phase in enumerate(phases)
        if phase.from_s < block.to_s - 1 and phase.to_s > block.from_s + 1
    ] or [at for at, phase in enumerate(phases) if phase.from_s <= middle < phase.to_s]
    return touched[0] if len(touched) == 1 else len(phases) + index


# -- money and facts --------------------------------------------------------------------------


def admitted(document: LoadDocument) -> int:
    """Requests of all phases that were completed and not throttled: those that a bill is of."""
    slices: Sequence[PhaseSlice | LoadDocument] = document.phases or [document]
    return sum(one.requests.completed - one.outcomes.throttled for one in slices)


def _cost(document: LoadDocument, bill: Sequence[LoadCostPart]) -> Iterator[SeriesPoint]:
    n = admitted(document)
    value = usd_per_million(bill, n)
    if value:
        unit: Literal["usd_per_million"] = "usd_per_million"
        yield SeriesPoint(scope=THE_RUN, metric="cost", unit=unit, value=value, error_ln=None, n=n)


def _prices(document: LoadDocument) -> PricesUsed | None:
    """Lambda's list prices where the bill has them; those of each part are in the bill."""
    spent = document.spent
    unit_usd = {part.part: part.unit_usd for part in spent.parts if part.unit_usd is not None}
    if spent.prices_date is None or "lambda_duration" not in unit_usd:
        return None
    return PricesUsed(
        table_date=spent.prices_date,
        gb_second_usd=unit_usd["lambda_duration"],
        request_usd=unit_usd.get("lambda_requests", 0.0),
    )


def _versions(document: LoadDocument) -> list[str]:
    """`search 7`: the versions that answered, by the metrics and logs of the functions."""
    found: dict[str, None] = {}
    for seen in document.telemetry.functions if document.telemetry else ():
        names = [one.version for one in seen.versions] or [seen.qualifier or ""]
        found.update({f"{seen.function} {name}": None for name in names if name})
    return list(found)
