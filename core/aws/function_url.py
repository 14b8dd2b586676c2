"""Function URLs: addresses of Lambda functions without an API in front."""

from __future__ import annotations

from core.aws.session import AwsSession, aws_call
from core.errors import AwsError, FunctionNotFound


def read_function_url(session: AwsSession, function: str) -> str:
    """The URL of a function, given as name, ARN or NAME:ALIAS; without a last slash.

    Raises:
        FunctionNotFound: the function or its URL does not exist.
        AwsError: AWS does not say.
    """
    name, qualifier = _split(function)
    client = session.control_lambda()
    try:
        with aws_call(f"read the URL of function {function}"):
            if qualifier is None:
                answer = client.get_function_url_config(FunctionName=name)
            else:
                answer = client.get_function_url_config(FunctionName=name, Qualifier=qualifier)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        raise FunctionNotFound(
            f"target.function_url: {function!r} has no function URL in {session.region}",
            hint="create one, or give target.url",
        ) from error
    return answer["FunctionUrl"].rstrip("/")


def _split(function: str) -> tuple[str, str | None]:
    """Name and alias of a function, which may be an ARN."""
    parts = function.split(":")
    if len(parts) >= 7 and parts[0] == "arn":
        return ":".join(parts[:7]), parts[7] if len(parts) > 7 else None
    name, _, qualifier = function.partition(":")
    return name, qualifier or None
