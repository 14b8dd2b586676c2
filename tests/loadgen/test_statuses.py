"""Status codes of a run, counted from its records."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.records import RECORD, Records
from loadgen.statuses import count_statuses

REFUSED = Kind(Outcome.CONNECTION_ERROR, Cause.REFUSED, Evidence.WIRE).code


def records(*rows: tuple[int, int, int]) -> Records:
    """Records of (status, phase, kind)."""
    made = np.zeros(len(rows), RECORD)
    for name, column in zip(("status", "phase", "kind"), zip(*rows, strict=True), strict=False):
        made[name] = column
    return made


@pytest.mark.parametrize(
    ("files", "counts"),
    [
        ([], {}),
        ([records()], {}),
        ([records((500, 1, 1), (200, 1, 0), (200, 1, 0))], {"200": 2, "500": 1}),
        ([records((429, 1, 1)), records((429, 1, 1), (200, 1, 0))], {"200": 1, "429": 2}),
        ([records((0, 1, REFUSED), (200, 1, 0))], {"200": 1, "no response": 1}),
        ([records((200, 0, 0), (201, 2, 0), (202, 1, 0))], {"201": 1, "202": 1}),
        ([records((0, 1, 0), (204, 1, 0))], {"204": 1}),
    ],
    ids=["no files", "none", "by code", "of all injectors", "no response", "measured", "no HTTP"],
)
def test_status_codes_of_measured_phases_are_counted(
    files: list[Records], counts: dict[str, int]
) -> None:
    found = count_statuses(files, {1, 2})
    assert list(found.items()) == list(counts.items())


def test_many_records_are_counted_in_parts() -> None:
    many = np.zeros(200_000, RECORD)
    many["status"] = 200
    many["status"][:70_000] = 503
    assert count_statuses([many, many[:5]], {0}) == {"200": 130_000, "503": 70_005}
