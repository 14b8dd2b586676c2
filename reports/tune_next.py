"""What to do after a tuning: the command that sets the size, or the one that tells more."""

from __future__ import annotations

import shlex

from reports.document import TuneDocument
from reports.endpoint import is_loopback
from reports.figures import megabytes
from reports.tune_findings import asks_for_a_change
from reports.tune_fit import more_samples
from reports.tune_plan import exit_words
from reports.tune_test import is_test_run


def next_step(document: TuneDocument) -> str:
    """What to do next, and with which exit code the command ended."""
    return f"Next: {_step(document)}. Exit code: {exit_words(document)}."


def _step(document: TuneDocument) -> str:
    again = f"`tune {shlex.quote(document.function.name)}`"
    if document.verdict == "invalid":
        return f"remove the cause, then measure again with {again}"
    if document.verdict == "interrupted":
        return f"run it to the end with {again}; `tune analyze RUN` answers from these samples"
    if is_test_run(document):
        fine = document.verdict == "pass"
        return f"{again} measures" if fine else "see the table for what does not answer"
    if document.verdict == "fail":
        return "allow larger sizes with --max-memory, or relax the limit with --slo"
    if document.verdict == "inconclusive" or document.recommendation is None:
        return _more(document)
    return _after_a_pass(document)


def _more(document: TuneDocument) -> str:
    budget = document.budget
    if budget is not None and budget.ended_by is not None:
        return f"allow more with --{budget.ended_by.replace('_', '-')}"
    measured = [size.memory_mb for size in document.sizes if size.failure is None]
    return f"take more samples: {more_samples(document, measured)}"


def _after_a_pass(document: TuneDocument) -> str:
    taken, applied = document.recommendation, document.applied
    if applied is not None and applied.applied:
        undo = f": `{applied.undo}` takes it back" if applied.undo else ""
        return f"the size is set{undo}"
    if document.provenance.endpoint is not None and is_loopback(document.provenance.endpoint):
        return "repeat the run against AWS before you set a size"
    if taken is None or not asks_for_a_change(document, taken):
        return "nothing to set; `tune compare RUN RUN` tells what a later run finds changed"
    alias = document.provenance.qualifier
    to = "latest" if alias is None or alias.isdigit() else f"alias={alias}"
    return (
        f"`tune apply RUN --to {to}` sets {megabytes(taken.memory_mb)} (RUN is the folder of this "
        "run); with `--to shift=NAME` an alias is moved to it by steps"
    )
