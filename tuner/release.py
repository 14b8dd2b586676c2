"""Undoes a run in both halves: `$LATEST` put back, and the run's versions deleted.

A version that keeps settings of `$LATEST` goes last, when nothing of the run is left on `$LATEST`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import AwsError, ToolError
from tuner.copied import settings_left
from tuner.journal import Beginning, Traces
from tuner.settle import NOT_FOUND, Pause
from tuner.undo import Restoration, restore_latest
from tuner.versions import Deletion, delete_version, delete_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Release:
    """What became of the function; `doubts` are what to tell of settings that may be the run's."""

    latest: Restoration
    versions: Deletion
    doubts: tuple[str, ...] = ()

    @property
    def foreign(self) -> str | None:
        """What to tell of settings that somebody else has set in the place of the run's."""
        if not self.latest.settings.foreign:
            return None
        return (
            f"{', '.join(self.latest.settings.foreign)} of {self.latest.target.name}: kept, "
            "somebody else has set it since"
        )


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
    versions = delete_versions(client, function, beginning, pause)
    doubts, deleted = [], []
    for number, source in versions.keeping:
        try:
            left = settings_left(client, function, latest.target, number, source)
            if left:
                doubts.append(_doubt(latest, beginning, number, source, left))
                continue
            delete_version(client, function, number, beginning.run_id, pause)
        except AwsError as error:
            if error.code != NOT_FOUND:
                raise
            continue
        deleted.append(number)
    versions = replace(versions, deleted=(*versions.deleted, *deleted))
    return Release(latest, versions, tuple(doubts))


def _doubt(
    latest: Restoration, beginning: Beginning, keeping: str, source: str, left: tuple[str, ...]
) -> str:
    return (
        f"{latest.target.name} has {', '.join(left)} of version {source}, as run "
        f"{beginning.run_id} had set it, and no mark of it: kept, for somebody else may have set "
        f"it; version {keeping} has what was there before and is kept as well"
    )
