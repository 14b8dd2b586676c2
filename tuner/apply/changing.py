"""Sets the memory of `$LATEST`: nothing else of the function is ever changed.

Each update names the revision that it is meant for. When an answer is lost, boto3 asks again and
is told that the revision is another one: whose change that was, only the function can tell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.interference import same_settings
from tuner.settle import Pause, after_refusal, wait_until_settled
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_TRIES = 10


def set_memory(client: LambdaClient, target: Target, memory_mb: int, pause: Pause) -> Target:
    """`$LATEST` with `memory_mb`, where it was `target`; it can carry that out.

    Raises:
        Refused: when somebody else changes it meanwhile; theirs stays.
        AwsError: when AWS refuses it, or accepts it and cannot carry it out.
    """
    what = f"set {target.name} to {memory_mb} MB"
    wanted = replace(target, memory_mb=memory_mb)
    settled = None
    for _ in range(_TRIES):
        try:
            with aws_call(what):
                client.update_function_configuration(
                    FunctionName=target.arn, MemorySize=memory_mb, RevisionId=target.revision_id
                )
        except AwsError as error:
            again = after_refusal(client, error, target, pause)
            if same_settings(again, wanted):
                settled = again
                break
            target = _unchanged(again, target)
            continue
        region = target.arn.split(":")[3]
        settled = wait_until_settled(
            client, target.arn, region, pause, stale_revision=target.revision_id
        )
        break
    if settled is None:
        raise AwsError(f"could not {what}: it is being updated all the time")
    if not same_settings(settled, wanted):
        raise Refused(foreign_size_change(target))
    if settled.update_failure is not None:
        raise AwsError(
            f"could not {what}: AWS accepted it and did not carry it out: {settled.update_failure}"
        )
    return settled


def _unchanged(again: Target, target: Target) -> Target:
    """`again`, where only its revision is another one than that of `target`."""
    if not same_settings(again, target):
        raise Refused(foreign_size_change(target))
    return again


def foreign_size_change(target: Target) -> str:
    """What to tell a user when the change of a size, or its publishing, met another change."""
    return f"function {target.name!r} was changed by somebody else meanwhile: their change stays"
