"""A night as a pandas table: its gates, and each point of its trends."""

from __future__ import annotations

import pandas as pd

from reports.nightly.document import NightlyDocument

COLUMNS = (
    "run",
    "part",
    "step",
    "name",
    "metric",
    "night",
    "sequence",
    "unit",
    "value",
    "low",
    "high",
    "n",
    "status",
    "baseline",
    "limit",
    "change_share",
    "change_low_share",
    "change_high_share",
    "p_value",
    "nights",
    "smallest_step_share",
    "git_commit",
    "gate",
)  # fmt: skip


def frame_of(document: NightlyDocument) -> pd.DataFrame:
    """A row for each gate of the night, then one for each night of each trend."""
    rows = [*_gates(document), *_points(document)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _gates(document: NightlyDocument) -> list[dict[str, object]]:
    found = []
    for gate in document.gates:
        low, high = gate.change_interval or (None, None)
        found.append(
            {
                "run": document.name,
                "part": "gate",
                "step": gate.step,
                "name": gate.scope,
                "metric": gate.metric,
                "night": document.night,
                "sequence": document.sequence,
                "unit": gate.unit,
                "value": gate.value,
                "n": gate.n,
                "status": gate.status,
                "baseline": gate.baseline,
                "limit": gate.limit,
                "change_share": gate.change_share,
                "change_low_share": low,
                "change_high_share": high,
                "p_value": gate.p_value,
                "nights": gate.nights,
                "smallest_step_share": gate.smallest_step_share,
                "gate": gate.text,
            }
        )
    return found


def _points(document: NightlyDocument) -> list[dict[str, object]]:
    return [
        {
            "run": document.name,
            "part": "trend",
            "step": trend.series.step,
            "name": trend.series.scope,
            "metric": trend.series.metric,
            "night": point.night,
            "sequence": point.sequence,
            "unit": trend.unit,
            "value": point.value,
            "low": point.low,
            "high": point.high,
            "n": point.n,
            "status": point.status,
            "git_commit": point.git_commit,
        }
        for trend in document.trends
        for point in trend.points
    ]
