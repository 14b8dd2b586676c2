"""Blocks of time that a run's latencies are kept by: the unit of intervals and of comparisons.

Blocks are nearly equal, of whole seconds, and lie within measured phases that follow each other; a
request belongs to the one in which it was due. They follow from the schedule, so that two runs of
a profile have the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor, gcd

from core import hdr
from loadgen.histogram import Histogram
from loadgen.outcome import Outcome
from loadgen.schedule import PhasePlan
from loadgen.tally import Tally
from loadgen.totals import StepPart, Totals
from reports.load_histograms import LatencyBlock, RunHistograms

# Of a run that lasts long enough. Eight is the fewest that tell how much blocks vary; more than
# sixteen make documents larger, and blocks so short that neighbours resemble each other.
FEWEST, MOST = 8, 16

_NEVER_S = float("inf")
_NONE = StepPart()


@dataclass(frozen=True, slots=True)
class Block:
    """When a block is, and whose requests it has: by phase, and by the second they were due in.

    Of the last one before a gap is also what was due later: steps of a flow that was begun within
    the phase, and what clients sent again.
    """

    from_s: float
    to_s: float
    phases: frozenset[int]
    seconds: range
    is_last: bool = True  # of phases that follow each other


def measured_blocks(phases: Sequence[PhasePlan], until_s: float = _NEVER_S) -> list[Block]:
    """The blocks of the measured phases, up to where the run was stopped.

    At least `FEWEST` where there are as many seconds, else one for each second. Only where more
    than `MOST` measured phases stand alone does a block reach over the gap between some.
    """
    stretches = _stretches(phases, until_s)
    length_s = _block_length_s([len(stretch.seconds) for stretch in stretches])
    blocks = [block for stretch in stretches for block in _cut(stretch, length_s)]
    return blocks if len(blocks) <= MOST else _joined(blocks, length_s)


def latency_blocks(tally: Tally) -> tuple[list[LatencyBlock], list[list[LatencyBlock]]]:
    """The blocks of the whole run, and those of each step.

    Steps that are called in some phases only have their blocks there; without a request, none.
    """
    reader = _Reader(tally)
    run = [_latency_block(block, parts.values()) for block, parts in reader.blocks(tally.measured)]
    steps: list[list[LatencyBlock]] = []
    for step in tally.steps:
        found = reader.blocks(reader.phases_of.get(step.index, frozenset()))
        steps.append(
            [_latency_block(block, [parts.get(step.index, _NONE)]) for block, parts in found]
        )
    return run, steps


def run_histograms(whole: Totals, blocks: Sequence[LatencyBlock]) -> RunHistograms:
    """The histograms of the measured phases."""
    return RunHistograms(
        response=_text(whole.response),
        service=_text(whole.service),
        ok_response=_text(whole.ok_response),
        blocks=list(blocks),
    )


# -- where blocks lie -----------------------------------------------------------------------------


def _stretches(phases: Sequence[PhasePlan], until_s: float) -> list[Block]:
    """Measured phases that follow each other without a gap, as one block."""
    found: list[Block] = []
    for plan in phases:
        if not plan.measured or (plan.from_s > 0 and plan.from_s >= until_s):
            continue
        first, to_s = floor(plan.from_s), min(plan.to_s, until_s)
        seconds = range(first, max(ceil(to_s), first + 1))
        # A burst at once has no length, and is taken as a second.
        one = Block(plan.from_s, max(to_s, plan.from_s), frozenset({plan.index}), seconds)
        if to_s <= plan.from_s:
            one = replace(one, to_s=float(seconds.stop))
        if found and plan.from_s <= found[-1].to_s:
            found[-1] = _join(found[-1], one)
        else:
            found.append(one)
    return found


def _block_length_s(lengths_s: Sequence[int]) -> int:
    """Seconds of a block: the longest that divides all lengths, if there is a fitting one."""
    whole = sum(lengths_s)
    shortest, longest = max(ceil(whole / MOST), 1), max(whole // FEWEST, 1)
    common = gcd(*lengths_s)
    return max((n for n in range(shortest, longest + 1) if common % n == 0), default=longest)


def _cut(stretch: Block, length_s: int) -> Iterable[Block]:
    """Parts of `stretch` of at most `length_s`, as equal as whole seconds can be."""
    start, seconds = stretch.seconds.start, len(stretch.seconds)
    parts = ceil(seconds / length_s)
    edges = [start + round(seconds * part / parts) for part in range(parts + 1)]
    for number, (first, end) in enumerate(pairwise(edges), 1):
        yield Block(
            from_s=max(float(first), stretch.from_s),
            to_s=stretch.to_s if number == parts else float(end),
            phases=stretch.phases,
            seconds=range(first, end),
            is_last=number == parts,
        )


def _joined(blocks: Sequence[Block], length_s: int) -> list[Block]:
    """Neighbours put together, as long as they have no more seconds than a block."""
    found: list[Block] = []
    taken_s = 0
    for block in blocks:
        taken_s += len(block.seconds)
        if found and taken_s <= length_s:
            found[-1] = _join(found[-1], block)
        else:
            found.append(block)
            taken_s = len(block.seconds)
    return found


def _join(one: Block, other: Block) -> Block:
    return Block(
        from_s=one.from_s,
        to_s=max(one.to_s, other.to_s),
        phases=one.phases | other.phases,
        seconds=range(one.seconds.start, max(one.seconds.stop, other.seconds.stop)),
        is_last=other.is_last,
    )


# -- what is in them ------------------------------------------------------------------------------


class _Reader:
    """What each step has in blocks of some phases; read once for all steps of these."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._last_of = tally.last_seconds()
        self._known: dict[frozenset[int], list[tuple[Block, dict[int, StepPart]]]] = {}
        self.phases_of = _phases_by_step(tally)

    def blocks(self, phases: frozenset[int]) -> list[tuple[Block, dict[int, StepPart]]]:
        """The blocks of `phases`, and what became of requests in them by step."""
        if phases not in self._known:
            until_us = self._tally.until_us
            chosen = [plan for plan in self._tally.phases if plan.index in phases]
            blocks = measured_blocks(chosen, _NEVER_S if until_us is None else until_us / 1e6)
            self._known[phases] = [(block, self._read(block)) for block in blocks]
        return self._known[phases]

    def _read(self, block: Block) -> dict[int, StepPart]:
        seconds = block.seconds
        if block.is_last:
            last = max(self._last_of.get(phase, 0) for phase in block.phases)
            seconds = range(seconds.start, max(seconds.stop, last + 1))
        return self._tally.by_step(block.phases, seconds)


def _phases_by_step(tally: Tally) -> dict[int, frozenset[int]]:
    """The measured phases in which requests of each step completed."""
    found: dict[int, set[int]] = {}
    for phase in tally.measured:
        for step, count in enumerate(tally.completed_by_step(phase)):
            if count:
                found.setdefault(step, set()).add(phase)
    return {step: frozenset(phases) for step, phases in found.items()}


def _latency_block(block: Block, given: Iterable[StepPart]) -> LatencyBlock:
    parts = list(given)
    completed = sum(sum(part.outcomes.values()) for part in parts)
    ok, throttled = (
        sum(part.outcomes.get(outcome, 0) for part in parts)
        for outcome in (Outcome.OK, Outcome.THROTTLED)
    )
    return LatencyBlock(
        from_s=block.from_s,
        to_s=block.to_s,
        completed=completed,
        ok=ok,
        throttled=throttled,
        failed=completed - ok - throttled,
        ok_response=_text(Histogram.merged(part.ok_response for part in parts)),
    )


def _text(histogram: Histogram) -> str | None:
    return hdr.encoded(*histogram.slots_and_counts(), level=9) if histogram.n else None
