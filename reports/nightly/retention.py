"""What a plan no longer keeps: folders of old nights, and old nights of the history."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.errors import ToolError
from reports.history.history import History
from reports.history.pending import has_pending
from reports.history.retention import prunable
from reports.nightly.night_folder import FoundNight, find_nights
from reports.nightly.plan import NightlyPlan

# A clock that runs a year ahead makes every night old: the last week of them stays all the same.
_LEAST_KEPT = 7


def keep_to_plan(runs: Path, plan: NightlyPlan, history: History, now: datetime) -> Iterator[str]:
    """Removes what the plan keeps no longer; in words what could not be removed."""
    days = plan.retention.runs_days
    if days is not None:
        nights = find_nights(runs, plan.name, lambda text: None)
        yield from _removed(outdated(nights, now, days))
    days = plan.retention.history_days
    if days is not None:
        try:
            stored, problems = history.stored(plan.name)
            # What cannot be read may be what an old night is kept for.
            if not problems:
                names = prunable(stored, now.astimezone(UTC).date(), days).names
                for _ in history.delete(names):
                    pass
        except ToolError as error:
            yield f"old nights stay in the history: {error}"


def outdated(nights: Sequence[FoundNight], now: datetime, days: int) -> list[FoundNight]:
    """The nights whose folders may go, of all of a plan by sequence.

    What is not finished, and what has records that the history lacks, is kept.
    """
    oldest = now - timedelta(days=days)
    return [
        night
        for night in nights[:-_LEAST_KEPT]
        if night.journal.started < oldest
        and not night.journal.is_open
        and not has_pending(night.folder.path)
    ]


def _removed(nights: Sequence[FoundNight]) -> Iterator[str]:
    for night in nights:
        path = night.folder.path
        if path.is_symlink():
            continue
        try:
            shutil.rmtree(path)
        except OSError as error:
            yield f"could not remove {path}: {error.strerror or error}"
