"""A version is worse only where what was counted shows it beyond chance."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.version_metrics import CallMetrics
from tests.tuner.apply.rig import GOOD
from tuner.apply.judgement import LEAST_CALLS, Look, chance_of_so_many, problem_of


def new(calls: int, errors: int = 0, throttles: int = 0, median_ms: float = 50.0) -> Look:
    return replace(GOOD, new=CallMetrics(calls, errors, throttles, median_ms))


@pytest.mark.parametrize(
    ("look", "problem"),
    [
        pytest.param(GOOD, None, id="all is well"),
        pytest.param(new(100, 1), None, id="one error may be chance"),
        pytest.param(new(5, 5), "5 of 5 calls of the new version failed", id="five of five"),
        pytest.param(
            replace(new(100, 30), old=CallMetrics(900, 270, 0, 50.0)), None, id="both fail alike"
        ),
        pytest.param(
            replace(new(100, 90), old=CallMetrics(900, 270, 0, 50.0)),
            "and 270 of 900 of the old one",
            id="fails more often",
        ),
        pytest.param(new(3, 4), "4 of 3 calls", id="more errors than calls have arrived yet"),
        pytest.param(new(100, 0, 20), "20 calls of the new version were throttled", id="throttled"),
        pytest.param(
            replace(GOOD, alias=CallMetrics(1000, 0, 60, 50.0)),
            "60 of 1060 calls of the alias were throttled",
            id="the alias is throttled",
        ),
        pytest.param(
            replace(
                GOOD,
                alias=CallMetrics(1000, 0, 60, 50.0),
                before=CallMetrics(1000, 0, 58, 50.0),
            ),
            None,
            id="it was before as well",
        ),
        pytest.param(
            replace(GOOD, alias=CallMetrics(1000, 0, 60, 50.0), before=CallMetrics(0, 0, 0, None)),
            "60 of 1060",
            id="nothing is known of before",
        ),
        pytest.param(new(100, median_ms=74.0), None, id="a little slower than expected"),
        pytest.param(
            new(100, median_ms=76.0), "takes 76.0 ms in the median", id="slower than expected"
        ),
        pytest.param(new(LEAST_CALLS - 1, median_ms=500.0), None, id="too few to time"),
    ],
)
def test_what_is_worse_is_said(look: Look, problem: str | None) -> None:
    found = problem_of(look, slower_at_most=1.2)

    if problem is None:
        assert found is None
    else:
        assert found is not None
        assert problem in found.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("slower_at_most", "median_ms", "is_worse"),
    [
        pytest.param(0.5, 60.0, False, id="it need not be as fast as the run has it"),
        pytest.param(0.5, 65.0, True, id="but not slower than the old one"),
        pytest.param(2.0, 110.0, False, id="twice as slow was expected"),
        pytest.param(None, 900.0, False, id="nothing was expected"),
    ],
)
def test_times_are_judged_by_what_the_run_expects(
    slower_at_most: float | None, median_ms: float, *, is_worse: bool
) -> None:
    assert bool(problem_of(new(100, median_ms=median_ms), slower_at_most)) is is_worse


def exact(hits: int, tries: int, other_hits: int, other_tries: int) -> float:
    everything, all_hits = tries + other_tries, hits + other_hits
    tail = sum(
        comb(tries, count) * comb(other_tries, all_hits - count)
        for count in range(hits, min(tries, all_hits) + 1)
    )
    return tail / comb(everything, all_hits)


@given(tries=st.integers(1, 60), other_tries=st.integers(1, 200), data=st.data())
def test_the_chance_is_that_of_the_hypergeometric_distribution(
    tries: int, other_tries: int, data: st.DataObject
) -> None:
    hits = data.draw(st.integers(0, tries))
    other_hits = data.draw(st.integers(0, other_tries))

    found = chance_of_so_many(hits, tries, other_hits, other_tries)

    assert found == pytest.approx(exact(hits, tries, other_hits, other_tries), rel=1e-6)


def test_the_chance_is_found_at_once_among_millions_of_calls() -> None:
    assert chance_of_so_many(100_000, 1_000_000, 900_000, 9_000_000) == pytest.approx(0.5, abs=0.01)
