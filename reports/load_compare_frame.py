"""A comparison of two load runs as a table: a row for each metric of the run and its steps."""

from __future__ import annotations

import pandas as pd

from reports.load_compare_document import LoadCompareDocument


def frame_of(document: LoadCompareDocument) -> pd.DataFrame:
    """Columns are the same for all comparisons; units stand in column `unit`."""
    columns = [
        "baseline_run_id", "newer_run_id", "part", "scenario", "name", "metric", "unit",
        "before", "after", "change", "block_change", "block_change_low", "block_change_high",
        "floor_share", "p_value", "p_holm", "blocks", "verdict", "why",
    ]  # fmt: skip
    rows = []
    for part in document.parts:
        for change in part.changes:
            low, high = change.interval or (None, None)
            values = [
                document.before.run_id,
                document.after.run_id,
                "run" if part.scenario is None else "step",
                part.scenario,
                part.name,
                *(getattr(change, name) for name in ("metric", "unit", "before", "after")),
                *(change.change, change.block_change, low, high, change.floor_share),
                *(change.p_value, change.p_holm, change.blocks, change.verdict, change.why),
            ]
            rows.append(dict(zip(columns, values, strict=True)))
    return pd.DataFrame(rows, columns=columns)
