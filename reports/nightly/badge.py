"""A night as a badge: the JSON that shields.io reads from an address; pure.

The form is that of its endpoint badges (https://shields.io/badges/endpoint-badge, 2026-10).
"""

from __future__ import annotations

import json

from reports.figures import SPACE, significant
from reports.nightly.document import NightGate, NightlyDocument

# Shown first: what people wait for, then what they pay.
_METRICS = ("p95", "p99", "p50", "duration", "cost", "curve")
_UNITS = {"ms": "ms", "usd_per_million": "$/million"}
# Badges are one line in a row of others.
_MOST_LETTERS = 60


def badge_text(document: NightlyDocument) -> str:
    """The badge of a night as JSON: the plan's name, the verdict in few words, and a colour."""
    message, color = _told(document)
    badge = {
        "schemaVersion": 1,
        "label": document.name[:_MOST_LETTERS],
        "message": message.replace(SPACE, " ")[:_MOST_LETTERS],
        "color": color,
    }
    return json.dumps(badge, indent=2) + "\n"


def _told(document: NightlyDocument) -> tuple[str, str]:
    if document.verdict == "failed":
        return _failures(document), "red"
    if document.verdict in ("error", "interrupted"):
        return document.verdict, "red" if document.verdict == "error" else "lightgrey"
    if document.verdict in ("invalid", "refused"):
        return document.verdict, "orange"
    waiting = _waiting(document)
    if waiting is not None:
        return waiting, "lightgrey"
    if document.verdict == "inconclusive":
        return "inconclusive", "yellow"
    suspects = sum(1 for gate in document.gates if gate.status == "suspect")
    if suspects:
        return _counted(suspects, "suspect"), "yellow"
    gate = _most_changed(document)
    return (_figure(gate) if gate is not None else "pass"), "brightgreen"


def _failures(document: NightlyDocument) -> str:
    failed = [gate for gate in document.gates if gate.status == "failed"]
    budgets = sum(1 for gate in failed if gate.kind == "budget")
    counts = ((len(failed) - budgets, "regression"), (budgets, "budget"))
    told = [
        _counted(count, word) + (" over" if word == "budget" else "")
        for count, word in counts
        if count
    ]
    return ", ".join(told) or "failed"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _waiting(document: NightlyDocument) -> str | None:
    """That there is no baseline yet, where that is true of all figures."""
    relative = [gate for gate in document.gates if gate.kind == "relative"]
    if not relative or any(gate.baseline is not None for gate in relative):
        return None
    gate = min(relative, key=lambda gate: gate.nights)
    if not gate.nights_needed:
        return "no baseline yet"
    if gate.nights >= gate.nights_needed:
        return None
    return f"no baseline yet {gate.nights}/{gate.nights_needed}"


def _most_changed(document: NightlyDocument) -> NightGate | None:
    """Of the metric that is shown, the figure that lies highest above its baseline."""
    judged = [
        gate
        for gate in document.gates
        if gate.kind in ("relative", "curve")
        and gate.value is not None
        and gate.change_share is not None
        and gate.status == "passed"
    ]
    for metric in _METRICS:
        found = [gate for gate in judged if gate.metric == metric]
        if found:
            return max(found, key=lambda gate: gate.change_share or 0.0)
    return None


def _figure(gate: NightGate) -> str:
    """`p95 112 ms +3 %`."""
    value, unit = gate.value or 0.0, _UNITS.get(gate.unit, gate.unit)
    change = round((gate.change_share or 0.0) * 100)
    sign = "+" if change > 0 else "\N{MINUS SIGN}" if change < 0 else "\N{PLUS-MINUS SIGN}"
    return f"{gate.metric} {significant(value)} {unit} {sign}{abs(change)} %"
