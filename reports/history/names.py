"""Names of the objects of a history: `runs/<plan>/<yyyy>/<mm>/<utc>-<id>.ndjson.gz` and so on."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from core.errors import InputError
from reports.history.encoding import record_id, recorded_utc
from reports.history.record import Record
from reports.run_folder import safe_name

SUFFIX = ".ndjson.gz"
FOLDERS = {"run": "runs", "night": "nights", "event": "events"}


def object_name(record: Record) -> str:
    """Where `record` goes: by type, plan and month, so that a month can be copied or removed.

    Raises:
        InputError: when its time is no ISO 8601 time.
    """
    text = recorded_utc(record)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        what = f"{record.type} {record_id(record)}"
        raise InputError(f"could not record {what}: {text!r} is no ISO 8601 time") from error
    utc = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    stem = f"{utc:%Y%m%dT%H%M%SZ}-{safe_name(record_id(record))}"
    return f"{prefix_of(record.type, record.plan)}{utc:%Y}/{utc:%m}/{stem}{SUFFIX}"


def second_name(name: str, data: bytes) -> str:
    """A name beside `name` for another record of the same id, as of a night that was resumed."""
    return f"{name.removesuffix(SUFFIX)}-{hashlib.sha256(data).hexdigest()[:8]}{SUFFIX}"


def prefix_of(kind: str, plan: str) -> str:
    """What the names of the runs, nights or events of a plan begin with."""
    return f"{FOLDERS[kind]}/{safe_name(plan)}/"
