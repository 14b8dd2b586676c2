"""What a run left on a function, as its journal tells it, or the marks on the function itself.

The marks do where there is no journal: on another machine, or in a pipeline whose disk is gone.
They hold all that undoing needs, but for the end of a long Description. A version that somebody
else published while `$LATEST` was marked is not the run's.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.journal import Beginning, Traces
from tuner.marker import Marker, VersionMarker, parse_marker
from tuner.open_journals import OpenJournal
from tuner.target import Target
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Leftover:
    """One run to undo: how the function was, and the run's versions.

    `sizes_mb` are those that the run may have set `$LATEST` to. Without a journal nobody knows
    whether the run still works, and the Description to put back may be cut.
    """

    beginning: Beginning
    versions: tuple[str, ...]
    journal: OpenJournal | None
    sizes_mb: frozenset[int]
    description_cut: bool = False

    @property
    def held(self) -> bool | None:
        """Whether its run still works; None where that is unknown."""
        return self.journal.held if self.journal else None

    @property
    def traces(self) -> Traces | None:
        """What is known of the run besides its marks."""
        return self.journal.traces if self.journal else None

    def doubt(self, target: Target) -> str | None:
        """What to tell of `$LATEST` as it was left, where it may not be as it should be.

        Somebody has given it another Description since; whether the size was theirs, too, does not
        show.
        """
        begin = self.beginning
        if target.memory_mb == begin.memory_mb or target.memory_mb not in self.sizes_mb:
            return None
        return (
            f"{target.name} has {target.memory_mb} MB, which run {begin.run_id} had tested, and no "
            f"mark of it: kept, for somebody else may have set it; before the run it had "
            f"{begin.memory_mb} MB"
        )

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
    return Leftover(journal.beginning, journal.versions, journal, journal.sizes_mb)


def find_leftovers(
    client: LambdaClient, target: Target, region: str, endpoint_url: str | None
) -> tuple[Leftover, ...]:
    """What the marks on `$LATEST` and on the versions say, for each run that left some."""
    latest = parse_marker(target.description)
    found = list_versions(client, target.arn)
    marked = {version: shown.marker for version, shown in found.items() if shown.marker}
    run_ids = {mark.run_id for mark in marked.values()} | ({latest.run_id} if latest else set())
    leftovers = []
    for run_id in sorted(run_ids):
        own = {version: mark for version, mark in marked.items() if mark.run_id == run_id}
        on_latest = latest if latest and latest.run_id == run_id else None
        leftovers.append(_of_marks(run_id, on_latest, own, target, (region, endpoint_url)))
    return tuple(leftovers)


def _of_marks(
    run_id: str,
    latest: Marker | None,
    versions: Mapping[str, VersionMarker],
    target: Target,
    place: tuple[str, str | None],
) -> Leftover:
    marks: list[Marker | VersionMarker] = [*([latest] if latest else []), *versions.values()]
    region, endpoint_url = place
    beginning = Beginning(
        run_id=run_id,
        function_arn=target.arn,
        region=region,
        endpoint_url=endpoint_url,
        memory_mb=marks[0].original_mb,
        # Where $LATEST has no mark, its Description is not touched.
        description=latest.description if latest else target.description,
        code_sha256=target.code_sha256,
        existing_versions=(),
        pid=0,
        started_utc="",
    )
    return Leftover(
        beginning,
        tuple(versions),
        None,
        sizes_mb=frozenset(mark.size_mb for mark in marks),
        description_cut=latest is not None and latest.full,
    )
