"""Whole runs on the in-process fake, and what they leave where they are killed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core.errors import ToolError
from tests.tuner.lambda_fake import NAME, LambdaFake
from tests.tuner.lease_rig import REGION, Killed
from tuner.lease import Lease
from tuner.leftover import Leftover, find_leftovers, leftover_of_journal
from tuner.open_journals import read_journals
from tuner.target import read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def tuned(lease: Lease, sizes_mb: Sequence[int], *, at_once: bool = False) -> bool:
    """A whole run, which closes its journal where all could be undone; False where it was killed.

    As `leased` does it; what goes wrong ends the publishing and not the release.
    """
    try:
        try:
            if at_once:
                lease.publish(sizes_mb)
            else:
                lease.publish(sizes_mb[:1])
                again = lease.publish_again(sizes_mb[0])
                if again is not None:
                    lease.discard(again)
                lease.publish(sizes_mb[1:])
        except ToolError:
            pass
        try:
            lease.release()
        except ToolError:
            lease.journal.leave()
        else:
            if lease.doubts:
                lease.journal.leave()
            else:
                lease.journal.close()
    except Killed:
        lease.journal.leave()
        return False
    return True


def leftovers(fake: LambdaFake, folder: Path, *, by_marks: bool) -> list[Leftover]:
    if not by_marks:
        return [leftover_of_journal(journal) for journal in read_journals(folder).open]
    client = cast("LambdaClient", fake)
    return list(find_leftovers(client, read_target(client, NAME, REGION), REGION, None))
