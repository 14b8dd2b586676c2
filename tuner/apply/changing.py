"""Sets the memory of `$LATEST` and publishes it: nothing else of the function is ever changed.

Each update names the revision that it is meant for. When an answer is lost, boto3 asks again and
is told that the revision is another one: whose change that was, only the function can tell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.interference import same_settings
from tuner.settle import BUSY, CHANGED, POLL_MOST_S, Pause, wait_until_settled
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

# In the message with which AWS says that `$LATEST` has other code than is to be published.
_OTHER_CODE = "CodeSHA256"
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
            again = _after_refusal(client, error, target, pause)
            if same_settings(again, wanted):
                settled = again
                break
            target = _unchanged(again, target)
            continue
        settled = _settled(client, target, pause, stale_revision=target.revision_id)
        break
    if settled is None:
        raise AwsError(f"could not {what}: it is being updated all the time")
    if not same_settings(settled, wanted):
        raise Refused(_foreign(target))
    if settled.update_failure is not None:
        raise AwsError(
            f"could not {what}: AWS accepted it and did not carry it out: {settled.update_failure}"
        )
    return settled


def publish(
    client: LambdaClient, configured: Target, description: str, pause: Pause
) -> FunctionConfigurationResponseTypeDef:
    """The version that has what `configured` has; an earlier one where AWS finds it the same.

    To ask again is safe: where the first version was published and its answer lost, AWS gives the
    same one again, or one more with the same description.

    Raises:
        Refused: when somebody else changes `$LATEST` meanwhile.
        AwsError: when AWS does not go along.
    """
    what = f"publish a version of {configured.name} with {configured.memory_mb} MB"
    for _ in range(_TRIES):
        try:
            with aws_call(what):
                return client.publish_version(
                    FunctionName=configured.arn,
                    CodeSha256=configured.code_sha256,
                    RevisionId=configured.revision_id,
                    Description=description,
                )
        except AwsError as error:
            if _OTHER_CODE in str(error):
                raise Refused(_foreign(configured)) from error
            configured = _unchanged(_after_refusal(client, error, configured, pause), configured)
    raise AwsError(f"could not {what}: it is being updated all the time")


def _after_refusal(client: LambdaClient, error: AwsError, target: Target, pause: Pause) -> Target:
    """`$LATEST` after a change was refused because it is not `target` any more, or busy."""
    if error.code == CHANGED:
        return _settled(client, target, pause, stale_revision=target.revision_id)
    if error.code != BUSY:
        raise error
    pause(POLL_MOST_S)
    return _settled(client, target, pause)


def _unchanged(again: Target, target: Target) -> Target:
    """`again`, where only its revision is another one than that of `target`."""
    if not same_settings(again, target):
        raise Refused(_foreign(target))
    return again


def _settled(
    client: LambdaClient, target: Target, pause: Pause, *, stale_revision: str | None = None
) -> Target:
    region = target.arn.split(":")[3]
    return wait_until_settled(client, target.arn, region, pause, stale_revision=stale_revision)


def _foreign(target: Target) -> str:
    return f"function {target.name!r} was changed by somebody else meanwhile: their change stays"
