"""What became of several functions, as one document; pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ExitCode
from reports.document import Budget, Spent
from reports.several_document import (
    FunctionResult,
    PartVerdict,
    SeveralDocument,
    SeveralVerdict,
    SkippedFunction,
)
from tuner.budget import Limits
from tuner.facts import RunFacts
from tuner.several.planned import Planned

# The most severe first. What stopped the command or may have left something goes before what says
# that there is no answer, and that before an answer that is no pass.
SEVERITY = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.ERROR,
    ExitCode.REFUSED,
    ExitCode.INPUT,
    ExitCode.INVALID,
    ExitCode.FAILED,
    ExitCode.INCONCLUSIVE,
    ExitCode.PASS,
)
_VERDICTS: dict[ExitCode, SeveralVerdict] = {
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "interrupted",
    ExitCode.INVALID: "invalid",
    ExitCode.FAILED: "fail",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.PASS: "pass",
}
NOTHING_SPENT = Spent(invocations=0, gb_seconds=0.0, usd=0.0, unmeasured_invocations=0)


def most_severe(codes: Sequence[int]) -> ExitCode:
    """The exit code of the command, by those of its functions."""
    return min((ExitCode(code) for code in codes), key=SEVERITY.index, default=ExitCode.PASS)


def without_answer(
    planned: Planned, reason: str, code: ExitCode, facts: RunFacts | None, *, begun: bool = True
) -> FunctionResult:
    """A function that was not measured; `facts` are those of its run, as far as it got."""
    verdict: PartVerdict = "error" if begun else "not begun"
    if begun and code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        verdict = "interrupted"
    tried = NOTHING_SPENT
    if facts is not None:
        # Not at the top: it imports scipy, which is not needed before there are samples.
        from tuner.result import spent, trial_of

        tried = spent((), facts.price, facts.target.storage_mb, trial_of(facts))
    return FunctionResult(
        name=planned.target.name,
        arn=planned.target.arn,
        current_mb=planned.target.memory_mb,
        verdict=verdict,
        exit_code=int(code),
        reason=reason,
        spent=tried,
        folder=None,
        document=None,
    )


def build_several(
    results: Sequence[FunctionResult],
    skipped: Sequence[SkippedFunction],
    limits: Limits,
    source: str | None,
    notes: Sequence[str],
) -> SeveralDocument:
    """The document of the command."""
    code = most_severe([result.exit_code for result in results])
    return SeveralDocument(
        verdict=_VERDICTS.get(code, "error"),
        exit_code=int(code),
        errors=[f"{name}: {error}" for name, error in _errors(results)],
        notes=list(notes),
        source=source,
        functions=list(results),
        skipped=list(skipped),
        spent=_total([result.spent for result in results]),
        budget=_budget(limits),
    )


def _errors(results: Sequence[FunctionResult]) -> list[tuple[str, str]]:
    found = []
    for result in results:
        if result.document is not None:
            found += [(result.name, error) for error in result.document.errors]
        elif result.reason is not None and result.verdict != "not begun":
            found.append((result.name, result.reason))
    return found


def _total(parts: Sequence[Spent]) -> Spent:
    return Spent(
        invocations=sum(part.invocations for part in parts),
        gb_seconds=sum(part.gb_seconds for part in parts),
        usd=sum(part.usd for part in parts),
        unmeasured_invocations=sum(part.unmeasured_invocations for part in parts),
    )


def _budget(limits: Limits) -> Budget | None:
    """The limits as the user gave them; which of its part ended a run, its own document says."""
    if limits == Limits():
        return None
    return Budget(
        max_invocations=limits.max_invocations,
        max_usd=limits.max_usd,
        max_seconds=limits.max_seconds,
    )
