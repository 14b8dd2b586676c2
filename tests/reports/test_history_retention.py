"""Which nights go, and which never."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports.history.history import StoredRecord
from reports.history.names import object_name
from reports.history.retention import prunable
from tests.reports import history_records as made

# Of 200 nights the first hundred are more than 99 days old.
TODAY = made.at(200).date()


@pytest.fixture(scope="module")
def stored():
    records = [
        *(made.run(number) for number in range(1, 201)),
        *(made.night(number, made.alarm(number)) for number in range(1, 201) if number != 60),
        made.event(5),
        made.event(150, alarm_id="a0007", from_sequence=None),
        made.event(9, alarm_id=None, series=None),
        made.event(11, action="mute"),
    ]
    return [StoredRecord(object_name(record), record) for record in records]


def going(stored, days=99, **options):
    return [int(night[1:]) for night in prunable(stored, TODAY, days, **options).nights]


def test_old_nights_go_with_all_that_is_of_them(stored):
    found = prunable(stored, TODAY, 99)

    assert going(stored) == [number for number in range(1, 101) if number not in (5, 7, 9)]
    assert found.kept == {"from which an accepted level holds": 3}
    assert len(found.names) == 97 * 2 - 1
    assert not any(name.startswith("events/") for name in found.names)
    assert object_name(made.run(60)) in found.names  # a night that was killed left only runs


def test_the_last_nights_stay_however_old_they_are(stored):
    later = TODAY + timedelta(days=5000)

    assert max(int(night[1:]) for night in prunable(stored, later, 10).nights) == 110
    assert prunable(stored, later, 10).kept["of the last 90 nights"] == 90
    assert going(stored, days=10, keep_nights=150)[-1] == 50
    assert going(stored, days=10, keep_nights=0)[-1] == 189


def test_the_last_nights_of_each_branch_stay(stored):
    def on_main(entry):
        number = entry.record.sequence
        branch = "main" if number <= 30 else "feature"
        return StoredRecord(entry.name, entry.record.model_copy(update={"branch": branch}))

    kept_to = [on_main(entry) for entry in stored if entry.record.type != "event"]

    assert going(kept_to, days=10, keep_nights=20) == [*range(1, 11), *range(31, 181)]


@pytest.mark.parametrize("name", ["n0050", f"{made.at(50):%Y-%m-%d}"])
def test_a_night_that_is_named_stays(stored, name):
    assert 50 not in going(stored, pinned=[name])
    assert 51 in going(stored, pinned=[name])


def test_a_night_whose_date_cannot_be_read_stays():
    odd = made.night(1).model_copy(update={"night": "soon"})
    found = prunable([StoredRecord("x", odd)], TODAY, 1, keep_nights=0)

    assert (found.names, found.kept) == ((), {})


def test_nothing_goes_of_an_empty_history():
    assert prunable([], TODAY, 0).names == ()
