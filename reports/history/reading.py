"""Objects of a store as records, through the cache: only those that are new are fetched.

Runs come without their blocks of time, which are most of their bytes and seldom asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from pydantic import TypeAdapter, ValidationError

from core.errors import ToolError
from reports.history.cache import ObjectCache
from reports.history.encoding import UnreadableRecord, from_values, values_of
from reports.history.names import SUFFIX
from reports.history.record import Record
from reports.history.store import ObjectGone, ObjectUnreadable, Store, StoredObject

_FOREIGN = f"it is no object of the history, whose names end with {SUFFIX}"

_record: TypeAdapter[Record] = TypeAdapter(Record)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What came of an object: a record with its text for the cache, or why there is none."""

    result: Record | str
    text: str | None = None
    refused: ObjectUnreadable | None = None


def read_objects(
    store: Store, cache: ObjectCache, prefix: str
) -> Iterator[tuple[str, Record | str]]:
    """Each object whose name begins with `prefix`: its record, or the reason why it has none.

    Raises:
        ToolError: when the store cannot be listed, or nothing in it read.
    """
    listed = store.objects(prefix)
    ours = [entry for entry in listed if entry.name.endswith(SUFFIX)]
    texts = cache.texts(prefix, ours)
    missing = [entry for entry in ours if entry.name not in texts]
    fetched = _fetch_all(store, missing)
    if not texts:
        _raise_where_all_are_refused(fetched)
    cache.keep(
        {name: found.text for name, found in fetched.items() if found and found.text}, missing
    )
    for entry in listed:
        if entry.name in texts:
            yield entry.name, _from_text(texts[entry.name])
        elif entry.name not in fetched:
            yield entry.name, _FOREIGN
        elif (found := fetched[entry.name]) is not None:
            yield entry.name, found.result


def _fetch_all(store: Store, entries: Sequence[StoredObject]) -> dict[str, _Fetched | None]:
    """What each object is; None for one that was deleted after it was listed."""
    names = [entry.name for entry in entries]
    fetch = partial(_fetch, store)
    if store.at_once == 1 or len(names) < 2:
        return {name: fetch(name) for name in names}
    with ThreadPoolExecutor(store.at_once) as pool:
        return dict(zip(names, pool.map(fetch, names), strict=True))


def _raise_where_all_are_refused(fetched: Mapping[str, _Fetched | None]) -> None:
    """A history of which nothing can be read is no empty one."""
    refusals = [found.refused for found in fetched.values() if found is not None]
    if len(refusals) > 1 and None not in refusals:
        raise ToolError(f"could not read the history: {refusals[0]}") from refusals[0]


def _fetch(store: Store, name: str) -> _Fetched | None:
    try:
        values = values_of(store.read(name))
        if values["type"] == "run":
            values["blocks"] = []
        # As it was written: a newer version of the toolkit may know more of it than this one.
        text = json.dumps(values)
        return _Fetched(from_values(values), text)
    except ObjectGone:
        return None
    except ObjectUnreadable as error:
        return _Fetched(str(error), refused=error)
    except UnreadableRecord as error:
        return _Fetched(str(error))


def _from_text(text: str) -> Record | str:
    try:
        return _record.validate_json(text)
    except ValidationError:
        try:
            return from_values(json.loads(text))
        except UnreadableRecord as error:
            return str(error)
