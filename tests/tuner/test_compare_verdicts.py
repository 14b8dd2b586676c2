"""When a difference is called one."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from tuner.compare.verdicts import (
    COST,
    DURATION,
    change_between,
    change_of,
    changes_of,
    no_worse,
    parse_tolerance,
)


@pytest.mark.parametrize(
    ("low", "middle", "high", "verdict"),
    [
        pytest.param(0.05, 0.10, 0.15, "slower", id="more, and it matters"),
        pytest.param(-0.15, -0.10, -0.05, "faster", id="less, and it matters"),
        pytest.param(0.01, 0.02, 0.03, "same", id="more, but it does not matter"),
        pytest.param(-0.05, 0.0, 0.05, "same", id="nothing shown, little left open"),
        pytest.param(-0.02, 0.05, 0.12, "cannot be told", id="much shown, none not ruled out"),
        pytest.param(-0.3, 0.0, 0.3, "cannot be told", id="nothing shown, all left open"),
    ],
)
def test_an_interval_has_a_verdict(low: float, middle: float, high: float, verdict: str) -> None:
    assert change_between(low, middle, high, 0.03, DURATION).verdict == verdict


def test_costs_have_words_of_their_own() -> None:
    assert change_between(0.05, 0.1, 0.2, 0.03, COST).verdict == "dearer"
    assert change_between(-0.2, -0.1, -0.05, 0.03, COST).verdict == "cheaper"


def test_what_is_tolerated_is_the_same() -> None:
    assert change_between(0.05, 0.1, 0.15, 0.2, DURATION).verdict == "same"


def test_a_ratio_and_its_interval_are_of_after_to_before() -> None:
    change = change_of(np.log(np.full(100, 1.5)), 0.03, DURATION)

    assert (change.ratio, *change.interval) == pytest.approx((1.5, 1.5, 1.5))


def test_of_many_sizes_one_that_barely_moves_is_not_called_changed() -> None:
    rng = np.random.default_rng(3)
    barely = rng.normal(0.12, 0.055, 20_000)
    still = [rng.normal(0, 0.055, 20_000) for _ in range(7)]

    assert change_of(barely, 0.03, DURATION).verdict == "slower"
    assert changes_of([barely, *still], 0.03, DURATION)[0].verdict == "cannot be told"
    assert changes_of([barely, barely], 0.03, DURATION)[1].verdict == "slower"


@pytest.mark.parametrize(
    ("low", "middle", "high", "expected"),
    [
        pytest.param(-0.05, 0.01, 0.07, True, id="little left open"),
        pytest.param(-0.3, -0.2, -0.1, True, id="faster"),
        pytest.param(-0.05, 0.05, 0.09, False, id="more than is tolerated, perhaps"),
        pytest.param(-0.2, 0.0, 0.2, False, id="much left open"),
    ],
)
def test_no_worse_is_shown_or_not(low: float, middle: float, high: float, expected: bool) -> None:  # noqa: FBT001
    assert no_worse(change_between(low, middle, high, 0.03, DURATION), 0.03) is expected


@pytest.mark.parametrize(
    ("text", "share"),
    [("3%", 0.03), ("0.05", 0.05), ("0", 0.0), (" 12.5 % ", 0.125), ("50%", 0.5)],
)
def test_tolerances_are_read(text: str, share: float) -> None:
    assert parse_tolerance(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "x", "-1%", "51%", "3", "nan", "5%%"])
def test_what_is_no_tolerance_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"--tolerance: expected a share from 0 to 50%"):
        parse_tolerance(text)
