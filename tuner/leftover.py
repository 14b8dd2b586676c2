"""What a run left on a function, as its journal tells it, or the marks on the function itself.

The marks do where there is no journal: on another machine, or in a pipeline whose disk is gone.
They hold all that undoing needs, but for the end of a long Description.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.journal import Beginning
from tuner.marker import Marker, parse_marker
from tuner.open_journals import OpenJournal
from tuner.target import Target
from tuner.undo import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_LATEST = "$LATEST"


@dataclass(frozen=True, slots=True)
class Leftover:
    """One run to undo: how the function was, and the run's versions.

    Without a journal nobody knows whether the run still works, and the Description to put back
    may be cut.
    """

    beginning: Beginning
    versions: tuple[str, ...]
    journal: OpenJournal | None
    description_cut: bool = False

    @property
    def held(self) -> bool | None:
        """Whether its run still works; None where that is unknown."""
        return self.journal.held if self.journal else None

    def line(self) -> str:
        """What to tell a user of it."""
        begin = self.beginning
        versions = ", ".join(self.versions) or "none"
        before = f"before it: {begin.memory_mb} MB; its versions: {versions}"
        if self.journal is None:
            return (
                f"run {begin.run_id} on {begin.function_arn} has no journal here, so it was killed "
                f"or works elsewhere; by its marks, {before}{self._cut()}"
            )
        state = "still works" if self.journal.held else "was killed"
        return (
            f"run {begin.run_id} of {begin.started_utc} on {begin.function_arn} {state}; {before}"
            f"{_elsewhere(self.journal)}"
        )

    def _cut(self) -> str:
        if not self.description_cut:
            return ""
        return "; its Description may have been longer, what does not fit beside the mark is lost"


def _elsewhere(journal: OpenJournal) -> str:
    """A lock may not reach from one machine to the next, which depends on the file system."""
    if journal.held or journal.host in (None, socket.gethostname()):
        return ""
    return f"; it was started on host {journal.host}: make sure that it does not work there"


def leftover_of_journal(journal: OpenJournal) -> Leftover:
    """What a journal says of its run."""
    return Leftover(journal.beginning, journal.versions, journal)


def find_leftovers(
    client: LambdaClient, target: Target, region: str, endpoint_url: str | None
) -> tuple[Leftover, ...]:
    """What the marks on `$LATEST` and on the versions say, for each run that left some."""
    versions = list_versions(client, target.arn)
    # $LATEST stays the run's to put back even where a deploy has brought other code.
    found = {_LATEST: parse_marker(target.description)}
    found |= {version: shown.marker for version, shown in versions.items()}
    marks: dict[str, dict[str, Marker]] = {}
    for version, marker in found.items():
        if marker is not None:
            marks.setdefault(marker.run_id, {})[version] = marker
    return tuple(_of_marks(own, target, region, endpoint_url) for own in marks.values())


def _of_marks(
    marks: dict[str, Marker], target: Target, region: str, endpoint_url: str | None
) -> Leftover:
    best = _most_complete(list(marks.values()))
    beginning = Beginning(
        run_id=best.run_id,
        function_arn=target.arn,
        region=region,
        endpoint_url=endpoint_url,
        memory_mb=best.original_mb,
        description=best.description,
        code_sha256=target.code_sha256,
        existing_versions=(),
        pid=0,
        started_utc="",
    )
    versions = tuple(version for version in marks if version != _LATEST)
    # Where $LATEST is back already, its Description is not touched.
    return Leftover(beginning, versions, None, description_cut=best.full and _LATEST in marks)


def _most_complete(marks: Sequence[Marker]) -> Marker:
    """The mark with most of the Description: the digits of its size take room, too."""
    return max(marks, key=lambda mark: (not mark.full, len(mark.description)))
