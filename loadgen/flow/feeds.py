"""Rows of CSV and JSON lines files for flows: each flow draws one row of each feed that it uses.

A file is read once, when the run begins. `sequence` and `unique` deal the rows out to injectors in
turn, so that together they go through the file in its order; `random` draws with the run's seed.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final, Literal, TypeVar

import orjson
from pydantic import JsonValue

from core.errors import InputError

# Each injector holds a feed in memory, for a moment as text and as rows: a few times the file.
MAX_ROWS: Final = 1_000_000
MAX_FILE_BYTES: Final = 100_000_000

JSON_LINES: Final = (".jsonl", ".ndjson")

T = TypeVar("T")
Row = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Rows:
    """A feed's file. `columns` are those of the CSV header; None of JSON lines."""

    columns: tuple[str, ...] | None
    rows: Sequence[tuple[str, ...] | dict[str, JsonValue]]

    def row(self, index: int) -> Row:
        """The row at `index`, by column."""
        row = self.rows[index]
        if isinstance(row, dict):
            return row
        return dict(zip(self.columns or (), row, strict=True))


class Feeder:
    """Deals the rows of a feed to the flows of one injector of several."""

    def __init__(
        self,
        rows: Rows,
        *,
        order: Literal["sequence", "random", "unique"] = "sequence",
        on_end: Literal["recycle", "stop"] | None = None,
        rng: random.Random,
        injector: int = 0,
        injectors: int = 1,
    ) -> None:
        self._rows = rows
        self._rng = rng if order == "random" else None
        self._stops = order == "unique" or on_end == "stop"
        self._next = injector
        self._stride = injectors

    def draw(self) -> Row | None:
        """The next row; None when a feed that stops has none left."""
        count = len(self._rows.rows)
        if self._rng is not None:
            return self._rows.row(self._rng.randrange(count))
        index = self._next
        if index >= count and self._stops:
            return None
        self._next = index + self._stride
        return self._rows.row(index % count)


def read_rows(path: Path) -> Rows:
    """All rows of a `.csv` file with a header, or of a `.jsonl` or `.ndjson` file of objects.

    Raises:
        InputError: the file cannot be read, has no rows, or too many; or a row is wrong.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", *JSON_LINES):
        raise InputError(f"{path}: a feed must be a .csv, .jsonl or .ndjson file")
    text = _text(path)
    if suffix == ".csv":
        rows = _csv(path, text)
    else:
        rows = Rows(None, _within_limit(path, _objects(path, text)))
    if not rows.rows:
        raise InputError(f"{path}: has no rows")
    return rows


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError(
                f"{path}: a feed may have {MAX_FILE_BYTES:,} bytes (got {size:,})",
                hint="split it, or keep only the columns that the flows use",
            )
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: could not read the feed: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}: is not UTF-8") from error


def _csv(path: Path, text: str) -> Rows:
    records = _records(path, text)
    line, header = next(records, (1, ()))
    columns = tuple(name.strip() for name in header)
    if not columns:
        raise InputError(f"{path}: has no header with the names of the columns")
    for number, name in enumerate(columns, 1):
        if not name:
            raise InputError(f"{path}:{line}: column {number} has no name")
        if name in columns[: number - 1]:
            raise InputError(f"{path}:{line}: two columns have the name {name}")
    return Rows(columns, _within_limit(path, _whole(path, records, len(columns))))


def _records(path: Path, text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Records that are not empty, each with the line that it begins in."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise InputError(f"{path}:{line}: {error}") from error
        if record is None:
            return
        if record:
            yield line, tuple(record)


def _whole(
    path: Path, records: Iterator[tuple[int, tuple[str, ...]]], width: int
) -> Iterator[tuple[str, ...]]:
    for line, record in records:
        if len(record) != width:
            raise InputError(f"{path}:{line}: must have {width} values (got {len(record)})")
        yield record


def _objects(path: Path, text: str) -> Iterator[dict[str, JsonValue]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except ValueError as error:
            raise InputError(f"{path}:{number}: is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise InputError(f'{path}:{number}: must be an object such as {{"id": 1}}')
        yield value


def _within_limit(path: Path, rows: Iterator[T]) -> list[T]:
    kept: list[T] = []
    for row in rows:
        if len(kept) == MAX_ROWS:
            raise InputError(f"{path}: a feed may have {MAX_ROWS:,} rows (got more)")
        kept.append(row)
    return kept
