"""Undoes a run in both halves: `$LATEST` put back, and the run's versions deleted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ToolError
from tuner.journal import Beginning, Traces
from tuner.settle import Pause
from tuner.undo import Restoration, restore_latest
from tuner.versions import Deletion, delete_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Release:
    """What became of the function."""

    latest: Restoration
    versions: Deletion


def undo_run(
    client: LambdaClient,
    function: str,
    beginning: Beginning,
    pause: Pause,
    traces: Traces | None = None,
) -> Release:
    """Puts back what a run changed; where one half is refused, the other is done all the same.

    Raises:
        ToolError: the first refusal.
    """
    try:
        latest = restore_latest(client, function, beginning, pause, traces)
    except ToolError:
        with suppress(ToolError):
            delete_versions(client, function, beginning, pause)
        raise
    return Release(latest, delete_versions(client, function, beginning, pause))
