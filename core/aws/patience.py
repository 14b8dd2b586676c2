"""What boto3's retries lack: they take an answer that was cut for a whole one, and say nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ConnectionClosedError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_FIRST_ERROR_STATUS = 400
# After so many attempts a user may wonder.
_ATTEMPTS_BEFORE_A_WORD = 4
_DELAY_FIRST_S, _DELAY_MOST_S = 0.05, 20.0


def retry_cut_answers(client: LambdaClient, attempts: int) -> None:
    """Has a call tried again, `attempts` times in all, whose answer ended before its length.

    botocore reads what there is (`enforce_content_length=False` in botocore 1.44) and takes JSON
    that it cannot parse for an answer without fields: a version would have no number, and a
    function no versions that are to be deleted.
    """

    def check(request_dict: Any, response: Any, attempts: int, **_: Any) -> float | None:
        if response is None or not _is_cut(response[0]):
            return None
        if attempts >= most:
            raise ConnectionClosedError(endpoint_url=request_dict["url"])
        delay_s: float = min(_DELAY_MOST_S, _DELAY_FIRST_S * 2**attempts)
        return delay_s

    most = attempts
    events: Any = client.meta.events  # whose types know of no handler that answers
    events.register_first("needs-retry.lambda", check)


def _is_cut(http_response: Any) -> bool:
    length = http_response.headers.get("Content-Length", "")
    return length.isdecimal() and len(http_response.content) < int(length)


def tell_of_delays(client: LambdaClient, on_delay: Callable[[str], None]) -> None:
    """Tells `on_delay` once of each call that takes more than a few attempts, and why."""

    def tell(attempts: int, operation: Any, caught_exception: Any, response: Any, **_: Any) -> None:
        if attempts != _ATTEMPTS_BEFORE_A_WORD:
            return
        why = str(caught_exception)
        if response is not None:
            status = response[0].status_code
            if status < _FIRST_ERROR_STATUS:
                return
            why = str(response[1].get("Error", {}).get("Code", f"status {status}"))
        on_delay(f"{operation.name} does not come through and is tried again: {why}")

    client.meta.events.register("needs-retry.lambda", tell)
