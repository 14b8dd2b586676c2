"""When a difference is called one: noise, what matters, and many sizes at once; pure.

A quantity is called slower (or dearer) when its 90 % interval is above 1 and its estimate beyond
the tolerance. It is called the same when its estimate is within the tolerance and the interval
leaves nothing open that is much larger. Of several sizes, Holm's rule decides which intervals
count: with it, the chance that any of them is called changed though none is stays at ten per cent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from reports.compare_document import Change, ChangeVerdict

if TYPE_CHECKING:
    from tuner.estimate import Floats

_MOST_TOLERANCE = 0.5
# Both sides together: five per cent for "slower though nothing changed".
_LEVEL = 0.10
_QUANTILES = (_LEVEL / 2, 0.5, 1 - _LEVEL / 2)
# What may stay open where nothing is shown. A gate that is to find less needs more samples, which
# its user says by another tolerance.
_LEFT_OPEN = 0.10
_LEFT_OPEN_TOLERANCES = 2.0
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_SHARE = re.compile(r"\s*(\d*\.\d+|\d+)\s*")


@dataclass(frozen=True, slots=True)
class Words:
    """How more and less of a quantity are called."""

    more: ChangeVerdict
    less: ChangeVerdict


DURATION = Words("slower", "faster")
COST = Words("dearer", "cheaper")


def parse_tolerance(text: str) -> float:
    """The share that `--tolerance` names: 0.05 for "5%" as for "0.05".

    Raises:
        InputError: for anything else, and for shares above 50 %.
    """
    percent, share = _PERCENT.fullmatch(text), _SHARE.fullmatch(text)
    found = float(percent[1]) / 100 if percent else float(share[1]) if share else math.inf
    if found > _MOST_TOLERANCE:
        raise InputError(
            f"--tolerance: expected a share from 0 to 50%, as in 5% or 0.05 (got {text!r})"
        )
    return found


def change_of(log_ratios: Floats, tolerance_share: float, words: Words) -> Change:
    """One quantity by itself, from draws of its log-ratio."""
    (only,) = changes_of([log_ratios], tolerance_share, words)
    return only


def changes_of(several: Sequence[Floats], tolerance_share: float, words: Words) -> list[Change]:
    """Several quantities that are asked together, each from draws of its log-ratio."""
    told = _holm([_chance_of_none(draws) for draws in several])
    return [
        _change(np.quantile(draws, _QUANTILES), tolerance_share, words, is_told=is_told)
        for draws, is_told in zip(several, told, strict=True)
    ]


def change_between(
    low: float, middle: float, high: float, tolerance_share: float, words: Words
) -> Change:
    """One quantity from its estimate and its 90 % interval, all as log-ratios."""
    is_told = low > 0 or high < 0
    return _change(np.array([low, middle, high]), tolerance_share, words, is_told=is_told)


def no_worse(change: Change, tolerance_share: float) -> bool:
    """Whether it is shown that there is no increase that matters."""
    most = _left_open(tolerance_share)
    return change.ratio <= 1 + tolerance_share and change.interval[1] <= 1 + most


def _change(quantiles: Floats, tolerance_share: float, words: Words, *, is_told: bool) -> Change:
    low, middle, high = (float(value) for value in quantiles)
    matters, most = math.log1p(tolerance_share), math.log1p(_left_open(tolerance_share))
    verdict: ChangeVerdict = "cannot be told"
    if is_told and abs(middle) > matters:
        verdict = words.more if middle > 0 else words.less
    elif abs(middle) <= matters and -most <= low and high <= most:
        verdict = "same"
    return Change(ratio=math.exp(middle), interval=(math.exp(low), math.exp(high)), verdict=verdict)


def _left_open(tolerance_share: float) -> float:
    return max(_LEFT_OPEN, _LEFT_OPEN_TOLERANCES * tolerance_share)


def _chance_of_none(draws: Floats) -> float:
    """How probable the draws make it that the sign of the change is the other one, both sides."""
    above = float((draws > 0).mean())
    return 2 * min(above, 1 - above)


def _holm(chances: Sequence[float]) -> list[bool]:
    """Which of several hypotheses are told, by Holm's step-down rule (Holm 1979)."""
    told = [False] * len(chances)
    for rank, place in enumerate(sorted(range(len(chances)), key=lambda one: chances[one])):
        if chances[place] > _LEVEL / (len(chances) - rank):
            break
        told[place] = True
    return told
