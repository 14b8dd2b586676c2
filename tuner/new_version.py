"""Publishes `$LATEST` as it is, and waits until the new version can be invoked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.interference import same_settings
from tuner.settle import NOT_FOUND, Pause, after_refusal, poll
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

# In the message with which AWS says that `$LATEST` has other code than is to be published.
_OTHER_CODE = "CodeSHA256"
# A version can be unknown for a moment after it was published: reads may lag behind writes.
_LOOKS_FOR_A_NEW_VERSION = 10
_TRIES = 10


def publish(
    client: LambdaClient, configured: Target, description: str, pause: Pause, foreign: str
) -> FunctionConfigurationResponseTypeDef:
    """The version that has what `configured` has; an earlier one where AWS finds it the same.

    A revision may be new though nothing else is. To ask again is safe: where the first version was
    published and its answer lost, AWS gives the same one again, or one more with the same
    description.

    Raises:
        Refused: with `foreign`, when somebody else changes `$LATEST` meanwhile.
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
                raise Refused(foreign) from error
            again = after_refusal(client, error, configured, pause)
            if not same_settings(again, configured):
                raise Refused(foreign) from error
            configured = again
    raise AwsError(
        f"could not {what}: it is being updated all the time",
        hint="start again when its deployment is over",
    )


def wait_active(
    client: LambdaClient, function: str, version: str, pause: Pause, stopped: Callable[[], bool]
) -> None:
    """Returns when the version can be invoked, or when it is not going to be: on a stop.

    Raises:
        AwsError: when it cannot start.
    """
    looks = 0

    def active() -> bool:
        nonlocal looks
        if stopped():
            return True
        looks += 1
        try:
            with aws_call(f"read version {version} of {function}"):
                answer = client.get_function(FunctionName=function, Qualifier=version)
        except AwsError as error:
            if error.code != NOT_FOUND or looks > _LOOKS_FOR_A_NEW_VERSION:
                raise
            return False
        state = answer["Configuration"].get("State", "Active")
        if state == "Failed":
            reason = answer["Configuration"].get("StateReason", "")
            raise AwsError(f"version {version} of {function} could not start: {reason}")
        return state != "Pending"

    poll(active, pause, f"version {version} of {function} to become active")
