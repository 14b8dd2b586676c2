"""The statistics of the relative gate: known truth, and what must hold of any nights."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.regression.baseline import baselines_of, kept_nights
from reports.regression.beside import figures_beside
from reports.regression.common_move import common_move
from reports.regression.confirmation import confirm_by_pairs, confirm_by_reruns
from reports.regression.relative import Judgement, judge
from reports.regression.series import Observation, Series


def nights(values: Sequence[float], error: float | None = 0.01) -> list[Observation]:
    return [Observation(order, value, error) for order, value in enumerate(values)]


def figures(
    count: int, length: int = 28, sd: float = 0.03, seed: int = 1, floor: float = 0.07
) -> dict[str, Series]:
    rng = np.random.default_rng(seed)
    return {
        f"f{number}": Series(
            f"f{number}", nights(rng.normal(4, sd, length).tolist()), floor, f"g{number}", "p95"
        )
        for number in range(count)
    }


def tonight(series: dict[str, Series], **changes: float) -> dict[str, Observation]:
    return {name: Observation(99, 4 + changes.get(name, 0.0), 0.01) for name in series}


def test_a_large_step_is_worse_and_nothing_else_is() -> None:
    series = figures(24)
    found = judge(tonight(series, f3=log(1.25)), series)

    assert [name for name, one in found.items() if one.answer == "worse"] == ["f3"]
    assert found["f3"].change == pytest.approx(log(1.25), abs=0.03)


def test_an_improvement_is_better_and_no_alarm() -> None:
    series = figures(24)

    assert judge(tonight(series, f3=-log(1.25)), series)["f3"].answer == "better"


def test_what_is_sure_but_below_the_floor_is_the_same() -> None:
    series = figures(4, sd=0.002)
    found = judge(tonight(series, f1=log(1.05)), series)

    assert found["f1"].p_adjusted is not None
    assert found["f1"].p_adjusted < 0.001
    assert found["f1"].answer == "same"


def test_a_night_with_few_requests_is_no_surer_than_its_own_error() -> None:
    series = figures(4, sd=0.002)
    night = {**tonight(series), "f1": Observation(99, 4 + log(1.2), 0.15)}

    assert judge(night, series)["f1"].answer == "same"


def test_more_figures_need_more_evidence() -> None:
    few, many = figures(2), figures(200)
    step = {"f1": log1p(0.09)}

    assert (judge(tonight(few, **step), few)["f1"].p_adjusted or 1) < (
        judge(tonight(many, **step), many)["f1"].p_adjusted or 0
    )


@pytest.mark.parametrize(
    ("length", "answer"), [(0, "too few nights"), (9, "too few nights"), (10, "same")]
)
def test_ten_nights_are_needed(length: int, answer: str) -> None:
    series = figures(3, length=length)

    assert {one.answer for one in judge(tonight(series), series).values()} == {answer}


def test_a_figure_that_nobody_knows_has_no_nights() -> None:
    found = judge({"new": Observation(1, 4.0, None)}, {})

    assert found["new"] == Judgement("too few nights", 0)


def test_two_nights_say_what_one_does_not() -> None:
    series = figures(24)
    step = tonight(series, f3=log1p(0.085))

    alone = judge(step, series)
    both = judge(step, series, previous=tonight(series, f3=log1p(0.085)))
    unlike = judge(step, series, previous=tonight(series))

    assert [one["f3"].answer for one in (alone, both, unlike)] == ["same", "worse", "same"]
    assert both["f3"].two_nights


def test_a_bad_night_for_all_and_a_high_one_do_not_agree() -> None:
    series = figures(24)
    bad = {name: Observation(98, 4.15, 0.01) for name in series}

    found = judge(tonight(series, f3=log1p(0.07)), series, previous=bad)

    assert found["f3"].answer == "same"


def test_outliers_are_no_part_of_the_level() -> None:
    values = [4.0, 4.01, 3.99, 4.02, 3.98, 4.0, 4.01, 5.0, 4.0, 3.99, 4.01, 4.0]
    one = Series("f", nights(values), 0.07)

    assert kept_nights(one.nights).count(False) == 1
    base = baselines_of({"f": one}, 10)["f"]
    assert base.center == pytest.approx(4.0, abs=0.01)
    assert base.variance < 0.02**2


def test_a_new_level_has_its_own_centre_and_the_scale_of_all_nights() -> None:
    rng = np.random.default_rng(4)
    old = nights(rng.normal(4, 0.03, 27).tolist())
    new = Observation(27, 4.3, 0.01, level=1)
    one = Series("f", [*old, new], 0.07, level=1)

    base = baselines_of({"f": one}, 10)["f"]

    assert base.center == pytest.approx(4.3)
    assert base.variance == pytest.approx(0.03**2, rel=0.6)
    assert base.error_factor == pytest.approx(2.0)


def test_a_level_without_a_night_is_not_judged() -> None:
    one = Series("f", nights([4.0] * 12), 0.07, level=1)

    assert baselines_of({"f": one}, 10) == {}


def test_constant_nights_have_a_scale_of_what_histograms_tell() -> None:
    series = {"f": Series("f", nights([4.0] * 12), 0.0)}

    assert judge({"f": Observation(99, 4.0, None)}, series)["f"].answer == "same"
    assert judge({"f": Observation(99, 4.02, None)}, series)["f"].answer == "worse"


@pytest.mark.parametrize(("endpoints", "is_common"), [(3, False), (8, True)])
def test_a_common_rise_takes_several_endpoints(endpoints: int, *, is_common: bool) -> None:
    series = figures(endpoints)
    known = baselines_of(series, 10)
    slow = {name: Observation(99, 4.2, 0.01) for name in series}

    assert (common_move(slow, series, known) is not None) is is_common


def endpoint(
    length: int = 28, together: float = 0.04, own: float = 0.01, seed: int = 2
) -> dict[str, Series]:
    """The percentiles of one endpoint, which go up and down together, and a few others."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, together, length)
    return {
        **figures(4, length),
        **{
            metric: Series(
                metric,
                nights((4 + shared + rng.normal(0, own, length)).tolist(), 0.002),
                0.05,
                "GET /a",
                metric,
            )
            for metric in ("p50", "p95", "p99")
        },
    }


def test_a_figure_that_rose_alone_stands_out_beside_the_others() -> None:
    series = endpoint()
    night = {name: Observation(99, 4.0, 0.002) for name in series}

    alone = judge({**night, "p95": Observation(99, 4.08, 0.002)}, series)["p95"]
    together = judge(
        {**night, **dict.fromkeys(("p50", "p95", "p99"), Observation(99, 4.08, 0.002))}, series
    )

    assert (alone.answer, alone.beside) == ("worse", True)
    assert alone.limit is not None
    assert alone.limit <= 4.08
    assert {together[name].answer for name in ("p50", "p95", "p99")} == {"same"}


def test_all_figures_of_an_endpoint_together_are_judged_by_themselves() -> None:
    series = endpoint()
    rise = dict.fromkeys(("p50", "p95", "p99"), Observation(99, 4.3, 0.002))
    found = judge({**{name: Observation(99, 4.0, 0.002) for name in series}, **rise}, series)

    assert {found[name].answer for name in rise} == {"worse"}
    assert not any(found[name].beside for name in rise)


def test_a_low_night_of_the_others_makes_no_figure_worse() -> None:
    series = endpoint()
    night = {name: Observation(99, 4.0, 0.002) for name in series}
    low = dict.fromkeys(("p50", "p99"), Observation(99, 3.85, 0.002))

    assert judge({**night, **low}, series)["p95"].answer == "same"


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        pytest.param({}, 3, id="together"),
        pytest.param({"together": 0.0}, 0, id="each by itself"),
        pytest.param({"length": 14}, 0, id="too few nights"),
    ],
)
def test_others_count_where_they_explain_something(changes: dict[str, float], count: int) -> None:
    series = endpoint(**changes)  # type: ignore[arg-type] # lengths are whole

    assert len(figures_beside(series, baselines_of(series, 10))) == count


def test_one_slow_endpoint_is_no_common_rise() -> None:
    series = figures(8)

    assert common_move(tonight(series, f1=0.5), series, baselines_of(series, 10)) is None


def test_what_is_worse_beyond_a_common_rise_is_not_excused() -> None:
    series = figures(8)
    slow = {name: Observation(99, 4.15, 0.01) for name in series}
    slow["f1"] = Observation(99, 4.15 + log(1.4), 0.01)

    found = judge(slow, series)

    assert found["f2"].common
    assert not found["f1"].common
    assert found["f1"].answer == "worse"


@pytest.mark.parametrize(
    ("values", "confirmed"),
    [
        pytest.param([0.12, 0.10], True, id="both high"),
        pytest.param([0.12, 0.00], False, id="mean below the floor"),
        pytest.param([0.02], False, id="one, low"),
        pytest.param([0.12], True, id="one, high"),
    ],
)
def test_reruns_are_judged_by_their_mean(values: list[float], *, confirmed: bool) -> None:
    judged = Judgement("worse", 28, center=4.0, error=0.03, freedom=30)
    reruns = [Observation(99, 4 + value, 0.01) for value in values]

    found = confirm_by_reruns(judged, reruns, 0.07)

    assert found.confirmed is confirmed
    assert "agree" in found.words
    assert ("not" in found.words) is not confirmed


def test_reruns_of_a_noisy_figure_need_more_than_the_floor() -> None:
    judged = Judgement("worse", 28, center=4.0, error=0.1, freedom=30)

    assert not confirm_by_reruns(judged, [Observation(99, 4.12, None)], 0.07).confirmed


@pytest.mark.parametrize("reruns", [[], [Observation(1, 4.0, None)]])
def test_only_a_judged_figure_can_be_confirmed(reruns: list[Observation]) -> None:
    with pytest.raises(ValueError, match="only a judged figure"):
        confirm_by_reruns(Judgement("too few nights", 3), reruns, 0.07)


@pytest.mark.parametrize(("step", "confirmed"), [(0.1, True), (0.0, False), (0.02, False)])
def test_pairs_see_through_a_night_that_wanders(step: float, *, confirmed: bool) -> None:
    drift = [0.0, 0.2, -0.1, 0.15, 0.3, 0.05, -0.2, 0.1]
    noise = [0.01, -0.01, 0.005, 0.0, -0.005, 0.01, 0.0, -0.01]
    pairs = [(4 + d, 4 + d + step + e) for d, e in zip(drift, noise, strict=True)]

    assert confirm_by_pairs(pairs, 0.07).confirmed is confirmed


def test_fewer_than_four_pairs_say_nothing() -> None:
    with pytest.raises(ValueError, match="at least 4 pairs"):
        confirm_by_pairs([(4.0, 4.1)] * 3, 0.07)


_LEVELS = st.floats(-5, 12, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(st.lists(_LEVELS, min_size=10, max_size=28), _LEVELS, st.floats(0.001, 0.3))
def test_any_nights_are_judged_in_bounds(values: list[float], y: float, floor: float) -> None:
    series = {"f": Series("f", nights(values), floor)}
    found = judge({"f": Observation(99, y, 0.01)}, series)["f"]

    assert found.p_value is not None
    assert 0 <= found.p_value <= 1
    assert found.interval is not None
    assert found.change is not None
    assert found.interval[0] <= found.change <= found.interval[1]
    assert found.limit is not None
    assert found.center is not None
    assert found.limit >= found.center + log1p(floor) - 1e-9
    assert (found.answer == "worse") <= (y >= found.limit - 1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(_LEVELS, min_size=12, max_size=20), _LEVELS, st.floats(-3, 3))
def test_units_do_not_matter(values: list[float], y: float, shift: float) -> None:
    def answer(by: float) -> Judgement:
        series = {"f": Series("f", nights([value + by for value in values]), 0.07)}
        return judge({"f": Observation(99, y + by, 0.01)}, series)["f"]

    here, there = answer(0.0), answer(shift)
    assert (there.p_value or 0) == pytest.approx(here.p_value or 0, abs=1e-6)


def test_quiet_nights_rarely_suspect_anything() -> None:
    """The family error: 200 nights of 12 figures without a change; 5 % are allowed, 10 of 200."""
    rng = np.random.default_rng(7)
    suspected = 0
    for _ in range(200):
        values = rng.normal(4, 0.03, (12, 29))
        series = {
            f"f{n}": Series(f"f{n}", nights(row[:28].tolist()), 0.05, f"g{n}", "p50")
            for n, row in enumerate(values)
        }
        night = {f"f{n}": Observation(99, float(row[28]), 0.01) for n, row in enumerate(values)}
        suspected += any(one.answer == "worse" for one in judge(night, series).values())

    # Five standard deviations above 10 are 25.
    assert suspected <= 25
