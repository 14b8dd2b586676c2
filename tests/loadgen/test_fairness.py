"""Keys that are used at once are put beside each other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.fairness import fairness_of, jain_index
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from reports.load_fairness import fairness_sentence, fairness_table, key_line
from tests.loadgen.made_runs import Made, Seen, profile_of, tally_of

REFUSED = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE)
HOLD = {"name": "hold", "duration": "10s", "rate": 10.0}
LATER = {"name": "later", "duration": "10s", "rate": 10.0}
WARM = {"name": "warm", "duration": "10s", "rate": 10.0, "measure": False}
SECRET = "key-of-somebody-4711"


def key(value: str = SECRET) -> dict[str, str]:
    return {"type": "api_key", "value": value}


def scenarios(browse: Any, buy: Any) -> list[dict[str, Any]]:
    return [
        {"name": "browse", "auth": browse, "flow": [{"get": "/items"}]},
        {"name": "buy", "auth": buy, "flow": [{"post": "/orders"}]},
    ]


def seen(phase: int = 0, second: int = 0) -> list[Seen]:
    """browse has 30 of 40 admitted, buy 10 of 40."""
    return [
        Seen(second, 30, step=0, phase=phase),
        Seen(second, 10, step=0, phase=phase, kind=REFUSED),
        Seen(second, 10, step=1, phase=phase),
        Seen(second, 30, step=1, phase=phase, kind=REFUSED),
    ]


def test_keys_of_one_phase_have_their_shares_and_an_index() -> None:
    profile = profile_of(HOLD, scenarios=scenarios(key(), key("another")))

    found = fairness_of(profile, tally_of(profile, Made(seen())))

    assert found is not None
    assert [(one.name, one.offered, one.admitted, one.throttled) for one in found.keys] == [
        ("scenario browse", 40, 30, 10),
        ("scenario buy", 40, 10, 30),
    ]
    assert found.keys[0].admitted_rps == 3.0
    # (3/4 + 1/4)^2 / (2 x (9/16 + 1/16))
    assert found.jain_index == pytest.approx(0.8)
    assert SECRET not in found.model_dump_json()


@pytest.mark.parametrize(
    ("phases", "auths", "made"),
    [
        ([HOLD], (key(), key()), seen()),
        ([HOLD], (key(), key("another")), [Seen(0, step=0)]),
        ([HOLD, LATER], (key(), key("b")), [Seen(0, step=0), Seen(11, step=1, phase=1)]),
        ([WARM, HOLD], (key(), key("b")), [*seen(0), Seen(11, step=1, phase=1)]),
    ],
    ids=["the same key twice", "one is not used", "one after the other", "only in the warm-up"],
)
def test_there_is_nothing_to_compare(
    phases: list[dict[str, Any]], auths: tuple[Any, Any], made: list[Seen]
) -> None:
    profile = profile_of(*phases, scenarios=scenarios(*auths))

    assert fairness_of(profile, tally_of(profile, Made(made))) is None


def test_phases_with_one_key_are_left_out() -> None:
    profile = profile_of(HOLD, LATER, scenarios=scenarios(key(), {"type": "none"}))
    made = Made([*seen(0), Seen(11, 500, step=0, phase=1)])

    found = fairness_of(profile, tally_of(profile, made))

    assert found is not None
    assert found.phases == ["hold"]
    assert [(one.auth, one.offered) for one in found.keys] == [("api_key", 40), ("none", 40)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_the_index_is_between_one_part_and_one(shares: list[float]) -> None:
    index = jain_index(shares)

    if index is None:
        assert not any(share**2 for share in shares)
    else:
        assert 1 / len(shares) - 1e-9 <= index <= 1 + 1e-9


def test_a_reader_is_told_which_keys_and_how_even() -> None:
    profile = profile_of(HOLD, scenarios=scenarios(key(), key("another")))
    found = fairness_of(profile, tally_of(profile, Made(seen())))
    assert found is not None

    assert fairness_sentence(found) == (
        "2 keys at once (phase hold): Jain's index of admitted shares is 0.800 (0.5 to 1, which is "
        "even)"
    )
    assert key_line(found.keys[1]) == (
        "scenario buy (api_key): 1/s of 4/s admitted, 75\N{NO-BREAK SPACE}% throttled"
    )
    assert [row.cells[0] for row in fairness_table(found).rows] == [
        "scenario browse",
        "scenario buy",
    ]
