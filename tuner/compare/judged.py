"""The sizes that the verdict goes by, and the verdict; pure.

These are the size in use and the one that the later run recommends: what happens to callers and
to the bill. They are asked first and for themselves, so that the number of other sizes in the
table takes nothing from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ExitCode
from reports.compare_document import CompareVerdict, Difference, JudgedSize, Role
from reports.figures import listed_sizes, megabytes
from tuner.compare.verdicts import COST, DURATION, changes_of, no_worse

if TYPE_CHECKING:
    from tuner.compare.costs import CostRatios
    from tuner.compare.shift import Shift
    from tuner.compare.tunings import Tuning


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of a comparison; `errors` say what is wrong, or what cannot be told."""

    verdict: CompareVerdict
    exit_code: ExitCode
    errors: list[str]


def judged_sizes(
    before: Tuning, after: Tuning, shift: Shift | None, costs: CostRatios, tolerance_share: float
) -> list[JudgedSize]:
    """The sizes to judge; without a shift only whether they fail is known."""
    roles = _roles(after)
    failing = {size: (before.failure(size), after.failure(size)) for size in roles}
    asked = [size for size in roles if failing[size] == (None, None)] if shift else []
    duration = cost = {}
    if shift and asked:
        draws = [shift.at(size) for size in asked]
        duration = dict(zip(asked, changes_of(draws, tolerance_share, DURATION), strict=True))
        bills = [costs.at(size, own) for size, own in zip(asked, draws, strict=True)]
        cost = dict(zip(asked, changes_of(bills, tolerance_share, COST), strict=True))
    return [
        JudgedSize(
            memory_mb=size,
            roles=of_size,
            measured=shift is not None and size in shift.sizes_mb,
            duration=duration.get(size),
            cost=cost.get(size),
            fails_before=failing[size][0],
            fails_after=failing[size][1],
        )
        for size, of_size in roles.items()
    ]


def _roles(after: Tuning) -> dict[int, list[Role]]:
    roles: dict[int, list[Role]] = {after.document.current.memory_mb: ["in use"]}
    if after.recommended_mb is not None:
        roles.setdefault(after.recommended_mb, []).append("recommended")
    return roles


def judge(
    judged: Sequence[JudgedSize],
    differences: Sequence[Difference],
    sizes_mb: Sequence[int],
    tolerance_share: float,
) -> Judgement:
    """Regression, none, or nothing that can be told; `sizes_mb` are those that both measured."""
    apart = [item for item in differences if not item.comparable]
    if apart:
        return _untold([f"not comparable: {apart[0].what}: {apart[0].meaning}"])
    worse = [problem for size in judged for problem in _worse(size)]
    if worse:
        return Judgement("fail", ExitCode.FAILED, worse)
    if not sizes_mb:
        return _untold(["no size was measured by both runs; give both the same --sizes"])
    open_mb = [size.memory_mb for size in judged if not _is_clear(size, tolerance_share)]
    if open_mb:
        doubt = f"whether {listed_sizes(open_mb)} got slower or dearer cannot be told"
        return _untold([f"{doubt}; more samples, at the same sizes in both runs, may tell"])
    return Judgement("pass", ExitCode.PASS, [])


def _untold(errors: list[str]) -> Judgement:
    return Judgement("inconclusive", ExitCode.INCONCLUSIVE, errors)


def _worse(size: JudgedSize) -> list[str]:
    where = f"{megabytes(size.memory_mb)} ({' and '.join(size.roles)})"
    if size.fails_after and not size.fails_before:
        return [f"{where} fails now: {size.fails_after}"]
    found = [change.verdict for change in (size.duration, size.cost) if change]
    worse = [verdict for verdict in found if verdict in ("slower", "dearer")]
    return [f"{where} got {' and '.join(worse)}"] if worse else []


def _is_clear(size: JudgedSize, tolerance_share: float) -> bool:
    if size.fails_before:
        # Nothing was there that could get worse.
        return True
    return all(
        change is not None and no_worse(change, tolerance_share)
        for change in (size.duration, size.cost)
    )
