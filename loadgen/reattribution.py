"""Writes what was learned after a run into its books: requests move to the kind that they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loadgen.records import Records, response_us
from loadgen.tally import Tally

_SECOND_US = 1_000_000


def reattribute(tally: Tally, records: Records, new_kinds: NDArray[np.uint16]) -> int:
    """Moves the requests of `records` whose kind is another now; gives how many there were.

    `new_kinds` has one code for each record, as `loadgen.evidence.gather` gives them.
    """
    changed = np.flatnonzero(records["kind"] != new_kinds)
    if not len(changed):
        return 0
    moved, kinds = records[changed], new_kinds[changed].astype(np.int64)
    seconds = moved["intended_us"] // _SECOND_US
    keys = np.stack(
        [seconds, moved["phase"], moved["step"], moved["kind"].astype(np.int64), kinds], axis=1
    )
    groups, of_group = np.unique(keys, axis=0, return_inverse=True)
    response, service = response_us(moved), moved["service_us"].astype(np.int64)
    first_byte = moved["first_byte_us"].astype(np.int64)
    order = of_group.reshape(-1).argsort(kind="stable")
    borders = np.searchsorted(of_group.reshape(-1)[order], np.arange(len(groups) + 1))
    count = 0
    for index, (second, phase, step, old, new) in enumerate(groups.tolist()):
        chosen = order[borders[index] : borders[index + 1]]
        answered = first_byte[chosen][first_byte[chosen] > 0]
        count += tally.move(
            second, phase, step, old, new, response[chosen], service[chosen], answered
        )
    return count
