"""Knees: what is taken for a share, and where curves with a known knee have it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tuner.knee import knee_size, parse_knee

SIZES = np.array([128.0, 256, 512, 1024, 2048, 4096])


@pytest.mark.parametrize(
    ("text", "share"),
    [("10%", 0.1), ("0.1", 0.1), (" 12.5 % ", 0.125), (".05", 0.05), ("1", 1.0), ("100%", 1.0)],
)
def test_shares_are_read(text: str, share: float) -> None:
    assert parse_knee(text) == pytest.approx(share)


@pytest.mark.parametrize(
    "text", ["", "ten", "10", "0", "0%", "-10%", "101%", "nan", "1e-1", "10%%"]
)
def test_what_is_no_share_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"--knee: expected a share .*\(got "):
        parse_knee(text)


@given(st.text(max_size=8))
def test_any_text_is_a_share_or_an_input_error(text: str) -> None:
    try:
        share = parse_knee(text)
    except InputError:
        return
    assert 0 < share <= 1


@pytest.mark.parametrize(
    ("duration", "share", "expected"),
    [
        pytest.param(60 + 0 * SIZES, 0.1, 128, id="waiting: nothing to buy"),
        pytest.param(1e5 / np.minimum(SIZES, 1024), 0.1, 1024, id="CPU-bound: one vCPU is free"),
        pytest.param(1e5 / SIZES**1.2, 0.1, 4096, id="larger is cheaper to the end"),
        pytest.param(1e5 / SIZES**0.4, 0.1, 128, id="speed costs more than it is"),
        # With each doubling 120, 70, 45, 32.5 ms; the last one is 38 % faster for 44 % more money.
        pytest.param(20 + 51200 / SIZES, 0.1, 2048, id="saturating"),
        # A scheduler's step between 128 and 256 does not hide that 512 is twice as fast.
        pytest.param(
            np.array([200.0, 199, 48, 48, 48, 48]), 0.1, 512, id="a step hides nothing behind it"
        ),
    ],
)
def test_the_knee_is_where_speed_gets_dear(
    duration: np.ndarray, share: float, expected: int
) -> None:
    draws = np.stack([duration, duration * 1.3, duration * 0.5])

    knee = knee_size(draws * SIZES, draws, share)

    assert SIZES[knee.index] == expected
    assert knee.tied == (knee.index,)


@pytest.mark.parametrize(("share", "expected"), [(0.05, 1), (0.1, 0)])
def test_less_speed_than_the_share_is_not_worth_a_size(share: float, expected: int) -> None:
    cost, duration = np.array([[1.0, 1.0]]), np.array([[100.0, 92.0]])

    assert knee_size(cost, duration, share).index == expected


def _draws_with_knees_at(*columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Cost and duration of draws that cost the same and gain speed up to their column."""
    duration = np.stack([1e5 / np.minimum(SIZES, SIZES[column]) for column in columns])
    return duration * SIZES, duration


def test_the_answer_is_the_median_knee_and_the_central_ones_are_tied() -> None:
    columns = [1] * 4 + [2] * 40 + [3] * 50 + [5] * 6

    knee = knee_size(*_draws_with_knees_at(*columns), 0.1)

    assert knee.index == 3
    assert knee.tied == (2, 3, 5)


def test_of_the_allowed_sizes_it_is_the_one_with_the_fewest_expected_steps() -> None:
    cost, duration = _draws_with_knees_at(2, 2, 3)

    assert knee_size(cost, duration, 0.1, allowed=(0, 3, 5)).index == 3
    assert knee_size(cost[:2], duration[:2], 0.1, allowed=(1, 3)).index == 1


def test_the_answer_is_always_among_the_tied() -> None:
    knee = knee_size(*_draws_with_knees_at(2, 2, 3), 0.1, allowed=(0, 5))

    assert (knee.index, knee.tied) == (0, (0, 2, 3))


@pytest.mark.parametrize("step", [1.06, 1.12, 1.5, 2.0])
def test_the_knee_does_not_hang_on_which_sizes_were_tried(step: float) -> None:
    """Where 20 ms + 51,200 ms MB / m has its knee: 1 % of speed costs 1 % at 2,560 MB."""
    sizes = np.array([128 * step**k for k in range(int(np.log(64) / np.log(step)) + 1)])
    duration = (20 + 51200 / sizes)[None]

    knee = sizes[knee_size(duration * sizes, duration, 0.1).index]

    assert 2560 / 1.35 <= knee <= 2560 * 1.01
