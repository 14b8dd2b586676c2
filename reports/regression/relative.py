"""The relative gate: tonight against the nights before, all figures of a night at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.regression.series import Observation, Series

Answer = Literal["same", "worse", "better", "too few nights"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Tonight's figure beside its baseline; logarithms of values throughout.

    `limit` is the y from which it is called worse; `smallest_step` the ln change that a single
    night finds with 80 % power. None where there are too few nights.
    """

    answer: Answer
    nights: int
    center: float | None = None
    scale: float | None = None
    freedom: float | None = None
    change: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    limit: float | None = None
    smallest_step: float | None = None


def judge(
    tonight: Mapping[str, Observation],
    baselines: Mapping[str, Series],
    *,
    family_error: float = 0.05,
    min_nights: int = 10,
) -> dict[str, Judgement]:
    """What came of each figure of tonight; `baselines` has at most the window's nights of each."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whether further runs of the same night agree with a suspected change."""

    confirmed: bool
    change: float
    interval: tuple[float, float]
    p_value: float
    words: str


def confirm_by_reruns(
    judgement: Judgement, reruns: Sequence[Observation], floor_share: float
) -> Confirmation:
    """By plain reruns, each of which may be as noisy as a night."""
    raise NotImplementedError


def confirm_by_pairs(pairs: Sequence[tuple[float, float]], floor_share: float) -> Confirmation:
    """By A/B blocks: pairs of ln(value) of the baseline's and of the newer version."""
    raise NotImplementedError
