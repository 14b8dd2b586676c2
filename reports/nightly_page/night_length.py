"""How long a night took by its own clock."""

from __future__ import annotations

from datetime import datetime

from reports.nightly.document import NightlyDocument


def length_s(document: NightlyDocument) -> float | None:
    """Seconds from start to end; None where the times cannot be read or the clock went back."""
    run = document.provenance
    try:
        started, finished = (
            datetime.fromisoformat(text).replace(tzinfo=None)
            for text in (run.started_utc, run.finished_utc)
        )
    except ValueError:
        return None
    length = (finished - started).total_seconds()
    return length if length >= 0 else None
