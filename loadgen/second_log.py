"""The latencies of each second of a run, compact: six bytes for each slot that is in use.

Frames bring small histograms for the second in which requests were due, often several for the
same one: of other injectors, and of requests that took long. They are appended as columns; a
window of seconds is gathered from the columns with a few numpy calls, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from loadgen.histogram import Histogram, combined
from loadgen.outcome import Outcome
from loadgen.totals import NO_LATENCIES, Latencies

Ints = NDArray[np.int64]

_PARTS_MOST = 8  # of one second before they become one


class Key(NamedTuple):
    """What a histogram is of; `code` packs it into one number."""

    phase: int
    step: int
    outcome: int
    metric: int

    @property
    def code(self) -> int:
        """The key in 40 bits."""
        return self.phase << 24 | self.step << 8 | self.outcome << 4 | self.metric

    @classmethod
    def of(cls, code: int) -> Key:
        """The key that has `code`."""
        return cls(code >> 24, code >> 8 & 0xFFFF, code >> 4 & 0xF, code & 0xF)


@dataclass(frozen=True, slots=True)
class _Part:
    """Histograms as columns: rows of `heads`, and their slots one after the other."""

    codes: Ints
    lengths: Ints  # slots of each
    sums_us: Ints
    mins_us: Ints
    maxs_us: Ints
    slots: NDArray[np.uint16]
    counts: NDArray[np.uint32]


class SecondLog:
    """Histograms by second and key."""

    def __init__(self) -> None:
        self._parts: dict[int, list[_Part]] = {}

    def __contains__(self, second: int) -> bool:
        return second in self._parts

    def add(self, second: int, histograms: Iterable[tuple[Key, Histogram]]) -> None:
        """More of a second; a key may come several times."""
        rows = [(key.code, histogram) for key, histogram in histograms if histogram.n]
        if not rows:
            return
        parts = self._parts.setdefault(second, [])
        parts.append(_part_of(rows))
        if len(parts) > _PARTS_MOST:
            self._parts[second] = [_merged(parts)]

    def of_second(self, second: int) -> dict[Key, Histogram]:
        """All of one second."""
        parts = self._parts.get(second)
        return _histograms(_merged(parts)) if parts else {}

    def replace(self, second: int, histograms: Mapping[Key, Histogram]) -> None:
        """These and no others are of `second` now."""
        self._parts.pop(second, None)
        self.add(second, histograms.items())

    def window(self, seconds: range, phases: Collection[int], step: int | None) -> Latencies:
        """What `seconds` have of some phases and of one step, or of all steps."""
        parts = [part for second in seconds for part in self._parts.get(second, ())]
        return Latencies(_Window(parts, phases, step).histogram) if parts else NO_LATENCIES

    def by_step(
        self, seconds: range, phases: Collection[int], metric: int, outcome: Outcome
    ) -> dict[int, Histogram]:
        """One metric of one outcome in `seconds`, by step."""
        parts = [part for second in seconds for part in self._parts.get(second, ())]
        if not parts:
            return {}
        whole = _joined(parts)
        codes = whole.codes
        wanted = np.isin(codes >> 24, list(phases)) & (codes & 0xFF == outcome << 4 | metric)
        entries = np.repeat(wanted, whole.lengths)
        chosen = _Part(
            codes=codes[wanted] & 0xFFFFFF,  # of all phases together
            lengths=whole.lengths[wanted],
            sums_us=whole.sums_us[wanted],
            mins_us=whole.mins_us[wanted],
            maxs_us=whole.maxs_us[wanted],
            slots=whole.slots[entries],
            counts=whole.counts[entries],
        )
        if not len(chosen.codes):
            return {}
        return {key.step: one for key, one in _histograms(_merged([chosen])).items()}


class _Window:
    """The parts of a window. Parts never change, so what comes later does not show in it."""

    def __init__(self, parts: list[_Part], phases: Collection[int], step: int | None) -> None:
        self._parts = parts
        self._phases = phases
        self._step = step
        self._whole: tuple[_Part, NDArray[np.bool_]] | None = None

    def histogram(self, metric: int, outcome: Outcome | None) -> Histogram:
        whole, wanted = self._whole or self._join()
        wanted = wanted & (whole.codes & 0xF == metric)
        if outcome is not None:
            wanted &= whole.codes >> 4 & 0xF == outcome
        return _gathered(whole, wanted)

    def _join(self) -> tuple[_Part, NDArray[np.bool_]]:
        whole = _joined(self._parts)
        wanted = np.isin(whole.codes >> 24, list(self._phases))
        if self._step is not None:
            wanted &= whole.codes >> 8 & 0xFFFF == self._step
        self._whole = whole, wanted
        return self._whole


def _part_of(rows: list[tuple[int, Histogram]]) -> _Part:
    entries = [histogram.slots_and_counts() for _, histogram in rows]
    return _Part(
        codes=np.array([code for code, _ in rows], np.int64),
        lengths=np.array([len(slots) for slots, _ in entries], np.int64),
        sums_us=np.array([histogram.sum_us for _, histogram in rows], np.int64),
        mins_us=np.array([histogram.min_us for _, histogram in rows], np.int64),
        maxs_us=np.array([histogram.max_us for _, histogram in rows], np.int64),
        slots=np.concatenate([slots for slots, _ in entries]).astype(np.uint16),
        counts=np.concatenate([counts for _, counts in entries]).astype(np.uint32),
    )


def _joined(parts: list[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    return _Part(
        codes=np.concatenate([part.codes for part in parts]),
        lengths=np.concatenate([part.lengths for part in parts]),
        sums_us=np.concatenate([part.sums_us for part in parts]),
        mins_us=np.concatenate([part.mins_us for part in parts]),
        maxs_us=np.concatenate([part.maxs_us for part in parts]),
        slots=np.concatenate([part.slots for part in parts]),
        counts=np.concatenate([part.counts for part in parts]),
    )


def _merged(parts: list[_Part]) -> _Part:
    """One part in which every key has one row."""
    if len(parts) == 1 and (np.diff(parts[0].codes) > 0).all():
        return parts[0]
    whole = _joined(parts)
    codes, rows = np.unique(whole.codes, return_inverse=True)
    entries = np.repeat(rows, whole.lengths) << 16 | whole.slots
    keys, counts = combined(entries, whole.counts.astype(np.int64))
    order = rows.argsort(kind="stable")
    begins = np.searchsorted(rows[order], np.arange(len(codes)))
    return _Part(
        codes=codes,
        lengths=np.bincount(keys >> 16, minlength=len(codes)),
        sums_us=np.add.reduceat(whole.sums_us[order], begins),
        mins_us=np.minimum.reduceat(whole.mins_us[order], begins),
        maxs_us=np.maximum.reduceat(whole.maxs_us[order], begins),
        slots=(keys & 0xFFFF).astype(np.uint16),
        counts=counts.astype(np.uint32),
    )


def _histograms(part: _Part) -> dict[Key, Histogram]:
    ends = np.cumsum(part.lengths)
    return {
        Key.of(int(part.codes[row])): Histogram.from_slots(
            part.slots[end - length : end].astype(np.int64),
            part.counts[end - length : end].astype(np.int64),
            min_us=int(part.mins_us[row]),
            max_us=int(part.maxs_us[row]),
            sum_us=int(part.sums_us[row]),
        )
        for row, (end, length) in enumerate(zip(ends.tolist(), part.lengths.tolist(), strict=True))
    }


def _gathered(whole: _Part, rows: NDArray[np.bool_]) -> Histogram:
    """The sum of the histograms in the chosen rows."""
    if not rows.any():
        return Histogram()
    entries = np.repeat(rows, whole.lengths)
    sums = np.bincount(whole.slots[entries], weights=whole.counts[entries])
    used = np.flatnonzero(sums)
    return Histogram.from_slots(
        used,
        sums[used].astype(np.int64),
        min_us=int(whole.mins_us[rows].min()),
        max_us=int(whole.maxs_us[rows].max()),
        sum_us=int(whole.sums_us[rows].sum()),
    )
