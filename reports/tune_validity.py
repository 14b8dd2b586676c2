"""What speaks for and against the measurement of a tuning, in one sentence before any number."""

from __future__ import annotations

from reports.document import TuneDocument
from reports.tune_plan import ending_clause
from reports.tune_test import is_test_run

_WORDS = {"invalid": "Invalid", "interrupted": "Partial"}


def validity_line(document: TuneDocument) -> str:
    """Whether the figures can be trusted, by how many samples, and what is wrong with them."""
    word = _WORDS.get(document.verdict, "Valid")
    reason = f"{_reason(document)}; " if word != "Valid" and document.errors else ""
    against = [*_lost(document), ending_clause(document)]
    told = "; ".join([_counted(document), *(part for part in against if part)])
    return f"{word}: {reason}{told}."


def _reason(document: TuneDocument) -> str:
    return document.errors[0].rstrip(".")


def _counted(document: TuneDocument) -> str:
    """How many samples count, and how many the answer leans on most."""
    warm = sum(size.n for size in document.sizes)
    cold = sum(size.n_cold for size in document.sizes)
    sizes = sum(size.n > 0 or size.n_cold > 0 for size in document.sizes)
    kinds = f"{warm:,} warm and {_of(cold, 'cold sample')}" if cold else _of(warm, "warm sample")
    text = f"{kinds} at {_of(sizes, 'size')}"
    taken = document.recommendation
    if taken is None or is_test_run(document):
        return text
    word = "recommended size" if document.verdict == "pass" else "best so far"
    own = next((size.n for size in document.sizes if size.memory_mb == taken.memory_mb), 0)
    return f"{text}, {own:,} warm at the {word}"


def _lost(document: TuneDocument) -> list[str]:
    """Failed calls and those without a REPORT line, or that there was none."""
    failed = sum(size.n_failed for size in document.sizes)
    unmeasured = document.spent.unmeasured_invocations
    if not document.spent.invocations:
        return []
    if not failed and not unmeasured:
        return ["no call failed or lacks its REPORT line"]
    parts = [f"{_of(failed, 'call')} failed or gave no measurement" if failed else "no call failed"]
    if unmeasured:
        parts.append(f"{_of(unmeasured, 'call')} without a REPORT line")
    return parts


def _of(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
