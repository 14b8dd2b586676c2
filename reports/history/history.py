"""The history of a plan: records in, all that is known of the past out.

An object that is damaged, cut or foreign is left out and told; it never takes others with it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ToolError
from reports.collector import held_back
from reports.history.cache import ObjectCache
from reports.history.encoding import UnreadableRecord, decoded, encoded, record_id, values_of
from reports.history.folder_store import FolderStore
from reports.history.names import FOLDERS, SUFFIX, object_name, prefix_of, second_name
from reports.history.reading import read_objects
from reports.history.record import EventRecord, NightRecord, Record, RunRecord
from reports.history.store import AlreadyThere, Store, open_store

if TYPE_CHECKING:
    from core.aws.session import AwsSession

CACHE_NAME = ".cache.sqlite"


@dataclass(frozen=True, slots=True)
class HistoryProblem:
    """An object that could not be read, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record and the name of its object."""

    name: str
    record: Record


@dataclass(frozen=True, slots=True)
class Past:
    """What the history of a plan holds; runs and nights by (sequence, id).

    Events are in the order in which they were decided. The runs are without their blocks of time,
    which are most of their bytes: `History.read` gives a whole one.
    """

    runs: tuple[RunRecord, ...] = ()
    nights: tuple[NightRecord, ...] = ()
    events: tuple[EventRecord, ...] = ()
    problems: tuple[HistoryProblem, ...] = ()

    @property
    def highest_sequence(self) -> int:
        """Of all nights, also of those that only left runs; 0 where there is none."""
        runs = max((run.sequence for run in self.runs), default=0)
        return max((night.sequence for night in self.nights), default=runs)


class History:
    """The records in a store; `cache` is the file of what was read before, None for none."""

    def __init__(self, store: Store, cache: Path | None = None) -> None:
        self.store = store
        self._cache = ObjectCache(cache)

    @property
    def place(self) -> str:
        """The folder or URL, as a user wrote it."""
        return self.store.place

    def append(self, record: Record) -> str:
        """Records it for good and gives the name of its object.

        The same record twice is one object. Another record of the same id, as of a night that was
        interrupted and resumed, gets an object of its own: both are kept, the later one counts.

        Raises:
            ToolError: when it cannot be written.
        """
        return self.append_bytes(object_name(record), encoded(record))

    def append_bytes(self, name: str, data: bytes) -> str:
        """As `append`, of a record that is encoded already."""
        try:
            self.store.write(name, data)
        except AlreadyThere:
            if self._holds(name, data):
                return name
            name = second_name(name, data)
            try:
                self.store.write(name, data)
            except AlreadyThere:
                # Its name has the checksum of what it holds.
                return name
        return name

    def read(self, name: str) -> Record:
        """A record with all that it has.

        Raises:
            ToolError: when it cannot be read, or is none.
        """
        try:
            return decoded(self.store.read(name))
        except UnreadableRecord as error:
            raise ToolError(f"could not read {name} of {self.place}: {error}") from error

    def load(self, plan: str) -> Past:
        """All that is known of a plan.

        Raises:
            ToolError: when the history cannot be listed or read at all.
        """
        found, problems = self.stored(plan)
        return past_of([entry.record for entry in found], problems)

    def stored(self, plan: str) -> tuple[list[StoredRecord], list[HistoryProblem]]:
        """As `load`: all records of a plan with the names of their objects, as they are listed."""
        found: list[StoredRecord] = []
        problems: list[HistoryProblem] = []
        with held_back():
            for kind in FOLDERS:
                for name, result in read_objects(self.store, self._cache, prefix_of(kind, plan)):
                    if isinstance(result, str):
                        problems.append(HistoryProblem(name, result))
                    elif result.type != kind:
                        reason = f"it is of type {result.type}, which does not belong there"
                        problems.append(HistoryProblem(name, reason))
                    elif result.plan == plan:
                        found.append(StoredRecord(name, result))
        return found, problems

    def highest_sequence(self, plan: str) -> int:
        """Of all nights of a plan; 0 where there is none. The next night takes one more."""
        return self.load(plan).highest_sequence

    def plan_names(self) -> list[str]:
        """The names of the plans that have nights, runs or events here, as their records say.

        Raises:
            ToolError: when the history cannot be listed.
        """
        last: dict[str, str] = {}
        for folder in FOLDERS.values():
            for entry in self.store.objects(f"{folder}/"):
                parts = entry.name.split("/")
                if len(parts) > 2 and entry.name.endswith(SUFFIX):
                    last[parts[1]] = entry.name
        return sorted({self._plan_of(name) or part for part, name in last.items()})

    def delete(self, names: Sequence[str]) -> Iterator[str]:
        """Removes objects one by one and gives the name of each that is gone.

        Raises:
            ToolError: at the first that cannot be removed.
        """
        gone = []
        try:
            for name in names:
                self.store.delete(name)
                gone.append(name)
                yield name
        finally:
            self._cache.forget(gone)

    def forget_cache(self) -> None:
        """Removes what was kept of objects read before; nothing else is lost by that."""
        self._cache.remove()

    def _plan_of(self, name: str) -> str | None:
        """What a record says that its plan is called; its name has only letters that are safe."""
        try:
            return self.read(name).plan
        except ToolError:
            return None

    def _holds(self, name: str, data: bytes) -> bool:
        try:
            there = self.store.read(name)
            # Compressed bytes may differ from machine to machine.
            return there == data or values_of(there) == values_of(data)
        except UnreadableRecord:
            return False


def past_of(records: Sequence[Record], problems: Sequence[HistoryProblem] = ()) -> Past:
    """The past that these records are; of those with one id the latest counts."""
    latest: dict[tuple[str, str], Record] = {}
    for record in records:
        key = (record.type, record_id(record))
        if key not in latest or _ended(latest[key]) <= _ended(record):
            latest[key] = record
    kept = latest.values()
    return Past(
        runs=tuple(sorted((r for r in kept if isinstance(r, RunRecord)), key=_place_in_order)),
        nights=tuple(sorted((r for r in kept if isinstance(r, NightRecord)), key=_place_in_order)),
        events=tuple(
            sorted(
                (record for record in kept if isinstance(record, EventRecord)),
                key=lambda event: (event.sequence, event.at_utc, event.event_id),
            )
        ),
        problems=tuple(problems),
    )


def _place_in_order(record: Record) -> tuple[int, str]:
    return record.sequence, record_id(record)


def _ended(record: Record) -> str:
    return record.at_utc if isinstance(record, EventRecord) else record.finished_utc


def open_history(
    place: str,
    *,
    region: str | None = None,
    profile: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> History:
    """The history at `place`, a folder or s3://BUCKET/PREFIX; nothing is asked or made yet.

    Raises:
        InputError: when `place` is neither.
    """

    def session() -> AwsSession:
        from core.aws.session import AwsSession

        return AwsSession(region=region, profile=profile)

    store = open_store(place, session)
    return History(store, cache_path(store, environment))


def cache_path(store: Store, environment: Mapping[str, str]) -> Path | None:
    """Where the cache of a store is: in the folder, or in the user's cache folder for S3."""
    if isinstance(store, FolderStore):
        return store.folder / CACHE_NAME
    try:
        # The XDG standard: relative paths count as not set.
        configured = Path(environment.get("XDG_CACHE_HOME", ""))
        base = configured if configured.is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None  # no home: each night reads anew
    digest = hashlib.sha256(store.place.encode()).hexdigest()[:16]
    return base / "lambda-perf-toolkit" / f"history-{digest}.sqlite"
