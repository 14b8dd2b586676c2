"""The document of a tuning with the other architecture beside it; pure.

It stays that of the function that was asked for: the other one adds the comparison, what it cost,
and what went wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.errors import ExitCode
from reports.document import (
    ArchComparison,
    Monthly,
    Provenance,
    Spent,
    TuneDocument,
    Verdict,
)
from tuner.answering import Answered
from tuner.arch import NotComparable, Side, compare
from tuner.objective import Goal

# How a run on the other function ends that needs a hand: it was broken off, or something is left.
_BROKEN_OFF = (ExitCode.ERROR, ExitCode.REFUSED)
_NOT_COMPARED = "x86_64 and arm64 are not compared: "
# With one of these the run on the function itself went wrong: the other one changes nothing of it.
_NO_ANSWER: tuple[Verdict, ...] = ("invalid", "interrupted")


def with_other(first: Answered, other: Answered, goal: Goal) -> TuneDocument:
    """The document of `first`, with what the run on the other function adds to it."""
    document = first.document
    found = _compared(first, other, goal)
    verdict, code, errors = _judge(document, other.document, found)
    spent = both(document.spent, other.document.spent)
    return document.model_copy(
        update={
            "verdict": verdict,
            "exit_code": int(code),
            "errors": errors,
            "notes": _added(_lasting(document.notes, other), _notes(first, other, found)),
            "arch": found if isinstance(found, ArchComparison) else None,
            "spent": spent,
            "monthly": _paid_back(document.monthly, document.spent, spent),
            "provenance": _both_ended(document.provenance, other.document.provenance),
        }
    )


def without_other(
    document: TuneDocument, problem: str, code: ExitCode, *, stopped: bool = False
) -> TuneDocument:
    """The document where the other function was not measured, and why."""
    if document.verdict in _NO_ANSWER:
        return document.model_copy(update={"notes": _added(document.notes, [problem])})
    verdict: Verdict = "interrupted" if stopped else document.verdict
    if verdict == "pass":
        verdict = "inconclusive"
    own = ExitCode(document.exit_code)
    keeps_own = own == ExitCode.ERROR or (own != ExitCode.PASS and code == ExitCode.INCONCLUSIVE)
    return document.model_copy(
        update={
            "verdict": verdict,
            "exit_code": int(own if keeps_own else code),
            # What was left behind stays last: another look at the run finds it there.
            "errors": [problem, *document.errors],
        }
    )


def _compared(first: Answered, other: Answered, goal: Goal) -> ArchComparison | NotComparable:
    for found in (first, other):
        if found.document.verdict == "invalid":
            return NotComparable(f"the measurement of {_side(found).name} is invalid")
    rng = np.random.default_rng(first.document.provenance.seed)
    return compare(goal, _side(first), _side(other), rng)


def _side(found: Answered) -> Side:
    function = found.document.function
    return Side(function.arch, function.name, found.answer)


def _judge(
    document: TuneDocument, other: TuneDocument, found: ArchComparison | NotComparable
) -> tuple[Verdict, ExitCode, list[str]]:
    verdict, code, errors = document.verdict, ExitCode(document.exit_code), document.errors
    if verdict in _NO_ANSWER:
        return verdict, code, errors
    if other.verdict == "interrupted":
        return "interrupted", ExitCode(other.exit_code), _added(errors, _errors_of(other))
    if isinstance(found, NotComparable) and not found.is_answer and verdict == "pass":
        verdict, code = "inconclusive", ExitCode.INCONCLUSIVE
        errors = _added(errors, [_not_compared(found)])
    if other.exit_code in _BROKEN_OFF:
        return verdict, ExitCode(other.exit_code), _added(errors, _errors_of(other))
    return verdict, code, errors


def _not_compared(found: NotComparable) -> str:
    return f"{_NOT_COMPARED}{found.reason}"


def _errors_of(other: TuneDocument) -> list[str]:
    return [f"{_errors_prefix(other)}{error}" for error in other.errors]


def _errors_prefix(other: TuneDocument) -> str:
    return f"{other.function.name} ({other.function.arch}): "


def _lasting(notes: Sequence[str], other: Answered) -> list[str]:
    """Notes without those of an earlier comparison, which another question may have asked for."""
    earlier = (_NOT_COMPARED, _errors_prefix(other.document))
    return [note for note in notes if not note.startswith(earlier)]


def _notes(
    first: Answered, other: Answered, found: ArchComparison | NotComparable
) -> Iterable[str]:
    """What a reader has to know of the comparison."""
    mine, theirs = first.document, other.document
    yield (
        f"{theirs.function.name} ({theirs.function.arch}) was measured after {mine.function.name}, "
        f"with the same payload; its samples and its result are in {theirs.function.arch}/ of the "
        "run's folder"
    )
    yield (
        f"spent covers both functions: {mine.spent.invocations} invocations of "
        f"{mine.function.name}, {theirs.spent.invocations} of {theirs.function.name}"
    )
    if isinstance(found, NotComparable):
        yield _not_compared(found)
    if theirs.verdict in ("fail", "inconclusive", "invalid"):
        yield from _errors_of(theirs)


def _added(texts: Sequence[str], more: Iterable[str]) -> list[str]:
    """Both, each once: another look at a run says again what the run has said."""
    return list(dict.fromkeys([*texts, *more]))


def both(one: Spent, other: Spent) -> Spent:
    """What two runs cost together."""
    return Spent(
        invocations=one.invocations + other.invocations,
        gb_seconds=one.gb_seconds + other.gb_seconds,
        usd=one.usd + other.usd,
        unmeasured_invocations=one.unmeasured_invocations + other.unmeasured_invocations,
    )


def _paid_back(monthly: Monthly | None, own: Spent, both: Spent) -> Monthly | None:
    """The month, where the saving has to pay for the calls of both functions."""
    if monthly is None or monthly.break_even_requests is None or not own.usd:
        return monthly
    requests = monthly.break_even_requests * both.usd / own.usd
    days = monthly.break_even_days
    return monthly.model_copy(
        update={
            "break_even_requests": requests,
            "break_even_days": None if days is None else days * both.usd / own.usd,
        }
    )


def _both_ended(own: Provenance, other: Provenance) -> Provenance:
    return own.model_copy(update={"finished_utc": max(own.finished_utc, other.finished_utc)})
