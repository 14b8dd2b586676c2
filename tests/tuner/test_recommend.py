"""Recommendations hold what they claim: simulated functions whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from reports.document import Recommendation, SloEvidence
from tuner.estimate import (
    MIN_SAMPLES_FOR_INTERVAL,
    interval_quantiles,
    typical,
    typical_replicates,
)
from tuner.knee import knee_size
from tuner.objective import Goal, SloLimit, regrets
from tuner.recommend import SizeEvidence, recommend
from tuner.slo import slo_evidence

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


@cache
def answers(truths: tuple[float, ...], *, heavy: bool, sigma: float = 0.08) -> list[Recommendation]:
    """What is recommended in many measurements of one function."""
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


GRID = (128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 2896)
INVOKED = (0, 2, 4, 6, 9)
WORLDS = 800
# Four standard errors below the 90 % that is claimed, which 512 draws make 89.7 %: sixteen shares
# are looked at.
LEAST_SHARE_OF_WORLDS = 0.855


@dataclass(frozen=True)
class World:
    """A function whose curve is one of those that were thought possible, and a tuning of it."""

    cost: np.ndarray
    duration: np.ndarray
    evidence: list[SizeEvidence]


def world(rng: np.random.Generator, *, noise: float = 0.05) -> World:
    """Log-durations from a smooth normal prior; draws from its exact posterior after 5 calls."""
    logs = np.log(np.array(GRID, dtype=np.float64))
    prior = 0.15**2 * np.exp(-np.abs(logs[:, None] - logs)) + 1e-6 * np.eye(len(GRID))
    mean = np.log(1e5) - 0.95 * logs
    truth = rng.multivariate_normal(mean, prior)
    columns = list(INVOKED)
    measured_at = truth[columns] + rng.normal(0, noise, len(columns))
    gain = prior[:, columns] @ np.linalg.inv(
        prior[np.ix_(columns, columns)] + noise**2 * np.eye(len(columns))
    )
    posterior = prior - gain @ prior[columns]
    factor = np.linalg.cholesky(posterior + 1e-12 * np.eye(len(GRID)))
    centre = mean + gain @ (measured_at - mean[columns])
    draws = centre + rng.standard_normal((512, len(GRID))) @ factor.T
    return World(
        cost=np.exp(truth) * GRID,
        duration=np.exp(truth),
        evidence=[
            believed(size, np.exp(draws[:, column]), n=5 if column in columns else 0)
            for column, size in enumerate(GRID)
        ],
    )


def believed(
    size: int, duration: np.ndarray, *, n: int = 5, slo: SloEvidence | None = None
) -> SizeEvidence:
    """Evidence from draws of the duration, with a cost of 1 for each MB and ms."""
    typical_ms = float(np.median(duration))
    return SizeEvidence(
        memory_mb=size,
        n=n,
        duration_ms=typical_ms,
        billed_ms=typical_ms,
        cost_usd=typical_ms * size,
        duration_replicates=duration,
        billed_replicates=duration,
        cost_replicates=duration * size,
        tails=(0.05, 0.95),
        slo=slo,
    )


GOALS = [
    pytest.param(Goal("cost"), id="cost"),
    pytest.param(Goal("speed"), id="speed"),
    pytest.param(Goal("balanced", 0.5), id="balanced"),
    pytest.param(Goal("knee", knee_share=0.1), id="knee"),
]


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    rng = np.random.default_rng(21)
    return [world(rng) for _ in range(WORLDS)]


@pytest.mark.parametrize("goal", GOALS)
def test_from_joint_draws_ties_intervals_and_bounds_hold_as_claimed(
    goal: Goal, worlds: list[World]
) -> None:
    held: dict[str, list[bool]] = {"tied": [], "cost": [], "saving": [], "regret": []}
    for tuned in worlds:
        answer = recommend(tuned.evidence, GRID, goal, 362, joint=True)
        assert answer is not None
        column = GRID.index(answer.memory_mb)
        assert column in INVOKED
        found = regrets(goal, tuned.cost[None], tuned.duration[None])[0]
        best = int(np.argmin(found))
        if goal.objective == "knee":
            best = knee_size(tuned.cost[None], tuned.duration[None], 0.1).index
        held["tied"].append(GRID[best] in answer.tied_mb)
        held["cost"].append(_holds(answer.cost_interval, tuned.cost[column] * 1e6))
        truth = 1 - tuned.cost[column] / tuned.cost[GRID.index(362)]
        assert answer.saving is not None
        held["saving"].append(_holds(answer.saving.cost_interval, truth))
        assert answer.regret_bound_share is not None
        held["regret"].append(bool(found[column] <= answer.regret_bound_share))

    for claim, kept in held.items():
        assert np.mean(kept) >= LEAST_SHARE_OF_WORLDS, claim


def _holds(interval: tuple[float, float] | None, truth: float) -> bool:
    return interval is not None and interval[0] <= truth <= interval[1]


def scattered(typical_ms: float, seed: int) -> np.ndarray:
    return typical_ms * np.exp(np.random.default_rng(seed).normal(0, 0.01, 400))


def test_a_size_that_was_not_invoked_is_not_recommended_but_may_be_as_good() -> None:
    evidence = [
        believed(256, scattered(400, 1)),
        believed(512, scattered(199, 2), n=0),
        believed(1024, scattered(150, 3)),
    ]

    answer = recommend(evidence, (128, 3008), Goal("cost"), 512, joint=True)

    assert answer is not None
    assert answer.memory_mb == 256
    assert answer.tied_mb == [256, 512]
    assert answer.saving is not None
    assert answer.reasons == [
        "256\N{NO-BREAK SPACE}MB has the lowest cost of the 2 sizes with two warm samples or more"
    ]


def test_where_nothing_was_invoked_the_curve_alone_answers() -> None:
    evidence = [believed(256, scattered(400, 1), n=0), believed(512, scattered(150, 2), n=0)]

    answer = recommend(evidence, (128, 3008), Goal("cost"), 1024, joint=True)

    assert answer is not None
    assert answer.memory_mb == 512
    assert answer.saving is None


LIMIT = SloLimit(95, 300)
MET = slo_evidence([100.0] * 59, LIMIT)
MISSED = slo_evidence([400.0] * 59, LIMIT)
OPEN = slo_evidence([100.0] * 9, LIMIT)


@pytest.mark.parametrize("joint", [True, False], ids=["from draws", "from estimates"])
@pytest.mark.parametrize(
    ("known", "expected", "reason"),
    [
        pytest.param(
            (MISSED, MET, MET), 512, "lowest cost of the 2 sizes shown", id="cheapest met"
        ),
        pytest.param((OPEN, OPEN, MET), 1024, "only size shown to keep p95 < 300 ms", id="one met"),
        pytest.param((MISSED, OPEN, None), None, "", id="none met"),
    ],
)
def test_within_a_limit_the_cheapest_size_shown_to_keep_it_is_recommended(
    known: tuple[SloEvidence | None, ...],
    expected: int | None,
    reason: str,
    joint: bool,  # noqa: FBT001 # a column of the table
) -> None:
    evidence = [
        believed(size, scattered(typical_ms, size), slo=slo)
        for size, typical_ms, slo in zip((256, 512, 1024), (400, 250, 200), known, strict=True)
    ]

    answer = recommend(evidence, (128, 3008), Goal("slo", slo=LIMIT), 256, joint=joint)

    if expected is None:
        assert answer is None
        return
    assert answer is not None
    assert answer.memory_mb == expected
    assert set(answer.tied_mb) == {expected}
    assert reason in answer.reasons[0]


@pytest.mark.parametrize("joint", [True, False], ids=["from draws", "from estimates"])
def test_the_knee_is_recommended_with_what_it_means(
    joint: bool,  # noqa: FBT001 # a column of the table
) -> None:
    evidence = [
        believed(size, scattered(1e5 / min(size, 1024), size)) for size in (256, 512, 1024, 2048)
    ]

    answer = recommend(evidence, (128, 3008), Goal("knee", knee_share=0.1), 256, joint=joint)

    assert answer is not None
    assert (answer.memory_mb, answer.tied_mb, answer.knee_share) == (1024, [1024], 0.1)
    assert "the median of the knees" in answer.reasons[0]


def test_a_balance_is_said_against_todays_size() -> None:
    evidence = [believed(256, scattered(400, 1)), believed(1024, scattered(100, 2))]

    answer = recommend(evidence, (128, 3008), Goal("balanced", 0.5), 256, joint=True)

    assert answer is not None
    assert answer.memory_mb == 1024
    assert any("balance is 0.50 of today's" in reason for reason in answer.reasons)
