"""What a run shows of its generator, read from its books."""

from __future__ import annotations

from loadgen.injector_notes import used_up_note, waited_note
from loadgen.measured import measured_of
from tests.loadgen.made_runs import Made, Seen, profile_of, tally_of


def test_what_injectors_note_is_found_again() -> None:
    tally = tally_of(profile_of(), Made([Seen(0)]))

    before = measured_of(tally)
    tally.notes += [waited_note(10), used_up_note("buy", "no more arrivals")]
    after = measured_of(tally)

    assert (before.waited_for_connection, before.data_used_up) == (False, False)
    assert (after.waited_for_connection, after.data_used_up) == (True, True)
