"""Turns invocations into samples: throttles are waited out and never counted.

What a function says of its failure is made safe here, before it is kept or shown anywhere. Hooks
run once around each call, however often it is refused before it runs, and are not measured.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.aws.invocation import Invocation, invoke_once
from core.aws.invoke_errors import why_not_run
from core.aws.report_search import ReportSearch
from core.aws.session import aws_call
from core.errors import AwsError, InvalidMeasurement, NoAnswer, NotRun, Refused, ToolError
from core.text import one_line
from tuner.hooks import NO_HOOKS, HookError, Hooks, HookStopped
from tuner.payload_mix import PayloadMix, WeightedPayload
from tuner.redact import NOTHING_HIDDEN, HiddenTexts, hidden_texts, redact
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
class _Call:
    """One call that is to be made: with which payload of the mix, and what is sent for it."""

    memory_mb: int
    version: str
    round: int
    turn: WeightedPayload
    sent: bytes


@dataclass(frozen=True, slots=True)
class Invoker:
    """Sends the payloads of a mix to versions of one function, at each size in the same order.

    `wait(seconds)` sleeps between throttled attempts and returns True when the run shall stop.
    `hidden` are the texts that no kept message may quote. `tenant_id` is whom all calls are for.
    `logs` is asked where the tail of an answer has no REPORT. Errors of the function of
    `allowed_errors` are answers like any other. `keep_output` gets what the function answers.
    """

    client: LambdaClient
    function: str
    payloads: PayloadMix
    wait: Callable[[float], bool]
    hidden: HiddenTexts = NOTHING_HIDDEN
    tenant_id: str | None = None
    logs: ReportSearch | None = None
    hooks: Hooks = NO_HOOKS
    allowed_errors: Collection[str] = ()
    keep_output: Callable[[Sample, bytes], None] | None = None
    _turns: dict[int, Iterator[WeightedPayload]] = field(default_factory=dict)

    def invoke(self, memory_mb: int, version: str, round_number: int) -> Sample | None:
        """One sample of `version`, or None when a stop was requested before it could start.

        Raises:
            Refused: when the function's reserved concurrency lets nothing through.
            InvalidMeasurement: when another version answered.
            AwsError: when AWS does not run it.
            HookError: when a hook does not do its work.
            ToolError: from `keep_output`, when an answer cannot be kept.
        """
        # Never two calls at one size at once: so no two threads ask for one turn.
        turn = next(self._turns.setdefault(memory_mb, self.payloads.turns()))
        try:
            sent = self.hooks.before(turn.payload.content, memory_mb)
        except HookStopped:
            return None
        call = _Call(memory_mb, version, round_number, turn, sent)
        try:
            answer = self._answer(call)
        except ToolError:
            # What the hook before it did is to be undone, and the first error is the one to tell.
            with suppress(ToolError):
                self.hooks.after(sent, None, memory_mb)
            raise
        try:
            self.hooks.after(sent, _output(answer), memory_mb)
        except HookError as error:
            # The call is paid for all the same.
            error.sample = self._kept(answer, call)
            raise
        return self._kept(answer, call)

    def _kept(self, answer: Invocation | Sample | None, call: _Call) -> Sample | None:
        if not isinstance(answer, Invocation):
            return answer
        sample = self._sample(self._reported(answer), call)
        if self.keep_output is not None:
            self.keep_output(sample, answer.output)
        return sample

    def _answer(self, call: _Call) -> Invocation | Sample | None:
        """The answer; a lost sample where none came back, None where a stop came before it ran."""
        why, what_to_do = "", None
        for attempt in range(_ATTEMPTS):
            started, start_s = datetime.now(UTC), time.perf_counter()
            try:
                return invoke_once(
                    self.client, self.function, call.version, call.sent, self.tenant_id
                )
            except NotRun as refusal:
                why, what_to_do = why_not_run(refusal)
                if self.wait(self._pause_after(refusal, attempt)):
                    return None
            except NoAnswer as silence:
                wall_ms = (time.perf_counter() - start_s) * 1000
                lost = self._lost(call, started, silence)
                return replace(lost, wall_ms=round(wall_ms, 3))
        raise AwsError(
            f"could not invoke {self.function} at {call.memory_mb} MB: still refused after "
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

    def _sample(self, invocation: Invocation, call: _Call) -> Sample:
        if invocation.executed_version not in (call.version, ""):
            raise InvalidMeasurement(
                f"version {call.version} was invoked but {invocation.executed_version} answered"
            )
        report = invocation.report
        outcome: Outcome = "measured"
        error_type = self._safe_type(invocation.error_type, call)
        error_message = self._safe(invocation.error_message, call)
        if error_type and invocation.error_type not in self.allowed_errors:
            outcome = "failed"
        elif report is None:
            outcome, error_type = "lost", "NoReport"
            error_message = self._why_no_report()
        return Sample(
            memory_mb=call.memory_mb,
            version=call.version,
            round=call.round,
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
            payload=self._name(call),
        )

    def _why_no_report(self) -> str:
        missing = "the log tail holds no REPORT of this invocation"
        problem = self.logs.problem if self.logs else None
        return missing if problem is None else one_line(f"{missing}; {problem}")[:_TEXT_CHARS]

    def _safe_type(self, error_type: str | None, call: _Call) -> str | None:
        """Names of Lambda's own are kept, whatever the payload holds: they say what happened."""
        is_lambdas = error_type is not None and _LAMBDA_ERROR.fullmatch(error_type)
        return error_type if is_lambdas else self._safe(error_type, call)

    def _safe(self, text: str | None, call: _Call) -> str | None:
        """What a function said, to be kept and shown; the payload goes before anything is cut."""
        if text is None:
            return None
        shown = redact(text, self.hidden)
        if call.sent != call.turn.payload.content:
            # Made by a hook, just now.
            shown = redact(shown, hidden_texts(call.sent))
        return one_line(shown)[:_TEXT_CHARS]

    def _name(self, call: _Call) -> str | None:
        return call.turn.name if self.payloads.is_mix else None

    def _lost(self, call: _Call, started: datetime, silence: NoAnswer) -> Sample:
        return Sample(
            memory_mb=call.memory_mb,
            version=call.version,
            round=call.round,
            started_utc=started.isoformat(timespec="milliseconds"),
            request_id="",
            outcome="lost",
            error_type=one_line(silence.code or "NoAnswer"),
            error_message=one_line(str(silence))[:_TEXT_CHARS],
            payload=self._name(call),
        )


def _output(answer: Invocation | Sample | None) -> bytes | None:
    """What the function gave for the hook after it; None where it failed or was not reached."""
    if not isinstance(answer, Invocation) or answer.error_type is not None:
        return None
    return answer.output
