"""Pure-Python stand-in for the native `runtime_client` of awslambdaric.

Used where awslambdaric has no wheel. The same four functions over one kept connection; errors
are raised as the native module raises them, so the runtime exits when the sandbox is gone.
"""

import http.client
import os

_DEADLINE = "Lambda-Runtime-Deadline-Ms"
_PREFIX = "/2018-06-01/runtime/"
_agent = "aws-lambda-python"
_connection = None


def initialize_client(user_agent):
    """Remembers the user agent; connects at the first request."""
    global _agent
    _agent = user_agent


def next():
    """Waits for an invocation; gives its body and its headers."""
    status, headers, body = _request("GET", "invocation/next", None, {})
    if status != 200:
        raise RuntimeError(f"Failed to get next: HTTP {status}")
    # The native module gives this one as a number, and awslambdaric reckons with it.
    headers[_DEADLINE] = int(headers[_DEADLINE])
    return body, headers


def post_invocation_result(
    invoke_id, result_data, content_type="application/json", invocation_id=None
):
    """Posts what the handler returned."""
    headers = {"Content-Type": content_type}
    if invocation_id:
        headers["Lambda-Runtime-Invocation-Id"] = invocation_id
    status, _, _ = _request("POST", f"invocation/{invoke_id}/response", result_data, headers)
    if status // 100 != 2:
        raise RuntimeError(f"Failed to post invocation response: HTTP {status}")


def post_error(invoke_id, error_response_data, xray_fault, invocation_id=None):
    """Posts what the handler raised."""
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Function-Error-Type": "Unhandled",
        "Lambda-Runtime-Function-XRay-Error-Cause": xray_fault,
    }
    if invocation_id:
        headers["Lambda-Runtime-Invocation-Id"] = invocation_id
    body = error_response_data.encode()
    status, _, _ = _request("POST", f"invocation/{invoke_id}/error", body, headers)
    if status // 100 != 2:
        raise RuntimeError(f"Failed to post invocation error: HTTP {status}")


def _request(method, path, body, headers):
    global _connection
    if _connection is None:
        _connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        _connection.request(method, _PREFIX + path, body, {"User-Agent": _agent, **headers})
        answer = _connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise RuntimeError(f"Failed to reach the Runtime API: {error}") from error
