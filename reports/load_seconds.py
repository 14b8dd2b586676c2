"""The rows of a load run, one for each second, as columns: what drawings are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, lt
from typing import Any

from reports.load_document import Second


@dataclass(frozen=True, slots=True)
class SecondColumns:
    """The rows of a run, ascending, each second once; refused and failed requests are counted."""

    second: Sequence[int]
    offered: Sequence[int]
    admitted: Sequence[int]
    dropped: Sequence[int]
    throttled: Sequence[int]
    throttled_by_cause: Sequence[Mapping[str, int]]
    failed: Sequence[int]
    response_p50_ms: Sequence[float | None]
    response_p95_ms: Sequence[float | None]
    response_p99_ms: Sequence[float | None]
    service_p95_ms: Sequence[float | None]

    def cut(self, first: int, end: int) -> SecondColumns:
        """The rows from `first` to before `end`."""
        part = slice(first, end)
        return SecondColumns(
            second=self.second[part],
            offered=self.offered[part],
            admitted=self.admitted[part],
            dropped=self.dropped[part],
            throttled=self.throttled[part],
            throttled_by_cause=self.throttled_by_cause[part],
            failed=self.failed[part],
            response_p50_ms=self.response_p50_ms[part],
            response_p95_ms=self.response_p95_ms[part],
            response_p99_ms=self.response_p99_ms[part],
            service_p95_ms=self.service_p95_ms[part],
        )


_READ = attrgetter(
    "second",
    "offered",
    "admitted",
    "dropped",
    "throttled",
    "errors",
    "response_p50_ms",
    "response_p95_ms",
    "response_p99_ms",
    "service_p95_ms",
)
# So many rows are read at a time, each once, while it is in the processor's cache.
_ROWS = 1000


def columns_of(seconds: Sequence[Second]) -> SecondColumns:
    """The columns of rows in any order; none of none."""
    found = _columns(seconds)
    if all(map(lt, found.second, found.second[1:])):
        return found
    # Where two phases share a second, a document has a row for each.
    by_second: dict[int, list[Second]] = {}
    for row in seconds:
        by_second.setdefault(row.second, []).append(row)
    return _columns([_together(rows) for _, rows in sorted(by_second.items())])


def _columns(rows: Sequence[Second]) -> SecondColumns:
    columns: list[list[Any]] = [[] for _ in range(10)]
    for first in range(0, len(rows), _ROWS):
        parts = zip(*map(_READ, rows[first : first + _ROWS]), strict=True)
        for column, part in zip(columns, parts, strict=True):
            column.extend(part)
    second, offered, admitted, dropped, throttled, errors, p50, p95, p99, service = columns
    return SecondColumns(
        second=second,
        offered=offered,
        admitted=admitted,
        dropped=dropped,
        throttled=_totals(throttled),
        throttled_by_cause=throttled,
        failed=_totals(errors),
        response_p50_ms=p50,
        response_p95_ms=p95,
        response_p99_ms=p99,
        service_p95_ms=service,
    )


def _together(rows: Sequence[Second]) -> Second:
    if len(rows) == 1:
        return rows[0]
    found = _columns(rows)
    return rows[0].model_copy(
        update={
            "offered": sum(found.offered),
            "admitted": sum(found.admitted),
            "dropped": sum(found.dropped),
            "errors": summed([row.errors for row in rows]),
            "throttled": summed(found.throttled_by_cause),
            "response_p50_ms": highest(found.response_p50_ms),
            "response_p95_ms": highest(found.response_p95_ms),
            "response_p99_ms": highest(found.response_p99_ms),
            "service_p95_ms": highest(found.service_p95_ms),
        }
    )


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by name over all rows."""
    total: dict[str, int] = {}
    for by_name in counts:
        if by_name:
            for name, count in by_name.items():
                total[name] = total.get(name, 0) + count
    return total


def _totals(counts: Iterable[Mapping[str, int]]) -> list[int]:
    return [sum(by_name.values()) if by_name else 0 for by_name in counts]


def highest(values: Iterable[float | None]) -> float | None:
    """The highest of those that were measured; None where none was."""
    return max([value for value in values if value is not None], default=None)
