"""Lambda functions as integrations and authorizers name them.

Both forms are taken: the ARN of a function, and the one of its invocation,
`arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations`. Both may have
`${stageVariables.NAME}` in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.api_errors import ApiError
from sandbox.apigatewayv2_api.errors import bad_request
from sandbox.lambda_api.names import FunctionReference, Home

_INVOCATION = re.compile(
    r"arn:aws[a-z-]*:apigateway:(?P<region>[a-z0-9-]+):lambda:path/2015-03-31/functions/"
    r"(?P<arn>.+)/invocations"
)
_FUNCTION = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)
_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


def is_function_uri(uri: str) -> bool:
    """Whether `uri` means to name a Lambda function, and not an HTTP endpoint."""
    return uri.startswith("arn:")


def check_function_uri(uri: str, home: Home) -> None:
    """Checks the form of `uri`, and that its function would be one of the sandbox's.

    AWS does not look whether the function exists, and neither does this.

    Raises:
        ApiError: it is neither of the two forms, or is of another account or region.
    """
    # What stands for a stage variable is not known here; any name keeps the form.
    text = _VARIABLE.sub("x", uri)
    invocation = _INVOCATION.fullmatch(text)
    arn = invocation["arn"] if invocation else text
    if _FUNCTION.fullmatch(arn) is None:
        raise bad_request(f"Invalid Function ARN or invalid uri: {uri}")
    if invocation and invocation["region"] != home.region:
        raise bad_request(f"Invalid uri: {uri}: the sandbox is in {home.region}")
    try:
        home.resolve(arn)
    except ApiError as error:
        raise bad_request(error.message) from error


def function_of(uri: str, variables: Mapping[str, str]) -> FunctionReference:
    """The function that `uri` names in a stage with these variables.

    Where a variable is missing, the text that comes of it is no function's name, and calls fail
    as they do on AWS.
    """
    text = _VARIABLE.sub(lambda found: variables.get(found[1], ""), uri)
    invocation = _INVOCATION.fullmatch(text)
    found = _FUNCTION.fullmatch(invocation["arn"] if invocation else text)
    if found is None:
        return FunctionReference(text)
    return FunctionReference(found["name"], found["qualifier"])
