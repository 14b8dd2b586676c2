"""From an answer to its kind: what the wire shows, and what the rules of the profile say.

The wire cannot tell everything. All throttles of API Gateway look alike, a Lambda throttle behind
an API is a plain 500 or 503, and WAF refuses in the same words as a missing API key. Such kinds get
the cause THROTTLE or UNKNOWN here; later evidence may name it. Texts and error types are those
observed on AWS from 2023 to 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from loadgen.answer import Answer
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.profile.model import OutcomeRule

OK_CODE: Final = 0


def _wire(outcome: Outcome, cause: Cause) -> int:
    return Kind(outcome, cause, Evidence.WIRE).code


_MALFORMED: Final = _wire(Outcome.CONNECTION_ERROR, Cause.MALFORMED)
_BROKEN: Final[Mapping[int, int]] = {
    cause: _wire(
        Outcome.TIMEOUT
        if cause in (Cause.RESPONSE_TIMEOUT, Cause.CONNECT_TIMEOUT)
        else Outcome.CONNECTION_ERROR,
        cause,
    )
    for cause in Cause
}

_QUOTA: Final = _wire(Outcome.THROTTLED, Cause.QUOTA)
_THROTTLE: Final = _wire(Outcome.THROTTLED, Cause.THROTTLE)
_CONCURRENCY: Final = _wire(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY)
_BY_APPLICATION: Final = _wire(Outcome.THROTTLED, Cause.APPLICATION)
_THROTTLED_UNKNOWN: Final = _wire(Outcome.THROTTLED, Cause.UNKNOWN)
_AUTHORIZER: Final = _wire(Outcome.CLIENT_ERROR, Cause.AUTHORIZER)
_WAF: Final = _wire(Outcome.CLIENT_ERROR, Cause.WAF)
_CLIENT_UNKNOWN: Final = _wire(Outcome.CLIENT_ERROR, Cause.UNKNOWN)
_CLIENT_ERROR: Final = Kind(Outcome.CLIENT_ERROR).code
_INTEGRATION_TIMEOUT: Final = _wire(Outcome.SERVER_ERROR, Cause.INTEGRATION_TIMEOUT)
_SERVER_UNKNOWN: Final = _wire(Outcome.SERVER_ERROR, Cause.UNKNOWN)
_BY_AUTHORIZER: Final = _wire(Outcome.SERVER_ERROR, Cause.AUTHORIZER)
_SERVER_ERROR: Final = Kind(Outcome.SERVER_ERROR).code

# Of API Gateway's refusals. A gateway response that an API changed keeps its type, whatever status
# it has then.
_REFUSALS: Final = ("TooManyRequestsException", "LimitExceededException")

# Reasons of Lambda's TooManyRequestsException that follow from concurrency: the invocation rate
# that a function may have is ten times its concurrency.
_LAMBDA_REASONS: Final = frozenset(
    {
        "ConcurrentInvocationLimitExceeded",
        "ReservedFunctionConcurrentInvocationLimitExceeded",
        "FunctionInvocationRateLimitExceeded",
        "ReservedFunctionInvocationRateLimitExceeded",
    }
)

# 403s of API Gateway and of Lambda function URLs that are about who asks. ForbiddenException is
# none of them: a wrong API key, WAF and a disabled endpoint all say it, in the same words.
_REFUSED_TYPES: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)
_REFUSED_WORDS: Final = re.compile(
    r"user(: \S+)? is not authorized|missing authentication token|incomplete ?signature"
    r"|authorization header requires|the request signature we calculated|signature expired"
    r"|the security token included in the request is (expired|invalid)",
    re.IGNORECASE,
)

# API Gateway's own 429s have none of these. It remaps headers of integrations alone (developer
# guide, "Amazon API Gateway important notes", read 2026-09).
_APPLICATION_HEADER: Final = re.compile(
    rb"\n(?:retry-after|(?:x-)?rate-?limit[a-z0-9-]*|x-amzn-remapped-[a-z0-9-]+):"
)
_GATEWAY_HEADER: Final = re.compile(rb"\n(?:x-amzn-requestid|x-amz-apigw-id|apigw-requestid):")


class Classifier:
    """Names the kind of an answer; the rules of the profile go first, in their order.

    A rule is about responses: when none came, or only a part of one, that stands.
    """

    def __init__(self, rules: Sequence[OutcomeRule] = ()) -> None:
        compiled = [_Rule(rule) for rule in rules]
        statuses = {status for rule in compiled for status in rule.statuses or ()}
        self._any_status = _fitting(compiled, None)
        self._by_status = {status: _fitting(compiled, status) for status in statuses}
        self._plain = not self._any_status and not any(200 <= one < 400 for one in statuses)

    def kind(self, answer: Answer, step_name: str) -> int:
        """The code of the kind (`Kind.of` opens it); 0 is ok."""
        status = answer.status
        if answer.cause:
            return _BROKEN[answer.cause]
        if self._plain and 200 <= status < 400:
            return OK_CODE
        for rule in self._by_status.get(status, self._any_status):
            if rule.fits(answer, step_name):
                return rule.code
        return by_wire(answer)


def by_wire(answer: Answer) -> int:
    """The code of what the wire alone tells about a whole response."""
    status = answer.status
    if 200 <= status < 400:
        return OK_CODE
    if status < 200:
        return _MALFORMED  # an interim status that nothing followed
    error_type = _error_type(answer)
    if status == 429 or error_type in _REFUSALS:
        return _too_many(answer, error_type)
    if answer.header("x-amzn-waf-action") is not None:  # a challenge or a captcha
        return _WAF
    if status in (401, 403):
        return _refused(answer, error_type)
    # RFC 9110 section 15: a class that nobody knows counts as 5xx.
    return _CLIENT_ERROR if status < 500 else _failed(answer, error_type)


def _too_many(answer: Answer, error_type: str) -> int:
    message, reason, is_json = _message(answer)
    said = message.lower()
    head = b"\n" + answer.head.lower()
    by_gateway = _GATEWAY_HEADER.search(head) is not None
    if error_type == "LimitExceededException" or said == "limit exceeded":
        return _QUOTA
    if reason in _LAMBDA_REASONS or (said.startswith("rate exceeded") and not by_gateway):
        return _CONCURRENCY  # a function URL has the words of Lambda's Invoke
    if error_type == "TooManyRequestsException":
        return _THROTTLE
    if _APPLICATION_HEADER.search(head):
        return _BY_APPLICATION
    # As plain text these are the words of many web frameworks too.
    if said == "too many requests" and (is_json or by_gateway):
        return _THROTTLE
    return _THROTTLED_UNKNOWN


def _refused(answer: Answer, error_type: str) -> int:
    if answer.status == 401 or error_type in _REFUSED_TYPES:
        return _AUTHORIZER
    message, _, is_json = _message(answer)
    if _REFUSED_WORDS.match(message):
        return _AUTHORIZER
    if message.lower() == "forbidden" and is_json:
        # A REST API says this of WAF, API keys and a disabled endpoint. An HTTP API has neither
        # WAF nor keys: there it is its authorizer's answer.
        only_http_api = answer.header("apigw-requestid") and not answer.header("x-amzn-requestid")
        return _AUTHORIZER if only_http_api else _CLIENT_UNKNOWN
    if error_type == "ForbiddenException":
        return _CLIENT_UNKNOWN
    return _WAF if _is_waf_page(answer) else _CLIENT_ERROR


def _is_waf_page(answer: Answer) -> bool:
    """Whether this is the 403 page with which a load balancer or CloudFront tells of WAF.

    A load balancer makes a 403 of its own for no other reason (ELB, "HTTP 403: Forbidden").
    """
    if (answer.header("server") or "").startswith("awselb"):
        return True
    return answer.header("x-amz-cf-id") is not None and b"Request blocked" in answer.content()


def _failed(answer: Answer, error_type: str) -> int:
    if error_type == "AuthorizerConfigurationException":
        return _BY_AUTHORIZER
    message = _message(answer)[0].lower()
    if answer.status == 504 and message == "endpoint request timed out":
        return _INTEGRATION_TIMEOUT
    if answer.status == 503 and message == "service unavailable":
        return _SERVER_UNKNOWN  # an HTTP API: 30 s were over, or Lambda refused
    if answer.status == 500 and message == "internal server error":
        return _SERVER_UNKNOWN  # Lambda refused, or the function cannot be invoked
    return _SERVER_ERROR


def _error_type(answer: Answer) -> str:
    """`x-amzn-ErrorType` without the address that some services append."""
    return (answer.header("x-amzn-errortype") or "").partition(":")[0].strip()


def _message(answer: Answer) -> tuple[str, str, bool]:
    """What an error body says, its Reason, and whether it is JSON."""
    try:
        body = answer.json()
    except ValueError:
        return answer.content()[:500].decode("utf-8", "replace").strip(), "", False
    if not isinstance(body, dict):
        return (body.strip() if isinstance(body, str) else ""), "", True
    message = body.get("message", body.get("Message"))
    reason = body.get("Reason")
    return (
        message.strip() if isinstance(message, str) else "",
        reason if isinstance(reason, str) else "",
        True,
    )


class _Rule:
    """A rule of the profile, ready to be asked."""

    __slots__ = ("_body", "_headers", "_step", "code", "statuses")

    def __init__(self, rule: OutcomeRule) -> None:
        when = rule.when
        self.statuses = None if when.status is None else frozenset(when.status)
        self._headers = [(name, re.compile(regex)) for name, regex in when.headers.items()]
        self._body = None if when.body is None else re.compile(when.body)
        self._step = when.step
        self.code = _code_of(rule)

    def fits(self, answer: Answer, step_name: str) -> bool:
        """Whether all but the status holds, which the classifier has looked at."""
        if self._step is not None and self._step != step_name:
            return False
        for name, regex in self._headers:
            value = answer.header(name)
            if value is None or not regex.search(value):
                return False
        return self._body is None or self._body.search(answer.text()) is not None


def _fitting(rules: Sequence[_Rule], status: int | None) -> tuple[_Rule, ...]:
    return tuple(rule for rule in rules if rule.statuses is None or status in rule.statuses)


def _code_of(rule: OutcomeRule) -> int:
    outcome = Outcome[rule.outcome.upper()]
    if outcome is Outcome.OK:
        return OK_CODE
    if rule.cause is not None:
        return Kind(outcome, Cause[rule.cause.upper()], Evidence.RULE).code
    cause = Cause.UNKNOWN if outcome is Outcome.THROTTLED else Cause.NONE
    return Kind(outcome, cause, Evidence.RULE).code
