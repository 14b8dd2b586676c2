"""How a tuning was planned, and what ended it, in words."""

from __future__ import annotations

from decimal import Decimal

from core.errors import ExitCode
from reports.document import Budget, TuneDocument
from reports.figures import listed, seconds

_OPTIONS = {
    "max_invocations": "--max-invocations",
    "max_usd": "--max-usd",
    "max_seconds": "--max-seconds",
}
_ENDINGS: dict[int, str] = {
    ExitCode.PASS: "pass",
    ExitCode.ERROR: "error",
    ExitCode.FAILED: "failed",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.INVALID: "invalid",
}
_SIGNALS_FROM = 128


def exit_words(document: TuneDocument) -> str:
    """The exit code and what it stands for: 4 (inconclusive)."""
    code = document.exit_code
    word = _ENDINGS.get(code, "stopped by a signal" if code > _SIGNALS_FROM else "")
    return f"{code} ({word})" if word else str(code)


def plan_words(document: TuneDocument) -> str:
    """What decided where to invoke, and how often."""
    run = document.provenance
    parallel = f"{run.parallel:,} in parallel"
    if run.plan == "test":
        return f"test run: one call at each size, {parallel}"
    if run.plan == "cold":
        each = "" if run.samples_per_size is None else f": {run.samples_per_size:,} at each size"
        return f"cold starts only{each}, each by a version of its own"
    if run.plan == "fixed":
        each = "" if run.samples_per_size is None else f": {run.samples_per_size:,} warm samples"
        return f"fixed{each} at each size, {parallel}"
    kind = (
        "adaptive, until the answer is close (--thorough)" if run.plan == "thorough" else run.plan
    )
    measured = sum(size.n > 0 for size in document.sizes)
    of = f" of {len(document.model.curve):,}" if document.model and document.model.curve else ""
    if document.arch is not None:
        # What was spent covers both functions, and so do the calls.
        both = f"{document.spent.invocations:,} invocations of both architectures, trials included"
        return f"{kind}: {both}; of this one at {measured:,}{of} sizes, {parallel}"
    calls = document.spent.invocations - (document.trial is not None)
    after = "" if document.trial is None else ", after a trial"
    return f"{kind}: {calls:,} invocations at {measured:,}{of} sizes, {parallel}{after}"


def budget_words(budget: Budget) -> str:
    """The limits that the user set, and what came of them; empty when there were none."""
    limits = limits_words(budget)
    if not limits:
        return ""
    ended = f"ended by {_OPTIONS[budget.ended_by]}" if budget.ended_by else "not reached"
    return f"{limits}; {ended}"


def limits_words(budget: Budget) -> str:
    """The limits that the user set; empty when there were none."""
    limits = []
    if budget.max_invocations is not None:
        calls = "invocation" if budget.max_invocations == 1 else "invocations"
        limits.append(f"{budget.max_invocations:,} {calls}")
    if budget.max_usd is not None:
        limits.append(f"${_plain(budget.max_usd)}")
    if budget.max_seconds is not None:
        limits.append(seconds(budget.max_seconds))
    return f"at most {listed(limits)}" if limits else ""


def ending_sentence(document: TuneDocument) -> str:
    """Which limit ended the run before it knew enough; empty when none did."""
    clause = ending_clause(document)
    if not clause:
        return ""
    known = "the best answer so far" if document.recommendation is not None else "no answer so far"
    return f"{clause[0].upper()}{clause[1:]}: {known}."


def ending_clause(document: TuneDocument) -> str:
    """The limit that ended the run, as the user set it: stopped by --max-usd 0.5; or empty."""
    budget = document.budget
    if budget is None or budget.ended_by is None:
        return ""
    limits = {
        "max_invocations": budget.max_invocations,
        "max_usd": budget.max_usd,
        "max_seconds": budget.max_seconds,
    }
    limit = limits[budget.ended_by]
    value = "" if limit is None else f" {_plain(limit).replace(',', '')}"
    return f"stopped by {_OPTIONS[budget.ended_by]}{value}"


def _plain(value: float) -> str:
    """A number as people type it: 0.00002, never 2e-05."""
    return f"{Decimal(f'{value:.15g}'):,f}"
