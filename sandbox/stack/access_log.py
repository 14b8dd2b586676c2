"""The access log that a stack's APIs write unless it says otherwise: one JSON object a request.

It has what tells who is to blame for a slow or failed request: the latency as the client saw it,
the part of the integration, what the Lambda service and the function answered, and which of API
Gateway's own answers was given (`THROTTLED`, `QUOTA_EXCEEDED`, ...). All values are text, because
API Gateway writes `-` for what a request does not have.
"""

from __future__ import annotations

import json

# "Variables for access logging for API Gateway" and "Customize HTTP API access logs".
_OF_BOTH = {
    "requestId": "requestId",
    "extendedRequestId": "extendedRequestId",
    "time": "requestTimeEpoch",
    "stage": "stage",
    "method": "httpMethod",
    "path": "path",
    "protocol": "protocol",
    "sourceIp": "identity.sourceIp",
    "userAgent": "identity.userAgent",
    "status": "status",
    "responseLength": "responseLength",
    "responseLatency": "responseLatency",
    "integrationLatency": "integration.latency",
    "lambdaStatus": "integration.integrationStatus",
    "integrationStatus": "integration.status",
    "integrationRequestId": "integration.requestId",
    "integrationError": "integration.error",
    "errorType": "error.responseType",
    "errorMessage": "error.message",
}
_OF_REST = {
    "resource": "resourcePath",
    "apiKeyId": "identity.apiKeyId",
    "authorizerError": "authorizer.error",
    "xrayTraceId": "xrayTraceId",
}
_OF_HTTP = {"route": "routeKey", "authorizerError": "authorizer.error"}


def _format(variables: dict[str, str]) -> str:
    return json.dumps(
        {name: f"$context.{variable}" for name, variable in variables.items()},
        separators=(",", ":"),
    )


REST_FORMAT = _format({**_OF_BOTH, **_OF_REST})
HTTP_FORMAT = _format({**_OF_BOTH, **_OF_HTTP})


def chosen_format(default: str, *, wanted: bool | str) -> str | None:
    """The format that `access_log` of a stack asks for; None for no access log."""
    if isinstance(wanted, str):
        return wanted
    return default if wanted else None
