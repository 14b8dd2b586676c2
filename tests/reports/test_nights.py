"""The simulated nights are what they say: other tests take their truth from them."""

from __future__ import annotations

import math

import numpy as np

from tests.reports.nights import NightChanges, NightNoise, simulated_past


def test_the_same_seed_gives_the_same_nights() -> None:
    assert simulated_past(5, seed=3) == simulated_past(5, seed=3)


def test_missing_nights_change_no_other_night() -> None:
    whole, _ = simulated_past(6)
    gappy, nights = simulated_past(6, changes=NightChanges(missing=(2, 3)))

    kept = {run.run_id: run.points for run in whole}
    assert [run.points for run in gappy] == [kept[run.run_id] for run in gappy]
    assert [night.sequence for night in nights] == [1, 2, 3, 4]
    assert [night.night[-2:] for night in nights] == ["01", "02", "05", "06"]


def test_a_step_is_in_the_figures_that_it_names_and_no_other() -> None:
    quiet = NightNoise(night=0.0, error=0.0)
    runs, _ = simulated_past(4, noise=quiet, step_at=2, step_share=0.2, step_metrics=("p95",))
    values = [
        {(point.scope, point.metric): point.value for point in run.points}
        for run in runs
        if run.step == "orders"
    ]

    changed = {key for key in values[0] if not math.isclose(values[0][key], values[-1][key])}
    assert changed == {("GET /search", "p95")}
    assert math.isclose(values[2]["GET /search", "p95"], 1.2 * values[1]["GET /search", "p95"])


def test_nights_differ_by_the_noise_that_was_asked_for() -> None:
    runs, _ = simulated_past(400, noise=NightNoise(night=0.03, error=0.01))
    y = [math.log(run.points[0].value) for run in runs if run.step == "orders"]

    assert 0.029 < np.std(y, ddof=1) < 0.035
