"""The commands of a query at work, each on the rows that the one before lets through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Protocol

from sandbox.logs_api.insights.aggregates import Aggregate, MakeAggregate, aggregate_of
from sandbox.logs_api.insights.errors import QueryError
from sandbox.logs_api.insights.evaluation import Evaluate, evaluate
from sandbox.logs_api.insights.rows import Row
from sandbox.logs_api.insights.syntax import (
    Call,
    DedupCommand,
    Field,
    FilterCommand,
    Item,
    ParseCommand,
    SortCommand,
    StatsCommand,
    fields_of,
)
from sandbox.logs_api.insights.values import (
    SortableKey,
    Timestamp,
    Value,
    is_true,
    sort_key,
    text_of,
)


class Stage(Protocol):
    """One command; it may keep rows until there are no more."""

    def take(self, row: Row) -> Row | None:
        """The row to hand on at once, if any."""

    def rest(self) -> Iterator[Row]:
        """The rows that it kept."""


class _Direct:
    """A stage that keeps nothing."""

    def rest(self) -> Iterator[Row]:
        return iter(())


class Counter(_Direct):
    """Counts the rows that pass."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, row: Row) -> Row | None:
        """Lets all rows pass."""
        self.count += 1
        return row


class Filter(_Direct):
    """Lets the rows pass that fulfil a condition."""

    def __init__(self, command: FilterCommand) -> None:
        self._condition = evaluate(command.condition)

    def take(self, row: Row) -> Row | None:
        """The row, if it fulfils the condition."""
        return row if is_true(self._condition(row)) else None


class Columns(_Direct):
    """Gives rows the values of `fields` and `display` that are not plain fields."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._computed = [
            (item.name, evaluate(item.value)) for item in items if item.value != Field(item.name)
        ]

    def take(self, row: Row) -> Row | None:
        """The row with the values."""
        for name, value in self._computed:
            row.values[name] = value(row)
        return row


class Parse(_Direct):
    """Gives rows the parts of a text; a text that does not fit leaves them without."""

    def __init__(self, command: ParseCommand) -> None:
        self._value = evaluate(command.value)
        self._pattern = command.pattern
        self._names = command.names

    def take(self, row: Row) -> Row | None:
        """The row with the parts."""
        text = text_of(self._value(row))
        found = None if text is None else self._pattern.search(text)
        if found is not None:
            for number, name in self._names:
                row.values[name] = found[number]
        return row


class Limit(_Direct):
    """Lets the first rows pass."""

    def __init__(self, count: int) -> None:
        self._left = count

    def take(self, row: Row) -> Row | None:
        """The row, as long as there are not enough."""
        if self._left == 0:
            return None
        self._left -= 1
        return row


class Dedup(_Direct):
    """Lets the first row of its kind pass, and all rows that lack one of the values."""

    def __init__(self, command: DedupCommand) -> None:
        self._values = [evaluate(value) for value in command.values]
        self._seen: set[tuple[str | None, ...]] = set()

    def take(self, row: Row) -> Row | None:
        """The row, if there was none like it."""
        key = tuple(text_of(value(row)) for value in self._values)
        if None in key:
            return row
        if key in self._seen:
            return None
        self._seen.add(key)
        return row


class Sort:
    """Keeps all rows, or the first `bound`, and hands them on in order."""

    # Rows that come between two cuts: cutting costs little then, and so does keeping them.
    _SLACK = 2_000

    def __init__(self, command: SortCommand, bound: int | None) -> None:
        self._keys = [(evaluate(key.value), key.is_descending) for key in command.keys]
        self._bound = bound
        self._rows: list[tuple[tuple[SortableKey, ...], Row]] = []

    def take(self, row: Row) -> Row | None:
        """Keeps the row."""
        self._rows.append((tuple(sort_key(value(row)) for value, _ in self._keys), row))
        if self._bound is not None and len(self._rows) > self._bound + self._SLACK:
            self._sort()
            del self._rows[self._bound :]
        return None

    def rest(self) -> Iterator[Row]:
        """The rows in order."""
        self._sort()
        return (row for _, row in self._rows)

    def _sort(self) -> None:
        for number in range(len(self._keys) - 1, -1, -1):
            is_descending = self._keys[number][1]
            self._rows.sort(key=lambda entry: entry[0][number], reverse=is_descending)


class _Group:
    def __init__(self, by: Sequence[tuple[str, Value]], makers: Sequence[MakeAggregate]) -> None:
        self.by = by
        self.aggregates: list[Aggregate] = [make() for make in makers]


class Stats:
    """Keeps what the rows of each group come to.

    The groups of a time come newest first, as CloudWatch shows them; others in the order in which
    they were found.
    """

    def __init__(self, command: StatsCommand) -> None:
        self._by = [(item.name, evaluate(item.value)) for item in command.by]
        self._makers: list[MakeAggregate] = []
        known = {item.name for item in command.by}
        self._results: list[tuple[str, Evaluate]] = []
        for item in command.items:
            self._results.append((item.name, self._result_of(item, known)))
            known.add(item.name)
        self._groups: dict[tuple[str | None, ...], _Group] = {}

    def _result_of(self, item: Item, known: Set[str]) -> Evaluate:
        """What a column is, given a row with the results so far."""
        before = len(self._makers)
        value = evaluate(item.value, self._aggregate)
        unknown = sorted(set(fields_of(item.value)) - known)
        if unknown:
            raise QueryError(
                f"stats: {unknown[0]} is neither aggregated nor grouped by", item.start, item.end
            )
        if len(self._makers) == before and isinstance(item.value, Call):
            raise QueryError(f"stats: {item.value.name} aggregates nothing", item.start, item.end)
        return value

    def _aggregate(self, call: Call) -> Evaluate | None:
        make = aggregate_of(call)
        if make is None:
            return None
        name = _hidden(len(self._makers))
        self._makers.append(make)
        return lambda row: row.values[name]

    def take(self, row: Row) -> Row | None:
        """Counts the row in its group."""
        by = [(name, value(row)) for name, value in self._by]
        key = tuple(text_of(value) for _, value in by)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(by, self._makers)
        for aggregate in group.aggregates:
            aggregate.add(row)
        return None

    def rest(self) -> Iterator[Row]:
        """One row for each group."""
        groups = sorted(self._groups.values(), key=_newest_first)
        return (self._row(group) for group in groups)

    def _row(self, group: _Group) -> Row:
        row = Row(None, values=dict(group.by))
        for number, aggregate in enumerate(group.aggregates):
            row.values[_hidden(number)] = aggregate.result()
        for name, result in self._results:
            row.values[name] = result(row)
        return row


def _hidden(number: int) -> str:
    """Where the result of an aggregate is kept; no field can have such a name."""
    return f"\0{number}"


def _newest_first(group: _Group) -> tuple[int, ...]:
    return tuple(-int(value) for _, value in group.by if isinstance(value, Timestamp))
