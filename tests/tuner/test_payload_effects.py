"""What payloads do to durations is found from all sizes, and taken out of them again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuner.factories import failed, sample
from tests.tuner.test_payload_mix import mix
from tests.tuner.tuning_rig import COST, PRICE
from tuner.analysis import Answer, Question, analyse
from tuner.counting import Counting
from tuner.evidence import resampled
from tuner.noise import DEGREES_OF_FREEDOM
from tuner.payload_effects import payload_effects
from tuner.payload_view import PayloadView, payload_view
from tuner.reach import reach_of
from tuner.sample import Sample, warm_durations
from tuner.worth import Worth

WEIGHTS = {"1": 6.0, "2": 3.0, "3": 1.0}
# Of 20, 60 and 200 ms; their mean by weight is 50 ms.
FACTORS = {"1": 0.4, "2": 1.2, "3": 4.0}


def level_ms(memory_mb: int) -> float:
    return 50 * max(1.0, 1024 / memory_mb)


def calls(
    counts: Mapping[int, int],
    *,
    seed: int = 1,
    scale: float = 0.03,
    factors: Mapping[str, float] = FACTORS,
    special: Mapping[int, float] | None = None,
) -> list[Sample]:
    """So many warm calls at each size after a cold one; `special` is what the third payload's
    durations are multiplied by at some sizes.
    """
    rng, found = np.random.default_rng(seed), []
    payloads = mix(*WEIGHTS.values(), seed=seed, even_share=0.5)
    for size, count in counts.items():
        for number, item in zip(range(count + 1), payloads.turns(), strict=False):
            duration_ms = level_ms(size) * factors[item.name]
            duration_ms *= np.exp(scale * rng.standard_t(DEGREES_OF_FREEDOM))
            if item.name == "3":
                duration_ms *= (special or {}).get(size, 1.0)
            is_cold = number == 0
            found.append(
                sample(
                    size,
                    float(duration_ms),
                    payload=item.name,
                    cold=is_cold,
                    init_ms=100.0 if is_cold else None,
                )
            )
    return found


def answer(samples: Sequence[Sample], plan: str = "fixed") -> Answer:
    sizes = sorted({s.memory_mb for s in samples})
    counting = Counting(plan, WEIGHTS)  # type: ignore[arg-type] # a kind of plan
    return analyse(samples, sizes, {}, Question(COST, 512, PRICE, 512, 1, counting=counting))


def test_the_factor_of_each_payload_is_found() -> None:
    effects = payload_effects(calls({128: 10, 512: 10, 1024: 10}), WEIGHTS)

    assert effects is not None
    assert effects.factors == pytest.approx(FACTORS, rel=0.1)


def test_the_cost_of_the_mix_is_found_by_a_fixed_plan() -> None:
    found = answer(calls({128: 10, 512: 10, 1024: 10})).sizes

    for size in found:
        true_usd = PRICE.invocation_usd(size.memory_mb, level_ms(size.memory_mb) + 0.5) * 1e6
        assert size.cost_usd_per_million == pytest.approx(true_usd, rel=0.06)


def test_sizes_that_met_other_payloads_can_be_compared() -> None:
    samples = calls({128: 12, 256: 3, 512: 2, 1024: 7})
    effects = payload_effects(samples, WEIGHTS)
    assert effects is not None

    warm = warm_durations(effects.adjusted(samples), [128, 256, 512, 1024])

    for size, durations_ms in warm.items():
        assert np.median(durations_ms) == pytest.approx(level_ms(size), rel=0.15)


def test_intervals_of_the_mix_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for seed in range(40):
        samples = calls({128: 10, 512: 10, 1024: 10}, seed=seed)
        worth = Worth(COST, PRICE, 512, payload_weights=WEIGHTS)
        at = resampled(samples, worth, np.random.default_rng(seed))[1]
        assert at.tails is not None
        low, high = np.quantile(at.duration_replicates, at.tails)
        held += low <= level_ms(512) <= high

    assert held >= 32


def test_a_payload_that_had_no_warm_call_is_told_of_and_changes_nothing() -> None:
    samples = [s for s in calls({128: 10, 512: 10}) if s.payload != "3"]

    found = answer(samples)

    assert [payload.n > 0 for payload in found.payloads] == [True, True, False]
    assert found.payloads[2].factor is None
    assert "1 payload with 10\N{NO-BREAK SPACE}% of the weight ('3') had no call" in found.notes[0]


def test_alike_payloads_are_not_told_apart_from_noise() -> None:
    samples = calls({128: 4, 512: 4, 1024: 4}, factors=dict.fromkeys(WEIGHTS, 1.0))

    effects = payload_effects(samples, WEIGHTS)

    assert effects is not None
    assert effects.factors == pytest.approx(dict.fromkeys(effects.names, 1.0), abs=0.1)


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([], id="no call"),
        pytest.param([failed(128)], id="a failed one"),
        pytest.param([sample(128, payload=None)], id="a call without a payload"),
        pytest.param([sample(128, payload="nobody's")], id="a payload of an edited file"),
        pytest.param([sample(128, payload="1", cold=True)], id="a cold one"),
    ],
)
def test_without_a_warm_call_of_the_mix_nothing_is_known(samples: list[Sample]) -> None:
    assert payload_effects(samples, WEIGHTS) is None


def test_without_a_mix_nothing_is_adjusted() -> None:
    assert payload_effects([sample(128)], {}) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from([128, 512, 1024]),
            st.sampled_from(["1", "2", "3", None]),
            st.floats(0, 9e5),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_any_calls_are_adjusted_to_finite_times(
    seen: list[tuple[int, str | None, float, bool]],
) -> None:
    samples = [sample(size, ms, payload=name, cold=cold) for size, name, ms, cold in seen]
    effects = payload_effects(samples, WEIGHTS)
    if effects is None:
        return

    adjusted = effects.adjusted(samples)

    assert all(math.isfinite(s.duration_ms or 0) and (s.billed_ms or 0) >= 1 for s in adjusted)
    assert {s.memory_mb for s in adjusted if s.counts_as_warm} == {
        s.memory_mb for s in samples if s.counts_as_warm
    }
    assert np.isfinite(effects.level_draws(np.random.default_rng(1), 8)).all()


def viewed(samples: Sequence[Sample], taken_mb: int) -> PayloadView:
    worth = Worth(COST, PRICE, 512, payload_weights=WEIGHTS)
    evidence = resampled(samples, worth, np.random.default_rng(1))
    return payload_view(samples, evidence, taken_mb, worth)


def test_a_payload_with_another_best_size_is_told_of() -> None:
    """The third payload takes sixteen times as long at 128 MB, and not eight times: it swaps."""
    view = viewed(calls({128: 15, 512: 15, 1024: 15}, special={128: 2.0}), taken_mb=128)

    assert view.rows[2].best_mb in (512, 1024)
    (note,) = view.notes
    assert note.startswith("by its own calls another size than 128\N{NO-BREAK SPACE}MB is best for")
    assert "'3'" in note
    assert "'1'" not in note


def test_payloads_that_follow_one_curve_are_not() -> None:
    noted = [viewed(calls({128: 10, 1024: 10}, seed=seed), taken_mb=128) for seed in range(20)]

    assert sum(bool(view.notes) for view in noted) <= 2


def test_the_row_of_a_payload_has_its_cost_at_the_recommended_size() -> None:
    view = viewed(calls({128: 10, 1024: 10}), taken_mb=1024)

    for row, duration_ms in zip(view.rows, (20, 60, 200), strict=True):
        true_usd = PRICE.invocation_usd(1024, duration_ms + 0.5) * 1e6
        assert row.cost_usd_per_million == pytest.approx(true_usd, rel=0.1)


def test_a_percentile_of_a_mix_is_that_of_all_calls() -> None:
    effects = payload_effects(calls({128: 30, 512: 30}), WEIGHTS)
    assert effects is not None
    noise = np.array([0.001, 0.001])

    p50, p95 = (np.exp(reach_of(noise, share, effects))[0] for share in (0.5, 0.95))

    assert p50 == pytest.approx(FACTORS["1"], rel=0.1)
    assert p95 == pytest.approx(FACTORS["3"], rel=0.1)
