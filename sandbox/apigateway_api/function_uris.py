"""URIs that name a Lambda function, as integrations and authorizers have them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import FunctionReference, Home

# API reference, PutIntegration: a Lambda function is invoked through the URI
# "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{ARN}/invocations". The function's
# ARN may have `${stageVariables.name}`.
_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:(?P<region>[a-z0-9-]+):lambda:path/2015-03-31/functions/"
    r"(?P<function>[^/]+)/invocations"
)
_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


def is_function_uri(uri: str, home: Home) -> bool:
    """Whether `uri` invokes a function of this account and region, as far as it can be told.

    What a stage variable will stand for is known to each stage only.
    """
    found = _URI.fullmatch(uri)
    if found is None or found["region"] != home.region:
        return False
    return "${" in found["function"] or _resolve(found["function"], home) is not None


def function_of(uri: str, variables: Mapping[str, str], home: Home) -> FunctionReference | None:
    """The function that `uri` invokes in a stage with these variables; None for no function."""
    found = _URI.fullmatch(_VARIABLE.sub(lambda match: variables.get(match[1], ""), uri))
    return None if found is None else _resolve(found["function"], home)


def _resolve(arn: str, home: Home) -> FunctionReference | None:
    if not arn.startswith("arn:"):
        return None
    try:
        return home.resolve(arn)
    except ApiError:
        return None
