"""The answers that API Gateway gives itself: types, statuses and texts.

Types and statuses: "Gateway response types" in the API Gateway developer guide. Bodies and
`x-amzn-ErrorType` as observed on AWS; where observations differ or are missing the entry says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResponseType:
    """A gateway response of REST APIs as it is when nobody customised it.

    `spaced` bodies have a space behind the colon: those are not made from the default template.
    """

    status: int
    error_type: str
    message: str
    spaced: bool = False
    capital: bool = False  # {"Message": ...}

    def body(self, message: str | None = None) -> str:
        """The default body, with the default message unless there is a special one."""
        key = "Message" if self.capital else "message"
        separators = (", ", ": ") if self.spaced else (",", ":")
        return json.dumps(
            {key: self.message if message is None else message}, separators=separators
        )


_SERVER_ERROR = "InternalServerErrorException"

REST_TYPES: dict[str, ResponseType] = {
    "ACCESS_DENIED": ResponseType(
        403,
        "AccessDeniedException",
        "User is not authorized to access this resource",
        capital=True,
    ),
    "API_CONFIGURATION_ERROR": ResponseType(
        500, _SERVER_ERROR, "Internal server error", spaced=True
    ),
    "AUTHORIZER_CONFIGURATION_ERROR": ResponseType(
        500, "AuthorizerConfigurationException", "Internal server error"
    ),
    "AUTHORIZER_FAILURE": ResponseType(
        500, "AuthorizerConfigurationException", "Internal server error"
    ),
    "BAD_REQUEST_BODY": ResponseType(400, "BadRequestException", "Invalid request body"),
    "BAD_REQUEST_PARAMETERS": ResponseType(400, "BadRequestException", "Invalid parameters"),
    "EXPIRED_TOKEN": ResponseType(
        403, "ExpiredTokenException", "The security token included in the request is expired"
    ),
    # Documented as 504; a refused Lambda invocation is answered 500.
    "INTEGRATION_FAILURE": ResponseType(504, _SERVER_ERROR, "Internal server error", spaced=True),
    "INTEGRATION_TIMEOUT": ResponseType(
        504, _SERVER_ERROR, "Endpoint request timed out", spaced=True
    ),
    "INVALID_API_KEY": ResponseType(403, "ForbiddenException", "Forbidden"),
    "INVALID_SIGNATURE": ResponseType(
        403,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details.",
    ),
    "MISSING_AUTHENTICATION_TOKEN": ResponseType(
        403, "MissingAuthenticationTokenException", "Missing Authentication Token"
    ),
    "QUOTA_EXCEEDED": ResponseType(429, "LimitExceededException", "Limit Exceeded"),
    # The error type of 413 and its wording are not confirmed by an AWS source.
    "REQUEST_TOO_LARGE": ResponseType(413, "RequestTooLargeException", "Request Too Long"),
    "RESOURCE_NOT_FOUND": ResponseType(404, "NotFoundException", "Not Found"),
    "THROTTLED": ResponseType(429, "TooManyRequestsException", "Too Many Requests"),
    "UNAUTHORIZED": ResponseType(401, "UnauthorizedException", "Unauthorized"),
    "UNSUPPORTED_MEDIA_TYPE": ResponseType(
        415, "UnsupportedMediaTypeException", "Unsupported Media Type"
    ),
    "WAF_FILTERED": ResponseType(403, "ForbiddenException", "Forbidden"),
}

# What has no type of its own: DEFAULT_4XX and DEFAULT_5XX apply to it, as they do to all others.
REST_UNTYPED: dict[str, ResponseType] = {
    # A host, stage or API that does not exist, or whose default endpoint is switched off.
    "FORBIDDEN": ResponseType(403, "ForbiddenException", "Forbidden"),
    # A function that failed, or whose answer is no proxy answer.
    "BAD_GATEWAY": ResponseType(502, _SERVER_ERROR, "Internal server error", spaced=True),
    # Lambda refused the invocation: throttled, not found, or not allowed.
    "REFUSED_INVOCATION": ResponseType(500, _SERVER_ERROR, "Internal server error", spaced=True),
    # The status is documented as 431 or 494 in different places; the wording is not confirmed.
    "HEADERS_TOO_LARGE": ResponseType(
        431, "RequestHeaderSectionTooLargeException", "Request header fields too large"
    ),
    "URI_TOO_LONG": ResponseType(414, "RequestUriTooLongException", "URI Too Long"),
    # What a fault asked for.
    "FAULT": ResponseType(500, _SERVER_ERROR, "Internal server error", spaced=True),
}

# Which customisable type answers for those, as `$context.error.responseType` names it.
CUSTOMISED_AS = {
    "FORBIDDEN": "DEFAULT_4XX",
    "BAD_GATEWAY": "DEFAULT_5XX",
    "REFUSED_INVOCATION": "INTEGRATION_FAILURE",
    "HEADERS_TOO_LARGE": "DEFAULT_4XX",
    "URI_TOO_LONG": "DEFAULT_4XX",
    "FAULT": "DEFAULT_5XX",
}

# What AWS answers in its own words whatever an API customises, catch-alls included.
NOT_CUSTOMISABLE = frozenset({"REQUEST_TOO_LARGE"})

# HTTP APIs: status and message, without an error type. They cannot be customised.
HTTP_TYPES: dict[str, tuple[int, str]] = {
    "ACCESS_DENIED": (403, "Forbidden"),
    "API_CONFIGURATION_ERROR": (500, "Internal Server Error"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal Server Error"),
    "AUTHORIZER_FAILURE": (500, "Internal Server Error"),
    "BAD_GATEWAY": (500, "Internal Server Error"),
    "EXPIRED_TOKEN": (403, "Forbidden"),
    "FAULT": (500, "Internal Server Error"),
    "FORBIDDEN": (404, "Not Found"),
    "HEADERS_TOO_LARGE": (431, "Request Header Fields Too Large"),
    "INTEGRATION_FAILURE": (503, "Service Unavailable"),
    "INTEGRATION_TIMEOUT": (503, "Service Unavailable"),
    "INVALID_SIGNATURE": (403, "Forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Forbidden"),
    # No invoke permission is 500, and so is a function that does not exist.
    "NOT_INVOCABLE": (500, "Internal Server Error"),
    "REFUSED_INVOCATION": (503, "Service Unavailable"),
    "REQUEST_TOO_LARGE": (413, "Request Entity Too Large"),
    "RESOURCE_NOT_FOUND": (404, "Not Found"),
    "THROTTLED": (429, "Too Many Requests"),
    "UNAUTHORIZED": (401, "Unauthorized"),
    "URI_TOO_LONG": (414, "URI Too Long"),
    "WAF_FILTERED": (403, "Forbidden"),
}


def rest_type(name: str) -> ResponseType:
    """The default of a type, customisable or not."""
    return REST_TYPES.get(name) or REST_UNTYPED[name]
