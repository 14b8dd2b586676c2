"""Whether calls fail more often than before, and sizes that began to fail; pure."""

from __future__ import annotations

from math import comb
from typing import Literal

from reports.compare_document import CallFailures
from tuner.compare.tunings import Tuning

_LEVEL = 0.05


def call_failures(before: Tuning, after: Tuning) -> CallFailures:
    """Failed and lost calls of the two runs, at the sizes that work in both."""
    first, second = _failing(before), _failing(after)
    working = [
        size
        for size in _measured(before) & _measured(after)
        if size not in first and size not in second
    ]
    before_failed, before_calls = _counts(before, working)
    after_failed, after_calls = _counts(after, working)
    return CallFailures(
        before_failed=before_failed,
        before_calls=before_calls,
        after_failed=after_failed,
        after_calls=after_calls,
        verdict=_verdict(before_failed, before_calls, after_failed, after_calls),
        newly_failing={
            size: why
            for size, why in second.items()
            if size not in first and size in _measured(before)
        },
        no_longer_failing=[
            size for size in first if size not in second and size in _measured(after)
        ],
    )


def _failing(run: Tuning) -> dict[int, str]:
    return {s.memory_mb: s.failure for s in run.document.sizes if s.failure is not None}


def _measured(run: Tuning) -> set[int]:
    return {sample.memory_mb for sample in run.samples}


def _counts(run: Tuning, sizes_mb: list[int]) -> tuple[int, int]:
    own = [sample for sample in run.samples if sample.memory_mb in sizes_mb]
    return sum(sample.outcome != "measured" for sample in own), len(own)


def _verdict(
    before_failed: int, before_calls: int, after_failed: int, after_calls: int
) -> Literal["more", "fewer", "cannot be told"]:
    if _chance_of_so_many(after_failed, after_calls, before_failed, before_calls) <= _LEVEL:
        return "more"
    if _chance_of_so_many(before_failed, before_calls, after_failed, after_calls) <= _LEVEL:
        return "fewer"
    return "cannot be told"


def _chance_of_so_many(failed: int, calls: int, others_failed: int, others_calls: int) -> float:
    """The chance that so many or more of all failures are among `calls`, if all are alike.

    Fisher's exact test, one-sided.
    """
    total, failures = calls + others_calls, failed + others_failed
    ways = sum(
        comb(calls, k) * comb(others_calls, failures - k)
        for k in range(failed, min(calls, failures) + 1)
    )
    return ways / comb(total, failures)
