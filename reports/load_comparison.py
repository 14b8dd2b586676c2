"""Two load runs compared: read from their documents, told apart from noise, judged; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.block_difference import FEWEST_BLOCKS
from reports.figures import listed
from reports.load_compare_blocks import (
    BlockPair,
    latency_difference,
    needed_ok,
    rate_difference,
    share_difference,
)
from reports.load_compare_document import (
    ComparedPart,
    LoadCompareDocument,
    Metric,
    MetricChange,
)
from reports.load_compare_judge import EXIT_CODES, Measured, judged, overall
from reports.load_compare_keys import load_differences, profile_changes
from reports.load_compare_runs import compared_run, usd_per_million
from reports.load_compare_step import next_step
from reports.load_document import LoadDocument, LoadPercentiles, Slice, StepSlice
from reports.load_histograms import LatencyBlock
from reports.load_words import failed_count

QUANTILES: tuple[tuple[Metric, float], ...] = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
_OTHER_STEPS = "the runs have other steps"
_NO_BLOCKS = "a run has no histograms by block of time"


def compare_loads(
    before: LoadDocument, after: LoadDocument, names: tuple[str, str], *, forced: bool = False
) -> LoadCompareDocument:
    """What changed from the baseline to the newer run; `names` are as they were given."""
    found = load_differences(before, after)
    against = [one for one in found if not one.comparable]
    parts: list[ComparedPart] = []
    pairs = _step_pairs(before, after)
    if not against or forced:
        parts = _parts(before, after, pairs)
    verdict = overall(parts)
    errors: list[str] = []
    invalid = _invalid(before, after)
    if against and not forced:
        verdict = "not comparable"
        errors = [f"{one.what}: {one.before} -> {one.after}; {one.meaning}" for one in against]
    elif invalid:
        verdict, errors = "invalid", invalid
    document = LoadCompareDocument(
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        errors=errors,
        notes=_notes(before, after),
        next_step="",
        forced=forced and bool(against),
        before=compared_run(before, names[0]),
        after=compared_run(after, names[1]),
        differences=found,
        profile_changes=profile_changes(before, after),
        parts=parts,
        only_before=_missing(before, after),
        only_after=_missing(after, before),
    )
    return document.model_copy(update={"next_step": next_step(document)})


def _invalid(before: LoadDocument, after: LoadDocument) -> list[str]:
    return [
        f"the {name} is not valid: {listed(run.validity.reasons) or 'no reason is given'}"
        for name, run in (("baseline", before), ("newer run", after))
        if run.validity.verdict == "invalid"
    ]


def _notes(before: LoadDocument, after: LoadDocument) -> list[str]:
    first, second = before.provenance.started_utc, after.provenance.started_utc
    notes = []
    if second < first:
        notes.append("the second run is the older one: changes are from the first to the second")
    notes += [
        f"the {name} warns: {warning}"
        for name, run in (("baseline", before), ("newer run", after))
        for warning in run.validity.warnings
    ]
    return notes


def _keyed(document: LoadDocument) -> dict[tuple[str, str, str, str, int], StepSlice]:
    """Steps by what they are; a flow may have the same one twice, so that its turn counts too."""
    keyed: dict[tuple[str, str, str, str, int], StepSlice] = {}
    for step in document.steps:
        what = step.scenario, step.name, step.method, step.path
        turn = sum(key[:4] == what for key in keyed)
        keyed[(*what, turn)] = step
    return keyed


def _step_pairs(before: LoadDocument, after: LoadDocument) -> list[tuple[StepSlice, StepSlice]]:
    earlier = _keyed(before)
    return [(earlier[key], step) for key, step in _keyed(after).items() if key in earlier]


def _missing(one: LoadDocument, other: LoadDocument) -> list[str]:
    known = _keyed(other)
    return [
        f"{step.scenario}: {step.name}" for key, step in _keyed(one).items() if key not in known
    ]


def _parts(
    before: LoadDocument, after: LoadDocument, steps: Sequence[tuple[StepSlice, StepSlice]]
) -> list[ComparedPart]:
    """The whole run, and its steps where there are several: one step is the whole run."""
    same_schedule = before.provenance.profile_sha256 == after.provenance.profile_sha256
    pair = BlockPair(_run_blocks(before), _run_blocks(after), same_schedule)
    whole = [*_measured(before, after, pair), *_cost(before, after)]
    is_unlike = len(steps) < max(len(before.steps), len(after.steps))
    if is_unlike:
        # Another mix of steps has other latencies, whatever each step does.
        whole = [replace(one, estimate=None, why=_OTHER_STEPS) for one in whole]
    several = steps if is_unlike or len(steps) > 1 else []
    measured = [whole] + [
        _measured(first, second, BlockPair(first.blocks, second.blocks, same_schedule))
        for first, second in several
    ]
    changes = judged(measured)
    parts = [_part("the whole run", None, before, after, changes[0])]
    return parts + [
        _part(second.name, second.scenario, first, second, own)
        for (first, second), own in zip(several, changes[1:], strict=True)
    ]


def _part(
    name: str,
    scenario: str | None,
    before: Slice | LoadDocument,
    after: Slice | LoadDocument,
    changes: list[MetricChange],
) -> ComparedPart:
    return ComparedPart(
        name=name,
        scenario=scenario,
        ok_before=before.outcomes.ok,
        ok_after=after.outcomes.ok,
        changes=changes,
    )


def _run_blocks(document: LoadDocument) -> list[LatencyBlock]:
    return [] if document.histograms is None else document.histograms.blocks


def _measured(
    before: Slice | LoadDocument, after: Slice | LoadDocument, pair: BlockPair
) -> list[Measured]:
    """Latencies, shares and rate of one part, in the order of the tables."""
    return [
        *(_latency(name, q, before, after, pair) for name, q in QUANTILES),
        _share("throttled", before, after, pair),
        _share("failed", before, after, pair),
        _rate(before, after, pair),
    ]


def _latency(
    name: Metric,
    q: float,
    before: Slice | LoadDocument,
    after: Slice | LoadDocument,
    pair: BlockPair,
) -> Measured:
    found = latency_difference(pair, q)
    return Measured(
        name,
        _percentile(before.ok_response_ms, name),
        _percentile(after.ok_response_ms, name),
        found,
        "" if found else _why_no_latency(pair, q),
    )


def _percentile(found: LoadPercentiles | None, name: str) -> float | None:
    value: float | None = getattr(found, name, None)
    return value


def _why_no_latency(pair: BlockPair, q: float) -> str:
    fewest = min(len(pair.before), len(pair.after))
    if not fewest:
        return _NO_BLOCKS
    if fewest < FEWEST_BLOCKS:
        return f"{fewest} blocks of time are too few: the run is too short"
    return f"too few ok requests: a block of time needs {needed_ok(q):,}"


def _share(
    name: Metric, before: Slice | LoadDocument, after: Slice | LoadDocument, pair: BlockPair
) -> Measured:
    def count(part: Slice | LoadDocument) -> int:
        return part.outcomes.throttled if name == "throttled" else failed_count(part.outcomes)

    def of_block(block: LatencyBlock) -> int:
        return block.throttled if name == "throttled" else block.failed

    def share(part: Slice | LoadDocument) -> float | None:
        completed = part.requests.completed
        return count(part) / completed if completed else None

    found = share_difference(pair, of_block)
    return Measured(
        name,
        share(before),
        share(after),
        found,
        "" if found else _why_none(pair),
        never=not count(before) and not count(after),
    )


def _rate(before: Slice | LoadDocument, after: Slice | LoadDocument, pair: BlockPair) -> Measured:
    found = rate_difference(pair)
    return Measured(
        "admitted",
        before.rates.admitted_rps,
        after.rates.admitted_rps,
        found,
        "" if found else _why_none(pair),
    )


def _why_none(pair: BlockPair) -> str:
    fewest = min(len(pair.before), len(pair.after))
    if not fewest:
        return _NO_BLOCKS
    if fewest < FEWEST_BLOCKS:
        return f"{fewest} blocks of time are too few: the run is too short"
    return "nothing was completed in one of the runs"


def _cost(before: LoadDocument, after: LoadDocument) -> list[Measured]:
    costs = usd_per_million(before, after)
    if costs == (None, None):
        return []
    why = "not known in both runs" if None in costs else "a bill has no interval"
    return [Measured("cost", *costs, None, why)]
