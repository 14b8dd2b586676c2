"""Two runs compared: told apart from noise, judged; pure."""

from __future__ import annotations

import numpy as np

from reports.compare_document import CompareDocument, SizeChange
from reports.figures import listed_sizes
from tuner.compare.choices import choice_change
from tuner.compare.costs import CostRatios
from tuner.compare.differences import differences
from tuner.compare.failing import call_failures
from tuner.compare.judged import judge, judged_sizes
from tuner.compare.levels import LevelPair, level_pairs
from tuner.compare.shift import Shift, believe_shift
from tuner.compare.starts import start_change
from tuner.compare.tunings import Tuning
from tuner.compare.verdicts import COST, DURATION, change_of, changes_of
from tuner.estimate import Floats
from tuner.objective import Goal
from tuner.recorded import recorded_price
from tuner.sample import warm_durations
from tuner.worth import Worth


def compare_tunings(before: Tuning, after: Tuning, tolerance_share: float) -> CompareDocument:
    """What changed from one run to the other."""
    pairs = level_pairs(_durations(before), _durations(after))
    costs = _costs(before, after, pairs)
    rng = np.random.default_rng(after.document.provenance.seed)
    shift = believe_shift(pairs, rng) if pairs else None
    found = differences(before.document, after.document)
    judged = judged_sizes(before, after, shift, costs, tolerance_share)
    verdict = judge(judged, found, [pair.memory_mb for pair in pairs], tolerance_share)
    document = CompareDocument(
        verdict=verdict.verdict,
        exit_code=verdict.exit_code,
        errors=verdict.errors,
        notes=_notes(before, after, pairs),
        tolerance_share=tolerance_share,
        before=before.summary,
        after=after.summary,
        differences=found,
        duration=change_of(shift.mean, tolerance_share, DURATION) if shift else None,
        cost=change_of(_mean_cost(shift, costs), tolerance_share, COST) if shift else None,
        sizes=_rows(pairs, shift, costs, tolerance_share) if shift else [],
        judged=judged,
        choice=choice_change(before, after, tolerance_share),
        failures=call_failures(before, after),
        starts=start_change(before.samples, after.samples, tolerance_share),
    )
    return _agreeing(document)


def _durations(run: Tuning) -> dict[int, list[float]]:
    """Warm durations in ms of the sizes that can be used."""
    failing = {size.memory_mb for size in run.document.sizes if size.failure is not None}
    sizes = {sample.memory_mb for sample in run.samples} - failing
    return warm_durations(run.samples, sorted(sizes))


def _costs(before: Tuning, after: Tuning, pairs: list[LevelPair]) -> CostRatios:
    """Prices of one place and architecture are those of the later run, so that only calls count."""
    first, second = before.document.function, after.document.function
    later = recorded_price(after.document)
    is_same = (first.region, first.arch) == (second.region, second.arch)
    earlier = later if is_same else recorded_price(before.document)
    return CostRatios(
        Worth(Goal("cost"), earlier, first.ephemeral_storage_mb),
        Worth(Goal("cost"), later, second.ephemeral_storage_mb),
        pairs,
    )


def _mean_cost(shift: Shift, costs: CostRatios) -> Floats:
    bills = [costs.at(size, shift.at(size)) for size in shift.sizes_mb]
    return np.asarray(np.mean(bills, axis=0))


def _rows(
    pairs: list[LevelPair], shift: Shift, costs: CostRatios, tolerance_share: float
) -> list[SizeChange]:
    draws = [shift.at(pair.memory_mb) for pair in pairs]
    bills = [costs.at(pair.memory_mb, own) for pair, own in zip(pairs, draws, strict=True)]
    return [
        SizeChange(
            memory_mb=pair.memory_mb,
            n_before=pair.before.n,
            n_after=pair.after.n,
            before_ms=float(np.exp(pair.before.log_ms)),
            after_ms=float(np.exp(pair.after.log_ms)),
            duration=duration,
            cost=cost,
        )
        for pair, duration, cost in zip(
            pairs,
            changes_of(draws, tolerance_share, DURATION),
            changes_of(bills, tolerance_share, COST),
            strict=True,
        )
    ]


def _agreeing(document: CompareDocument) -> CompareDocument:
    """A size that is judged has the same verdict in the table, where Holm's rule is stricter."""
    judged = {size.memory_mb: size for size in document.judged if size.duration and size.cost}
    rows = [
        row
        if (own := judged.get(row.memory_mb)) is None
        else row.model_copy(update={"duration": own.duration, "cost": own.cost})
        for row in document.sizes
    ]
    return document.model_copy(update={"sizes": rows})


def _notes(before: Tuning, after: Tuning, pairs: list[LevelPair]) -> list[str]:
    notes = []
    for name, run in (("first", before), ("second", after)):
        if run.document.verdict == "interrupted":
            notes.append(f"the {name} run was stopped before its end")
    if after.summary.started_utc < before.summary.started_utc:
        notes.append("the second run is the older one: changes are from the first to the second")
    one_sided = sorted(
        {size for run in (before, after) for size in _durations(run)}
        - {pair.memory_mb for pair in pairs}
    )
    if one_sided and pairs:
        notes.append(f"not compared, since only one run measured it: {listed_sizes(one_sided)}")
    if before.document.cold or after.document.cold:
        notes.append("warm calls are compared; the mix with cold calls is in neither figure")
    return notes
