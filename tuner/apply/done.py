"""What an application came to, and its document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core.aws.version_metrics import CallMetrics
from core.errors import (
    BudgetFailed,
    ExitCode,
    Inconclusive,
    Interrupted,
    Refused,
    ToolError,
    exit_code_of,
)
from core.text import one_line
from reports.apply_document import ApplyDocument, ShiftResult, VersionCalls
from tuner.apply.destination import Destination
from tuner.apply.proposal import Proposal
from tuner.apply.shift import Shifting

_Verdict = Literal["pass", "fail", "inconclusive", "interrupted", "refused", "error"]
_VERDICTS: tuple[tuple[type[ToolError], _Verdict], ...] = (
    (BudgetFailed, "fail"),
    (Inconclusive, "inconclusive"),
    (Interrupted, "interrupted"),
    (Refused, "refused"),
)


@dataclass(slots=True)
class Done:
    """One application: what was changed, and what was put back where `error` ended it."""

    proposal: Proposal
    destination: Destination
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    version: str | None = None
    shifting: Shifting | None = None
    error: ToolError | None = None
    left_behind: str | None = None

    def document(self, undo: str) -> ApplyDocument:
        """All of it; `undo` is the command that takes it back."""
        errors = [] if self.error is None else [one_line(str(self.error))]
        code = ExitCode.PASS if self.error is None else exit_code_of(self.error)
        if self.left_behind is not None:
            errors, code = [*errors, self.left_behind], ExitCode.ERROR
        applied = self.error is None
        return ApplyDocument(
            verdict=verdict_of(self.error),
            exit_code=code,
            errors=errors,
            notes=self.notes,
            run_id=self.proposal.tune_run,
            function_arn=self.proposal.function.arn,
            to=str(self.destination),
            from_mb=self.proposal.from_mb,
            to_mb=self.proposal.to_mb,
            applied=applied,
            version=self.version if applied else None,
            done=self.changes,
            taken_back=self.taken_back,
            shift=self._shift(),
            undo=undo if applied or self.left_behind is not None else None,
        )

    def _shift(self) -> ShiftResult | None:
        shifting = self.shifting
        if shifting is None or shifting.last is None:
            return None
        counted, look = shifting.counted, shifting.last
        return ShiftResult(
            share=shifting.shift.share,
            seconds=shifting.shift.seconds,
            new=_calls(counted.new, look.new),
            old=_calls(counted.old, look.old),
        )


def verdict_of(error: ToolError | None) -> _Verdict:
    """The word for how an application ended."""
    if error is None:
        return "pass"
    return next((word for kind, word in _VERDICTS if isinstance(error, kind)), "error")


def _calls(version: str, metrics: CallMetrics) -> VersionCalls:
    return VersionCalls(
        version=version,
        calls=metrics.calls,
        errors=metrics.errors,
        throttles=metrics.throttles,
        median_ms=metrics.median_ms,
    )
