"""One synchronous Invoke of one version, with what Lambda reported about it.

Made for measuring: one call is at most one run of the function, and the three ways in which a call
can come to nothing are told apart: not run, no answer, and an error of the function itself.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore import exceptions as aws_exceptions

from core.aws.invoke_errors import remedy
from core.aws.report_line import Report, decode_log_tail, parse_report
from core.aws.session import aws_call, error_code, without_user_info
from core.errors import AwsError, NoAnswer, NotRun

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import InvocationResponseTypeDef

# Refusals before the function ran (Invoke API reference, botocore 1.44).
_NOT_RUN_CODES = frozenset(
    {
        "TooManyRequestsException",
        "EC2ThrottledException",
        "ResourceNotReadyException",
        "SnapStartNotReadyException",
        "ResourceConflictException",
        "ENINotReadyException",
        "CodeArtifactUserPendingException",
    }
)
# The request was sent and its answer did not come back whole: the function may have run.
_ANSWER_LOST = (aws_exceptions.HTTPClientError, aws_exceptions.IncompleteReadError)
_SERVER_ERROR = 500
# Of the errors that Invoke answers with 5xx (API reference), the one that does not say why. The
# others name what keeps the function from starting: its key, its subnet, its runtime.
_UNEXPLAINED = "ServiceException"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of a function.

    `wall_ms` is what the client saw, network included; the times in `report` are Lambda's own.
    `output` is what the function answered, or said of its error, as it came.
    `ended` is when the answer was sent, by Lambda's clock where the answer has a date.
    `report` is None when the log tail does not hold it. `error_type` is set when the function
    failed, which HTTP does not show. It and `error_message` are as the function gave them: any
    characters, any length.
    """

    request_id: str
    started: datetime
    wall_ms: float
    executed_version: str
    report: Report | None
    error_type: str | None
    error_message: str | None
    ended: datetime
    output: bytes = b""

    def with_report(self, report: Report) -> Invocation:
        """The same invocation, with a REPORT that was found elsewhere."""
        return replace(self, report=report, error_type=_refined(self.error_type, report))


def invoke_once(
    client: LambdaClient,
    function: str,
    qualifier: str,
    payload: bytes,
    tenant_id: str | None = None,
) -> Invocation:
    """Runs `function` once; `client` must be a measuring client, which never retries.

    `tenant_id` is whom the call is for, where the function isolates tenants.

    Raises:
        NotRun: when Lambda refused the call before the function ran.
        NoAnswer: when no whole answer came back: not in time, not over this connection, or an
            error inside Lambda (HTTP 5xx without a cause). The function may have run.
        AwsError: for anything else that is not the function's own error.
    """
    tenant: Any = {} if tenant_id is None else {"TenantId": tenant_id}
    started, start_s = datetime.now(UTC), time.perf_counter()
    with aws_call(f"invoke {function}:{qualifier}"):
        try:
            answer = client.invoke(
                FunctionName=function,
                Qualifier=qualifier,
                InvocationType="RequestResponse",
                LogType="Tail",
                Payload=payload,
                **tenant,
            )
            body = answer["Payload"].read()
        except _ANSWER_LOST as error:
            timed_out = isinstance(error, aws_exceptions.ReadTimeoutError)
            raise NoAnswer(
                f"no answer from {function}:{qualifier}: {without_user_info(str(error))}",
                code=None if timed_out else "ConnectionLost",
            ) from error
        except aws_exceptions.ClientError as error:
            if error_code(error) in _NOT_RUN_CODES:
                raise _not_run(function, qualifier, error) from error
            if _http_status(error) < _SERVER_ERROR or _names_the_cause(error):
                raise _refusal(function, qualifier, error) from error
            raise NoAnswer(
                f"no answer from {function}:{qualifier}: {error}", code=error_code(error)
            ) from error
    return _invocation(answer, body, started, (time.perf_counter() - start_s) * 1000)


def _names_the_cause(error: aws_exceptions.ClientError) -> bool:
    """Whether the error is one of Lambda's with a cause; a bare 5xx has its number as code."""
    code = error_code(error) or ""
    return code.endswith("Exception") and code != _UNEXPLAINED


def _http_status(error: aws_exceptions.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _refusal(function: str, qualifier: str, error: aws_exceptions.ClientError) -> Exception:
    """The error with what to do about it; as it is where there is nothing to add."""
    code = error_code(error)
    what_to_do = remedy(code)
    if what_to_do is None:
        return error
    message = str(error.response.get("Error", {}).get("Message") or "AWS gives no reason")
    return AwsError(
        f"could not invoke {function}:{qualifier}: {code}: {message}", code=code, hint=what_to_do
    )


def _not_run(function: str, qualifier: str, error: aws_exceptions.ClientError) -> NotRun:
    reason = error.response.get("Reason")
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        retry_after_s = float(headers["retry-after"])
    except (KeyError, ValueError):
        retry_after_s = None
    return NotRun(
        f"{function}:{qualifier} was not run: {error}",
        code=error_code(error),
        reason=str(reason) if reason else None,
        retry_after_s=retry_after_s,
    )


def _invocation(
    answer: InvocationResponseTypeDef, body: bytes, started: datetime, wall_ms: float
) -> Invocation:
    request_id = answer["ResponseMetadata"].get("RequestId")
    if request_id is None:
        raise AwsError(
            "could not read the answer to an Invoke: it has no request id, so it is not Lambda's",
            hint="see what answers at the endpoint: a proxy, a sign-in page",
        )
    report = parse_report(decode_log_tail(answer.get("LogResult", "")), request_id)
    error_type, error_message = _function_error(answer, body)
    return Invocation(
        request_id=request_id,
        started=started,
        wall_ms=wall_ms,
        executed_version=answer.get("ExecutedVersion", ""),
        report=report,
        error_type=_refined(error_type, report),
        error_message=error_message,
        ended=_sent(answer) or datetime.now(UTC),
        output=body,
    )


def _sent(answer: InvocationResponseTypeDef) -> datetime | None:
    try:
        sent = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError):
        return None
    return sent if sent.tzinfo else sent.replace(tzinfo=UTC)


def _function_error(
    answer: InvocationResponseTypeDef, body: bytes
) -> tuple[str | None, str | None]:
    if not answer.get("FunctionError"):
        return None, None
    try:
        details = json.loads(body)
    except (ValueError, RecursionError):
        details = {}
    if not isinstance(details, dict):
        details = {}
    message = str(details.get("errorMessage") or "the function gave no message")
    kind = str(details.get("errorType") or "Unhandled")
    if "Task timed out after" in message:
        # Older answers carry only the text.
        kind = "Sandbox.Timedout"
    return kind, message


def _refined(error_type: str | None, report: Report | None) -> str | None:
    """Names an out-of-memory kill, which Lambda often reports as a plain exit."""
    if report is None or error_type != "Runtime.ExitError":
        return error_type
    used, size = report.max_memory_used_mb, report.memory_mb
    return "Runtime.OutOfMemory" if used is not None and used >= size else error_type
