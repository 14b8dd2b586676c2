"""What holds of decisions: mutes end by themselves or by a word, levels stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.history.decisions import (
    acceptance_of,
    chronic_suspects,
    latest_alarms,
    levels_of,
    mute_of,
    mutes_in_force,
)
from reports.history.record import SeriesId
from tests.reports import history_records as made

NOW = made.at(30)
OTHER = SeriesId(step="orders", scope="GET /cart", metric="p95")


def mute(number: int, **changed: object):
    values: dict[str, object] = {
        "action": "mute",
        "alarm_id": None,
        "series": made.SEARCH,
        "from_sequence": None,
        "until_utc": (NOW + timedelta(days=1)).isoformat(),
    }
    return made.event(number, **{**values, **changed})


def unmute(number: int, **changed: object):
    return mute(number, **{"action": "unmute", "until_utc": None, **changed})


@pytest.mark.parametrize(
    ("events", "in_force"),
    [
        pytest.param([], [], id="none"),
        pytest.param([mute(1)], ["e0001"], id="one"),
        pytest.param([mute(1, until_utc=NOW.isoformat())], [], id="it has just ended"),
        pytest.param([mute(1, until_utc="2026-08-30T08:00:00")], ["e0001"], id="no zone is UTC"),
        pytest.param([mute(1), mute(2, series=OTHER)], ["e0001", "e0002"], id="two figures"),
        pytest.param([mute(1), mute(2)], ["e0002"], id="the later counts"),
        pytest.param(
            [mute(1), mute(2, until_utc=NOW.isoformat())], [], id="also where it ends sooner"
        ),
        pytest.param([mute(1), unmute(2)], [], id="taken back"),
        pytest.param([unmute(1), mute(2)], ["e0002"], id="muted again"),
        pytest.param([mute(1), unmute(2, series=OTHER)], ["e0001"], id="another taken back"),
        pytest.param(
            [mute(1), mute(2, series=None), unmute(3)], ["e0002"], id="one of all and one"
        ),
        pytest.param([mute(1), mute(2, alarm_id="x"), unmute(3, series=None)], [], id="all"),
        pytest.param(
            [mute(1), mute(2, alarm_id="x"), unmute(3, alarm_id="x")], ["e0001"], id="an alarm"
        ),
        pytest.param([made.event(1)], [], id="what is accepted is not muted"),
    ],
)
def test_mutes_in_force(events, in_force):
    assert [event.event_id for event in mutes_in_force(events, NOW)] == in_force


@pytest.mark.parametrize(
    ("held", "covered"),
    [
        pytest.param(mute(1), True, id="its figure"),
        pytest.param(mute(1, series=OTHER), False, id="another figure"),
        pytest.param(mute(1, series=None), True, id="all figures"),
        pytest.param(mute(1, alarm_id="a0007"), True, id="this alarm"),
        pytest.param(mute(1, alarm_id="a0001"), False, id="an earlier alarm of the figure"),
    ],
)
def test_what_a_mute_covers(held, covered):
    assert (mute_of([held], made.SEARCH, "a0007") is held) == covered


@pytest.mark.parametrize(
    ("event", "accepted"),
    [
        pytest.param(made.event(7), True, id="by its id"),
        pytest.param(made.event(7, alarm_id=None), True, id="a level of its figure"),
        pytest.param(made.event(7, alarm_id=None, series=None), True, id="a level of all"),
        pytest.param(made.event(7, alarm_id=None, series=OTHER), False, id="another figure"),
        pytest.param(made.event(8, alarm_id=None), False, id="a later level"),
        pytest.param(made.event(8), False, id="another alarm"),
        pytest.param(mute(7, alarm_id="a0007"), False, id="a mute"),
    ],
)
def test_what_accepts_an_alarm(event, accepted):
    assert (acceptance_of([event], made.alarm(7)) is event) == accepted


def test_levels_are_those_of_the_figure_and_of_all():
    events = [
        made.event(9),
        made.event(3, series=None, alarm_id=None),
        made.event(5, series=OTHER),
        made.event(9, event_id="again"),
        mute(7),
    ]

    assert levels_of(events, made.SEARCH) == [3, 9]


def test_figures_that_are_cleared_again_and_again_are_chronic():
    def alarms(number):
        if number in (1, 12, 20, 40):  # the first is too long ago
            other = "suspect" if number == 40 else "cleared"
            return made.alarm(number, "cleared"), made.alarm(number, other, OTHER)
        return ()

    nights = [made.night(number, *alarms(number)) for number in range(1, 41)]

    found = chronic_suspects(nights)

    assert [(str(one.series), one.cleared) for one in found] == [("orders / GET /search / p95", 3)]


def test_an_alarm_is_as_the_last_night_saw_it():
    nights = [made.night(7, made.alarm(7, "suspect")), made.night(8, made.alarm(7), made.alarm(8))]

    assert latest_alarms(nights) == {"a0007": made.alarm(7), "a0008": made.alarm(8)}
