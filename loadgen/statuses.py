"""How often an API gave each status code, from the records of the requests of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from loadgen.outcome import OK
from loadgen.records import Records, chunks

NO_RESPONSE = "no response"


def count_statuses(files: Sequence[Records], phases: Collection[int]) -> dict[str, int]:
    """Requests of `phases` by status code, in the order of the codes; those without one last.

    Another protocol than HTTP has no codes (locustfiles): its requests that went well are in no
    count.
    """
    counts: dict[int, int] = {}
    for records in chunks(files):
        chosen = records[np.isin(records["phase"], list(phases))]
        answered = chosen[(chosen["status"] > 0) | (chosen["kind"] != OK.code)]
        codes, numbers = np.unique(answered["status"], return_counts=True)
        for code, number in zip(codes.tolist(), numbers.tolist(), strict=True):
            counts[code] = counts.get(code, 0) + number
    silent = counts.pop(0, 0)
    found = {str(code): counts[code] for code in sorted(counts)}
    return found | {NO_RESPONSE: silent} if silent else found
