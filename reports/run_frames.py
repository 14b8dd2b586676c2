"""Documents as pandas tables: one run as it is, or any runs in one long table.

In the long table a row is one figure: which run, what it is about, the figure's name with its unit,
and its value. Runs of all kinds fit into it, and so do those of later versions.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reports import limits_frame, load_frame, nightly_frame, tune_frame
from reports.kinds import Document

# What says which row of a run's own table a figure is of.
_NAMES = ("name", "arch", "memory_mb", "machine")
_ABOUT = ("run", "part", "function", *_NAMES)
LONG_COLUMNS = ("run_id", "kind", "run", "started_utc", "part", "item", "metric", "value", "text")


def frame_of(document: Document) -> pd.DataFrame:
    """The table of one run; the columns are those of its kind."""
    if document.kind == "load":
        return load_frame.frame_of(document)
    if document.kind == "limits":
        return limits_frame.frame_of(document)
    if document.kind == "nightly":
        return nightly_frame.frame_of(document)
    return tune_frame.frame_of(document)


def name_of(document: Document) -> str:
    """What a run is about: the function, or the profile's name."""
    return document.function.name if document.kind == "tune" else document.name


def _run_id(document: Document) -> str:
    return document.night_id if document.kind == "nightly" else document.provenance.run_id


def long_frame(documents: Sequence[Document]) -> pd.DataFrame:
    """All figures of all runs, one a row; what was not measured has none.

    Numbers stand in `value`, words in `text`; yes and no are 1 and 0.
    """
    rows = [row for document in documents for row in _rows(document)]
    frame = pd.DataFrame(rows, columns=list(LONG_COLUMNS))
    return frame.astype({"value": "float64"})


def _rows(document: Document) -> list[dict[str, object]]:
    run = {
        "run_id": _run_id(document),
        "kind": document.kind,
        "run": name_of(document),
        "started_utc": document.provenance.started_utc,
    }
    whole = {**run, "part": "run", "item": ""}
    rows: list[dict[str, object]] = [
        {**whole, "metric": "verdict", "text": document.verdict},
        {**whole, "metric": "exit_code", "value": document.exit_code},
    ]
    wide = frame_of(document)
    for record in wide.to_dict("records"):
        place = {**run, "part": record["part"], "item": _item(record)}
        for metric, found in record.items():
            if metric not in (*_ABOUT, "verdict") and not _is_missing(found):
                rows.append({**place, "metric": str(metric), **_cell(found)})
    return rows


def _is_missing(found: object) -> bool:
    return found is None or found is pd.NA or found != found


def _item(record: dict[object, object]) -> str:  # pandas has any label as a column
    """Which of its part a row is: `x86_64 512 MB`, `GET /search`."""
    found = [(name, record.get(name)) for name in _NAMES]
    texts = [
        f"{value} MB" if name == "memory_mb" else str(value)
        for name, value in found
        if not _is_missing(value)
    ]
    return " ".join(texts)


def _cell(found: object) -> dict[str, object]:
    if isinstance(found, str):
        return {"text": found} if found else {}
    return {"value": float(found)}  # type: ignore[arg-type]  # numbers of numpy and pandas
