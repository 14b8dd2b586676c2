"""Waits until AWS has carried out a change of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.errors import AwsError
from tuner.target import Target, read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# How AWS names an update of a moment ago, and a revision that is not the latest any more.
BUSY = "ResourceConflictException"
CHANGED = "PreconditionFailedException"
NOT_FOUND = "ResourceNotFoundException"
_POLL_FIRST_S, POLL_MOST_S = 0.1, 1.0
# VPC attachments and SnapStart snapshots take minutes (botocore's waiters: 5 and 26 minutes).
_SETTLE_TIMEOUT_S = 1_800.0

# Sleeps for so many seconds; it must not end early, because undoing never stops half-way.
Pause = Callable[[float], None]


def wait_until_settled(
    client: LambdaClient,
    function: str,
    region: str,
    pause: Pause,
    *,
    stale_revision: str | None = None,
) -> Target:
    """`$LATEST`, once no update is in progress.

    After an update, `stale_revision` is the revision before it: an answer that still carries it
    was read too early.

    Raises:
        AwsError: when it stays in progress.
    """
    latest: list[Target] = []

    def settled() -> bool:
        latest.append(read_target(client, function, region))
        return latest[-1].settled and latest[-1].revision_id != stale_revision

    poll(settled, pause, f"the update of {function} to finish")
    return latest[-1]


def after_refusal(client: LambdaClient, error: AwsError, target: Target, pause: Pause) -> Target:
    """`$LATEST` after a change of it was refused because it is not `target` any more, or busy.

    Raises:
        AwsError: `error`, where it was refused for another reason.
    """
    stale_revision = target.revision_id if error.code == CHANGED else None
    if stale_revision is None:
        if error.code != BUSY:
            raise error
        pause(POLL_MOST_S)
    region = target.arn.split(":")[3]
    return wait_until_settled(client, target.arn, region, pause, stale_revision=stale_revision)


def poll(done: Callable[[], bool], pause: Pause, what: str) -> None:
    """Returns when `done()`, asked at first every 100 ms and then every second.

    Raises:
        AwsError: when that takes longer than half an hour.
    """
    pause_s, waited_s = _POLL_FIRST_S, 0.0
    while not done():
        if waited_s > _SETTLE_TIMEOUT_S:
            raise AwsError(f"gave up waiting for {what} after {waited_s:.0f} s")
        pause(pause_s)
        waited_s += pause_s
        pause_s = min(pause_s * 1.5, POLL_MOST_S)
