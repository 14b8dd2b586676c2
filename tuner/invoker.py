"""Turns invocations into samples: throttles are waited out and never counted.

What a function says of its failure is made safe here, before it is kept or shown anywhere.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.aws.invocation import Invocation, invoke_once
from core.aws.invoke_errors import why_not_run
from core.aws.report_search import ReportSearch
from core.aws.session import aws_call
from core.errors import AwsError, InvalidMeasurement, NoAnswer, NotRun, Refused
from core.text import one_line
from tuner.redact import NOTHING_HIDDEN, HiddenTexts, redact
from tuner.sample import Outcome, Sample

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_ATTEMPTS = 10
_BACKOFF_FIRST_S, _BACKOFF_MOST_S = 0.2, 10.0
# However long AWS or something in between asks for.
_RETRY_AFTER_MOST_S = 60.0
_TEXT_CHARS = 300
# Errors that Lambda or the runtime names, and not the function (Lambda Telemetry API, errorType).
_LAMBDA_ERROR = re.compile(r"(Sandbox|Runtime|Function|Extension)\.\w+|Unhandled|Handled", re.ASCII)
_RESERVED_EXCEEDED = "ReservedFunctionConcurrentInvocationLimitExceeded"


@dataclass(frozen=True, slots=True)
class Invoker:
    """Sends one payload to versions of one function.

    `wait(seconds)` sleeps between throttled attempts and returns True when the run shall stop.
    `hidden` are the texts that no kept message may quote. `tenant_id` is whom all calls are for.
    `logs` is asked where the tail of an answer has no REPORT.
    """

    client: LambdaClient
    function: str
    payload: bytes
    wait: Callable[[float], bool]
    hidden: HiddenTexts = NOTHING_HIDDEN
    tenant_id: str | None = None
    logs: ReportSearch | None = None

    def invoke(self, memory_mb: int, version: str, round_number: int) -> Sample | None:
        """One sample of `version`, or None when a stop was requested before it could start.

        Raises:
            Refused: when the function's reserved concurrency lets nothing through.
            InvalidMeasurement: when another version answered.
            AwsError: when AWS does not run it.
        """
        why, what_to_do = "", None
        for attempt in range(_ATTEMPTS):
            started, start_s = datetime.now(UTC), time.perf_counter()
            try:
                invocation = invoke_once(
                    self.client, self.function, version, self.payload, self.tenant_id
                )
            except NotRun as refusal:
                why, what_to_do = why_not_run(refusal)
                if self.wait(self._pause_after(refusal, attempt)):
                    return None
            except NoAnswer as silence:
                wall_ms = (time.perf_counter() - start_s) * 1000
                lost = _lost(memory_mb, version, round_number, started, silence)
                return replace(lost, wall_ms=round(wall_ms, 3))
            else:
                return self._sample(self._reported(invocation), memory_mb, version, round_number)
        raise AwsError(
            f"could not invoke {self.function} at {memory_mb} MB: still refused after "
            f"{_ATTEMPTS} attempts: {why}",
            hint=what_to_do,
        )

    def _pause_after(self, refusal: NotRun, attempt: int) -> float:
        """Seconds to wait; raises when no waiting can help."""
        if refusal.reason == _RESERVED_EXCEEDED and self._reserved_concurrency() == 0:
            raise Refused(
                f"function {self.function!r}: its reserved concurrency is 0, so every call is "
                "refused",
                hint="give it some, or remove the reservation",
            ) from refusal
        backoff_s = min(_BACKOFF_FIRST_S * 2.0**attempt, _BACKOFF_MOST_S) * random.uniform(0.5, 1)
        return max(backoff_s, min(refusal.retry_after_s or 0.0, _RETRY_AFTER_MOST_S))

    def _reserved_concurrency(self) -> int | None:
        try:
            with aws_call("read the reserved concurrency"):
                answer = self.client.get_function_concurrency(FunctionName=self.function)
        except AwsError:
            return None
        return answer.get("ReservedConcurrentExecutions")

    def _reported(self, invocation: Invocation) -> Invocation:
        """`invocation`, with its REPORT from the log group where the tail had none."""
        if invocation.report is not None or self.logs is None:
            return invocation
        report = self.logs.find(invocation)
        return invocation if report is None else invocation.with_report(report)

    def _sample(
        self, invocation: Invocation, memory_mb: int, version: str, round_number: int
    ) -> Sample:
        if invocation.executed_version not in (version, ""):
            raise InvalidMeasurement(
                f"version {version} was invoked but {invocation.executed_version} answered"
            )
        report = invocation.report
        outcome: Outcome = "measured"
        error_type = self._safe_type(invocation.error_type)
        error_message = self._safe(invocation.error_message)
        if error_type:
            outcome = "failed"
        elif report is None:
            outcome, error_type = "lost", "NoReport"
            error_message = self._why_no_report()
        return Sample(
            memory_mb=memory_mb,
            version=version,
            round=round_number,
            started_utc=invocation.started.isoformat(timespec="milliseconds"),
            request_id=invocation.request_id,
            outcome=outcome,
            wall_ms=round(invocation.wall_ms, 3),
            error_type=error_type,
            error_message=error_message,
            cold=report is not None and report.cold,
            duration_ms=report.duration_ms if report else None,
            billed_ms=report.billed_ms if report else None,
            init_ms=report.init_ms if report else None,
            restore_ms=report.restore_ms if report else None,
            max_memory_used_mb=report.max_memory_used_mb if report else None,
        )

    def _why_no_report(self) -> str:
        missing = "the log tail holds no REPORT of this invocation"
        problem = self.logs.problem if self.logs else None
        return missing if problem is None else one_line(f"{missing}; {problem}")[:_TEXT_CHARS]

    def _safe_type(self, error_type: str | None) -> str | None:
        """Names of Lambda's own are kept, whatever the payload holds: they say what happened."""
        is_lambdas = error_type is not None and _LAMBDA_ERROR.fullmatch(error_type)
        return error_type if is_lambdas else self._safe(error_type)

    def _safe(self, text: str | None) -> str | None:
        """What a function said, to be kept and shown; the payload goes before anything is cut."""
        return None if text is None else one_line(redact(text, self.hidden))[:_TEXT_CHARS]


def _lost(
    memory_mb: int, version: str, round_number: int, started: datetime, silence: NoAnswer
) -> Sample:
    return Sample(
        memory_mb=memory_mb,
        version=version,
        round=round_number,
        started_utc=started.isoformat(timespec="milliseconds"),
        request_id="",
        outcome="lost",
        error_type=one_line(silence.code or "NoAnswer"),
        error_message=one_line(str(silence))[:_TEXT_CHARS],
    )
