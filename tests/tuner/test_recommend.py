"""Recommendations hold what they claim: simulated functions whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from reports.document import Recommendation
from tuner.estimate import (
    MIN_SAMPLES_FOR_INTERVAL,
    interval_quantiles,
    typical,
    typical_replicates,
)
from tuner.objective import Goal
from tuner.recommend import SizeEvidence, recommend

SIZES = (128, 256, 512, 1024, 1769, 3008)
RUNS = 300
# 90 % is claimed. With 300 runs the share found strays by 1.7 % (one standard error); two and a
# half of those below is where chance ends.
LEAST_SHARE = 0.857


def measured(
    truths: tuple[float, ...],
    rng: np.random.Generator,
    *,
    n: int = 10,
    heavy: bool = True,
    sigma: float = 0.08,
) -> list[SizeEvidence]:
    """Evidence from `n` noisy costs and durations at each size around the true costs."""
    evidence = []
    for size, truth in zip(SIZES, truths, strict=True):
        noise = rng.standard_t(2.5, n) if heavy else rng.standard_normal(n)
        costs = truth * np.exp(sigma * noise)
        replicates = typical_replicates(costs[:, None], rng, 800)[:, 0]
        evidence.append(
            SizeEvidence(
                memory_mb=size,
                n=n,
                duration_ms=typical(costs) / size,
                billed_ms=typical(costs) / size,
                cost_usd=typical(costs),
                duration_replicates=replicates / size,
                billed_replicates=replicates / size,
                cost_replicates=replicates,
                tails=interval_quantiles(n) if n >= MIN_SAMPLES_FOR_INTERVAL else None,
            )
        )
    return evidence


def answers(truths: tuple[float, ...], *, heavy: bool, sigma: float = 0.08) -> list[Recommendation]:
    rng = np.random.default_rng(11)
    found = [
        recommend(
            measured(truths, rng, heavy=heavy, sigma=sigma), SIZES, Goal("cost"), 512, joint=False
        )
        for _ in range(RUNS)
    ]
    return [answer for answer in found if answer is not None]


TRUTHS = [
    pytest.param((1.0,) * 6, id="all sizes cost the same"),
    pytest.param((1.3, 1.1, 1.0, 1.02, 1.1, 1.6), id="a flat valley"),
    pytest.param((3.0, 2.0, 1.5, 1.2, 1.0, 1.05), id="a slope"),
]


@pytest.mark.parametrize("heavy", [True, False], ids=["heavy tails", "log-normal"])
@pytest.mark.parametrize("truths", TRUTHS)
def test_the_true_best_is_among_the_tied_as_often_as_claimed(
    truths: tuple[float, ...],
    heavy: bool,  # noqa: FBT001 # a column of the table
) -> None:
    best = SIZES[int(np.argmin(truths))]

    share = np.mean([best in answer.tied_mb for answer in answers(truths, heavy=heavy)])

    assert share >= LEAST_SHARE


@pytest.mark.parametrize("heavy", [True, False], ids=["heavy tails", "log-normal"])
@pytest.mark.parametrize("truths", TRUTHS)
def test_the_interval_of_the_saving_holds_the_truth_though_the_best_was_picked(
    truths: tuple[float, ...],
    heavy: bool,  # noqa: FBT001 # a column of the table
) -> None:
    cost = dict(zip(SIZES, truths, strict=True))
    hits = []
    for answer in answers(truths, heavy=heavy):
        assert answer.saving is not None
        low, high = answer.saving.cost_interval
        hits.append(low <= 1 - cost[answer.memory_mb] / cost[512] <= high)

    assert np.mean(hits) >= LEAST_SHARE


def test_a_size_that_ties_and_is_faster_is_not_given_up_for_a_slower_one() -> None:
    """What each size up costs in per cent is next to nothing, and it halves the duration."""
    found = answers((1.0, 1.008, 1.016, 1.04, 1.08, 1.6), heavy=False, sigma=0.004)

    assert np.mean([answer.memory_mb == 512 for answer in found]) >= LEAST_SHARE


def test_clear_differences_are_told_apart() -> None:
    found = answers((3.0, 2.0, 1.0, 2.0, 3.0, 4.0), heavy=False)

    assert all(answer.tied_mb == [512] for answer in found)


@pytest.mark.parametrize(
    ("planned", "measured_mb", "said"),
    [
        pytest.param((256, 512, 1024), (256, 512, 1024), True, id="smaller ones were not tried"),
        pytest.param((128, 256, 512), (256, 512), False, id="the smaller one failed"),
        pytest.param((128, 256, 512), (128, 256, 512), False, id="Lambda has no smaller one"),
    ],
)
def test_an_edge_of_the_measured_sizes_is_said_where_more_could_be_tried(
    planned: tuple[int, ...],
    measured_mb: tuple[int, ...],
    said: bool,  # noqa: FBT001 # a column of the table
) -> None:
    rng = np.random.default_rng(1)
    evidence = [
        item
        for item in measured((1.0, 2.0, 3.0, 4.0, 5.0, 6.0), rng)
        if item.memory_mb in measured_mb
    ]

    answer = recommend(evidence, planned, Goal("cost"), 512, joint=False)

    assert answer is not None
    assert any("may lie beyond" in reason for reason in answer.reasons) == said
