"""The metrics of a comparison of two load runs as gates, for JUnit."""

from __future__ import annotations

from reports.gate import Gate, GateSuite, Status
from reports.load_compare_document import ComparedPart, LoadCompareDocument, MetricChange
from reports.load_compare_figures import METRIC_WORDS
from reports.load_compare_words import change_sentence, validity_line

_STATUS: dict[str, Status] = {
    "worse": "failed",
    "better": "passed",
    "same": "passed",
    "cannot be told": "inconclusive",
}


def gate_suite(document: LoadCompareDocument) -> GateSuite:
    """First whether both runs can be trusted and compared, then a gate for each metric."""
    return GateSuite(
        name=f"compare {document.after.name}",
        kind=document.kind,
        gates=(_trusted(document), *_gates(document)),
        properties=(
            ("verdict", document.verdict),
            ("exit_code", str(document.exit_code)),
            ("baseline_run_id", document.before.run_id),
            ("newer_run_id", document.after.run_id),
        ),
        started_utc=document.after.started_utc,
        finished_utc=document.after.started_utc,
    )


def _trusted(document: LoadCompareDocument) -> Gate:
    text = "both runs are valid and comparable"
    if document.verdict == "invalid":
        return Gate("validity", text, "invalid", validity_line(document))
    if document.verdict == "not comparable":
        return Gate("validity", text, "inconclusive", "; ".join(document.errors))
    return Gate("validity", text, "passed", "")


def _gates(document: LoadCompareDocument) -> list[Gate]:
    is_invalid = document.verdict == "invalid"
    return [
        Gate(
            part.name,
            f"{METRIC_WORDS[change.metric]} is not worse than in the baseline",
            "invalid" if is_invalid else _STATUS[change.verdict],
            _message(part, change),
        )
        for part in document.parts
        for change in part.changes
        # A bill has no interval, so that it is no gate.
        if change.metric != "cost"
    ]


def _message(part: ComparedPart, change: MetricChange) -> str:
    told = change_sentence(part, change)
    return f"{told}: {change.why}" if change.why else told
