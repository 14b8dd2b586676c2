"""What objects hold, in a SQLite file, so that a history of years is not read anew each night.

It is never the truth: a row counts only for an object that is listed now with the tag that it had,
and only while its checksum holds. Without the file, or where it is damaged, locked or cannot be
written, objects are read instead, and the file is made anew where that is possible.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from reports.history.store import StoredObject

_FORMAT = 1
# Another process writes for a fraction of a second; after this the objects are read instead.
_PATIENCE_S = 2.0
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TABLE = """
CREATE TABLE IF NOT EXISTS object (
    name TEXT PRIMARY KEY, tag TEXT NOT NULL, body TEXT NOT NULL, checksum INTEGER NOT NULL
) WITHOUT ROWID
"""


class ObjectCache:
    """Texts by object; `path` may be anything, None for no cache."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def texts(self, prefix: str, listed: Sequence[StoredObject]) -> dict[str, str]:
        """The texts of those of `listed`, all below `prefix`, that are in the cache."""
        if self._path is None or not self._path.is_file():
            return {}
        tags = {entry.name: entry.tag for entry in listed}
        question = "SELECT name, tag, body, checksum FROM object WHERE name >= ? AND name < ?"
        try:
            with closing(self._connect(self._path)) as opened:
                rows = opened.execute(question, (prefix, prefix + "\U0010ffff")).fetchall()
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
            return {}
        return {
            name: body
            for name, tag, body, checksum in rows
            if isinstance(body, str) and tags.get(name) == tag and _checksum(body) == checksum
        }

    def keep(self, texts: Mapping[str, str], listed: Sequence[StoredObject]) -> None:
        """Adds the texts of objects; those that are not kept are read again the next time."""
        if self._path is None or not texts:
            return
        tags = {entry.name: entry.tag for entry in listed}
        rows = [(name, tags[name], body, _checksum(body)) for name, body in texts.items()]
        self._change(self._path, "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)", rows)

    def forget(self, names: Iterable[str]) -> None:
        """Removes the texts of objects that are no more."""
        rows = [(name,) for name in names]
        if self._path is not None and rows and self._path.is_file():
            self._change(self._path, "DELETE FROM object WHERE name = ?", rows)

    def remove(self) -> None:
        """Removes the file; the next one is made from the objects alone."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _change(self, path: Path, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect(path)) as opened, opened:
                opened.executemany(statement, rows)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def _connect(self, path: Path) -> sqlite3.Connection:
        opened = sqlite3.connect(path, timeout=_PATIENCE_S)
        try:
            # What a crash takes of a cache is read again: no journal file and no waiting for disks.
            opened.execute("PRAGMA journal_mode = MEMORY")
            opened.execute("PRAGMA synchronous = OFF")
            (version,) = opened.execute("PRAGMA user_version").fetchone()
            if version != _FORMAT:
                with opened:
                    opened.execute("DROP TABLE IF EXISTS object")
                    opened.execute(f"PRAGMA user_version = {_FORMAT}")
                    opened.execute(_TABLE)
        except BaseException:
            opened.close()
            raise
        return opened

    def _give_up(self, error: Exception) -> None:
        """Does without; a damaged file is removed, so that the next one is whole."""
        code = getattr(error, "sqlite_errorcode", None)
        if self._path is None or code is None or code & 0xFF not in _DAMAGED:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return


def _checksum(body: str) -> int:
    return zlib.crc32(body.encode())
