"""The gate of a tuned function's setting: too dear, and newly so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reports.history.record import RunRecord
from reports.nightly.curve_gates import confirm_regret, curve_gates, moved_recommendation
from reports.nightly.plan import Gates, NightlyPlan, TuneStep
from tests.reports.nights_of_runs import Law, flat, rows_of, tuned, valley


def plan(**step: Any) -> NightlyPlan:
    return NightlyPlan(name="shop", steps=(TuneStep(name="thumbnail", function="f", **step),))


def nights(
    law: Law, current_mb: int, count: int = 14, seed: int = 1, **changes: Any
) -> list[RunRecord]:
    """Earlier nights of a law."""
    rng = np.random.default_rng(seed)
    found = [rows_of(law, rng) for _ in range(count)]
    return [
        tuned(n, rows, current_mb=current_mb, **changes) for n, rows in enumerate(found, start=1)
    ]


def tonight(law: Law = valley, current_mb: int = 512, **changes: Any) -> RunRecord:
    rows = rows_of(law, np.random.default_rng(99))
    return tuned(20, rows, current_mb=current_mb, **changes)


def test_a_size_that_was_changed_to_a_dear_one_is_suspect_by_its_lower_bound() -> None:
    (gate,) = curve_gates(tonight(current_mb=2048), nights(valley, 512), plan())

    assert (gate.kind, gate.metric, gate.scope) == ("curve", "regret", "today's size")
    assert gate.status == "suspect"
    assert gate.change_interval is not None
    assert gate.change_interval[0] > 0.3
    assert gate.nights == 14
    assert "2,048 MB costs" in gate.message.replace("\xa0", " ")
    assert "usual 0" in gate.message


def test_it_is_still_suspect_on_the_nights_after() -> None:
    past = [*nights(valley, 512), tuned(15, rows_of(valley), current_mb=2048)]

    (gate,) = curve_gates(tonight(current_mb=2048), past, plan())

    assert gate.status == "suspect"


def test_a_size_that_was_always_dear_is_a_saving_and_no_regression() -> None:
    (gate,) = curve_gates(tonight(current_mb=2048), nights(valley, 2048), plan())

    assert gate.status == "passed"
    assert gate.baseline is not None
    assert gate.baseline > 0.3
    assert gate.limit == gate.baseline


def test_an_accepted_size_passes_from_its_night_on() -> None:
    past = [*nights(valley, 512), tuned(15, rows_of(valley), current_mb=2048)]

    (gate,) = curve_gates(tonight(current_mb=2048), past, plan(), level_from=15)

    assert gate.status == "passed"


def test_in_a_flat_valley_hardly_a_night_is_suspect() -> None:
    past = nights(flat, 512, count=10)
    rng = np.random.default_rng(7)
    statuses = [
        curve_gates(tuned(20, rows_of(flat, rng, error=0.06)), past, plan())[0].status
        for _ in range(25)
    ]

    assert statuses.count("suspect") <= 1
    assert set(statuses) <= {"passed", "suspect"}


def test_a_few_nights_do_not_tell_whether_it_is_new() -> None:
    (gate,) = curve_gates(tonight(current_mb=2048), nights(valley, 512, count=9), plan())
    (fine,) = curve_gates(tonight(), [], plan())

    assert gate.status == "inconclusive"
    assert "whether that is new takes 10 nights" in gate.message
    assert fine.status == "passed"


@pytest.mark.parametrize(
    ("record", "step", "status"),
    [
        pytest.param(tonight(valid=False), {}, ["invalid"], id="invalid"),
        pytest.param(tonight(current_mb=64), {}, ["inconclusive"], id="outside"),
        pytest.param(tuned(20, rows_of(flat, sizes=(512,))), {}, [], id="one size"),
        pytest.param(tonight(kind="load"), {}, [], id="a load run"),
        pytest.param(tonight(), {"metrics": ("cost",)}, [], id="another metric"),
        pytest.param(tonight(current_mb=None), {}, ["inconclusive"], id="no current size"),
        pytest.param(tonight(prices=None), {}, ["inconclusive"], id="no prices"),
    ],
)
def test_what_cannot_be_judged(record: RunRecord, step: dict[str, Any], status: list[str]) -> None:
    gates = curve_gates(record, nights(valley, 512), plan(**step))

    assert [gate.status for gate in gates] == status


def test_a_night_as_far_from_usual_as_others_is_no_suspicion() -> None:
    rng = np.random.default_rng(3)
    # Each night believes to know its sizes six times as well as it does.
    rows = [rows_of(valley, rng, error=0.12) for _ in range(40)]
    sure = [[one.model_copy(update={"error_ln": 0.02}) for one in each] for each in rows]
    nights = [tuned(n, each, current_mb=1024) for n, each in enumerate(sure, start=1)]

    gates = [curve_gates(nights[n], nights[n - 14 : n], plan())[0] for n in range(14, 40)]

    assert sum(gate.status == "suspect" for gate in gates) <= 1
    assert sum((gate.change_interval or (0, 0))[0] > (gate.limit or 0) for gate in gates) > 3


def test_invalid_nights_tell_nothing_of_what_is_usual() -> None:
    past = [*nights(valley, 512), *nights(valley, 2048, count=30, valid=False)]

    (gate,) = curve_gates(tonight(current_mb=2048), past, plan())

    assert gate.status == "suspect"
    assert gate.nights == 14


def test_a_plan_may_allow_more() -> None:
    generous = plan().model_copy(update={"gates": Gates(regret=0.9)})

    (gate,) = curve_gates(tonight(current_mb=2048), nights(valley, 512), generous)

    assert (gate.status, gate.limit) == ("passed", 0.9)


# -- reruns -----------------------------------------------------------------------------------


def test_reruns_confirm_what_is_true_and_clear_what_is_not() -> None:
    dear = confirm_regret(nights(valley, 2048, count=2), 0.05)
    fine = confirm_regret(nights(flat, 512, count=2), 0.05)

    assert dear is not None
    assert dear.confirmed
    assert dear.p_value < 0.01
    assert dear.words.startswith("2 reruns: ")
    assert fine is not None
    assert not fine.confirmed
    assert fine.p_value > 0.05


def test_reruns_that_say_nothing_confirm_nothing() -> None:
    assert confirm_regret([], 0.05) is None
    assert confirm_regret([tonight(valid=False)], 0.05) is None
    assert confirm_regret([tuned(1, [])], 0.05) is None


# -- recommendations --------------------------------------------------------------------------


def test_a_recommendation_that_moves_is_told_where_it_gains() -> None:
    past = nights(flat, 512, recommended_mb=2048)

    told = moved_recommendation(tonight(recommended_mb=512), past).replace("\xa0", " ")

    assert told.startswith("512 MB is recommended, and not 2,048 MB as on 14 of 14 nights")


@pytest.mark.parametrize(
    ("law", "recommended_mb", "past"),
    [
        pytest.param(flat, 1024, nights(flat, 512, recommended_mb=256), id="a flat valley"),
        pytest.param(valley, 2048, nights(valley, 512, recommended_mb=2048), id="the same"),
        pytest.param(valley, None, nights(valley, 512, recommended_mb=2048), id="none tonight"),
        pytest.param(valley, 512, nights(valley, 512, recommended_mb=None), id="none before"),
        pytest.param(valley, 512, [], id="no night"),
    ],
)
def test_a_recommendation_that_moves_in_a_flat_valley_is_not_told(
    law: Law, recommended_mb: int | None, past: list[RunRecord]
) -> None:
    assert moved_recommendation(tonight(law, recommended_mb=recommended_mb), past) == ""
