"""Whether counts that CloudWatch publishes are those of a run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.telemetry.coverage import Counted, Expected, by_minute, state_of, strangers

ENDED_S = 10_000.0
MINUTE = {9_960: 1000}


def counted(by: dict[int, float], *, after_s: float = 5.0, still_s: float = 0.0) -> Counted:
    """Counts that were read so long after the end, and have not grown for so long."""
    read_s = ENDED_S + after_s
    return Counted(by, read_s, read_s - still_s)


def expected(least: int = 1000, most: int | None = 1000, **more: dict[int, int]) -> Expected:
    return Expected(least, most, more.get("minutes", MINUTE), ENDED_S)


@pytest.mark.parametrize(
    ("seen", "run", "state"),
    [
        pytest.param(counted({9_960: 1000.0}), expected(), "covered", id="all of it"),
        pytest.param(counted({9_960: 996.0}), expected(), "covered", id="but for 0.4 %"),
        pytest.param(counted({}), expected(), "late", id="nothing yet"),
        pytest.param(counted({}, after_s=601), expected(), "none", id="nothing after ten minutes"),
        pytest.param(counted({9_960: 700.0}), expected(), "late", id="a part so far"),
        pytest.param(
            counted({9_960: 700.0}, after_s=200, still_s=60), expected(), "late", id="may grow"
        ),
        pytest.param(
            counted({9_960: 700.0}, after_s=200, still_s=95), expected(), "fewer", id="grows not"
        ),
        pytest.param(counted({9_960: 1300.0}), expected(), "shared", id="strangers"),
        pytest.param(counted({9_960: 1015.0}), expected(), "covered", id="few strangers"),
        pytest.param(
            counted({9_960: 1200.0}), expected(most=1200), "covered", id="timed out, but counted"
        ),
        pytest.param(
            counted({9_960: 1300.0}), expected(most=None), "covered", id="no upper end is known"
        ),
        pytest.param(
            counted({9_900: 1100.0}),
            expected(minutes={9_900: 500, 9_960: 500}),
            "late",
            id="strangers do not make up for a minute that is to come",
        ),
        pytest.param(
            counted({9_900: 990.0, 9_960: 10.0}),
            expected(minutes={9_900: 985, 9_960: 15}),
            "covered",
            id="a small last minute may lie on the other side of the border",
        ),
        pytest.param(counted({}), expected(least=0, most=0, minutes={}), "covered", id="no load"),
    ],
)
def test_states_of_counts(seen: Counted, run: Expected, state: str) -> None:
    assert state_of(seen, run) == state


def test_strangers_are_what_is_beyond_all_that_was_sent() -> None:
    assert strangers(counted({9_960: 1300.0}), expected(most=1100)) == 200
    assert strangers(counted({9_960: 1050.0}), expected(most=1100)) == 0


@pytest.mark.parametrize(
    ("started_s", "minutes"),
    [
        pytest.param(120.0, {120: 58}, id="a whole minute"),
        pytest.param(119.9, {120: 57}, id="a border right behind the start"),
        pytest.param(150.5, {120: 28, 180: 29}, id="two halves"),
    ],
)
def test_what_is_due_at_a_border_may_be_counted_on_either_side(
    started_s: float, minutes: dict[int, int]
) -> None:
    assert by_minute(dict.fromkeys(range(60), 1), started_s) == minutes


@given(
    sent=st.lists(st.integers(1, 500), min_size=1, max_size=300),
    started_s=st.floats(0, 1e9),
    late_s=st.floats(0, 1),
    share=st.floats(0, 3),
)
def test_only_a_count_like_the_run_covers_it(
    sent: list[int], started_s: float, late_s: float, share: float
) -> None:
    arrived: dict[int, float] = {}
    for second, n in enumerate(sent):
        minute = int(started_s + second + late_s) // 60 * 60
        arrived[minute] = arrived.get(minute, 0) + share * n
    whole = sum(sent)
    run = Expected(whole, whole, by_minute(dict(enumerate(sent)), started_s), ENDED_S)
    seen = counted(arrived)

    state = state_of(seen, run)

    if state == "covered":
        assert seen.total >= 0.995 * whole
        assert seen.total - whole <= max(0.02 * whole + 1, 5)
    assert (state == "late") == (seen.total < 0.995 * whole)
    assert (state == "shared") <= (seen.total > whole)
