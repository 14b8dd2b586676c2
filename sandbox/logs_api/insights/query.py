"""A query that is ready to run: rows go in one by one, the result comes out in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.logs_api.insights.parser import parse_query
from sandbox.logs_api.insights.rows import Row
from sandbox.logs_api.insights.stages import (
    Columns,
    Counter,
    Dedup,
    Filter,
    Limit,
    Parse,
    Sort,
    Stage,
    Stats,
)
from sandbox.logs_api.insights.syntax import (
    Command,
    DedupCommand,
    DisplayCommand,
    FieldsCommand,
    FilterCommand,
    LimitCommand,
    ParseCommand,
    SortCommand,
    StatsCommand,
)
from sandbox.logs_api.insights.values import text_of
from sandbox.telemetry.log_merge import LogEvent

# Rows of a result where neither the query nor the caller says (StartQuery, read 2026-09).
DEFAULT_ROWS = 10_000

ResultRow = list[tuple[str, str]]

_DEFAULT_COLUMNS = ("@timestamp", "@message")
_ROW_BY_ROW = (FieldsCommand, DisplayCommand, ParseCommand)


class Query:
    """One run of a query.

    Events have to come newest first: that is the order of a result that nobody sorted.
    """

    def __init__(self, text: str, account_id: str, row_limit: int | None = None) -> None:
        """Reads the query; `row_limit` is for a query that has no limit of its own.

        Raises:
            QueryError: the query cannot be run.
        """
        commands = parse_query(text)
        if not any(isinstance(command, LimitCommand) for command in commands):
            commands = (*commands, LimitCommand(row_limit or DEFAULT_ROWS))
        self._account_id = account_id
        self._columns = columns_of(commands)
        self._matched = Counter()
        self._stages = [
            _stage(command, commands[number + 1 :]) for number, command in enumerate(commands)
        ]
        self._stages.insert(_filters_end(commands), self._matched)
        self.rows: list[ResultRow] = []
        self.scanned = 0
        self.scanned_bytes = 0

    @property
    def matched(self) -> int:
        """Events that passed the filters before anything was aggregated or cut off."""
        return self._matched.count

    def take(self, event: LogEvent) -> None:
        """Runs one event through the query."""
        self.scanned += 1
        message = event.message
        self.scanned_bytes += len(message) if message.isascii() else len(message.encode())
        self._push(Row(event, self._account_id), 0)

    def finish(self) -> Iterator[None]:
        """Runs what stages have kept through the rest; each step is short."""
        for number, stage in enumerate(self._stages):
            for row in stage.rest():
                self._push(row, number + 1)
                yield

    def _push(self, row: Row, first: int) -> None:
        current: Row | None = row
        for stage in self._stages[first:]:
            if current is None:
                return
            current = stage.take(current)
        if current is not None:
            self.rows.append(self._result(current))

    def _result(self, row: Row) -> ResultRow:
        values = ((name, text_of(row.get(name))) for name in self._columns)
        return [(name, text) for name, text in values if text is not None]


def columns_of(commands: Sequence[Command]) -> tuple[str, ...]:
    """The names of the columns of a result, in order; rows of events have their @ptr at the end."""
    shown: dict[str, None] = {}
    parsed: dict[str, None] = {}
    displayed: dict[str, None] | None = None
    is_of_events = True
    for command in commands:
        match command:
            case FieldsCommand(items):
                shown |= dict.fromkeys(item.name for item in items)
            case DisplayCommand(items):
                displayed = dict.fromkeys(item.name for item in items)
            case ParseCommand():
                parsed |= dict.fromkeys(name for _, name in command.names)
            case StatsCommand(items, by):
                shown = dict.fromkeys(item.name for item in (*by, *items))
                parsed, displayed, is_of_events = {}, None, False
    if displayed is None:
        displayed = (shown or dict.fromkeys(_DEFAULT_COLUMNS)) | parsed
    return (*displayed, "@ptr") if is_of_events else tuple(displayed)


def _filters_end(commands: Sequence[Command]) -> int:
    """How many commands it takes until an event has passed all filters that work on events."""
    end = 0
    for number, command in enumerate(commands):
        if isinstance(command, FilterCommand):
            end = number + 1
        elif not isinstance(command, _ROW_BY_ROW):
            break
    return end


def _stage(command: Command, following: Sequence[Command]) -> Stage:
    match command:
        case FieldsCommand(items) | DisplayCommand(items):
            return Columns(items)
        case FilterCommand():
            return Filter(command)
        case ParseCommand():
            return Parse(command)
        case StatsCommand():
            return Stats(command)
        case SortCommand():
            return Sort(command, _bound(following))
        case LimitCommand(count):
            return Limit(count)
        case DedupCommand():
            return Dedup(command)


def _bound(following: Sequence[Command]) -> int | None:
    """How many rows a sort has to keep: as many as the limit that comes next."""
    for command in following:
        if isinstance(command, LimitCommand):
            return command.count
        if not isinstance(command, _ROW_BY_ROW):
            return None
    return None
