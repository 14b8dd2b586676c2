"""The tables of a comparison of two load runs, as text cells: for terminal, page and Markdown."""

from __future__ import annotations

from reports import compare_tables
from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, SPACE
from reports.load_compare_document import ComparedPart, LoadCompareDocument, MetricChange
from reports.load_compare_figures import (
    METRIC_WORDS,
    blocks_differ,
    blocks_words,
    interval_words,
    signed_words,
    value_words,
    verdict_words,
)

_MATRIX = ("p50", "p95", "p99", "throttled", "failed", "admitted")
_MATRIX_NAMES = ("p50", "p95", "p99", "Throttled", "Failed", "Admitted")

_STAR = "*"
_MARKS_HELP = (
    "! worse, + better, = the same, ~ cannot be told. Changes of shares are in percentage points "
    "(pp)."
)
_STAR_HELP = (
    "* outside of the interval, which goes by blocks of time: blocks differ, and the table of "
    "intervals has the mean of their changes."
)
METHOD_HELP = (
    "Latencies are response times of ok requests. A change is that of the two figures beside it. "
    "Interval and verdict go by blocks of time: the mean of their changes, each block of the newer "
    "run against the same block of the baseline, so that a ramp cancels and one bad moment does "
    "not decide. Where the change of the two figures lies outside of that interval, blocks differ, "
    "and the row has the mean of their changes. Worse or better: by "
    "Holm's rule over all judged metrics, and more than what matters (5 % of p50, 7 % of p95, "
    "10 % of p99, 3 % of rate and cost, 1 point throttled, half a point failed). Same: the whole "
    "interval is within that."
)


def changes_table(document: LoadCompareDocument) -> Table | None:
    """Each metric of the whole run and of each step, with interval and verdict."""
    if not document.parts:
        return None
    several = len(document.parts) > 1
    columns = [
        *([Column("Step", is_text=True)] if several else []),
        Column("Metric", is_text=True),
        Column("Baseline"),
        Column("Newer run"),
        Column("Change"),
        Column(f"95{SPACE}% interval, by blocks"),
        Column("p, Holm"),
        Column("Verdict", is_text=True),
    ]
    rows = [
        TableRow([*([part.name] if several else []), *_cells(change)], _css(change))
        for part in document.parts
        for change in part.changes
    ]
    return Table("What changed, with intervals", columns, rows, METHOD_HELP)


def _cells(change: MetricChange) -> list[str]:
    told = [f"{verdict_words(change)}: {change.why}" if change.why else verdict_words(change)]
    return [
        METRIC_WORDS[change.metric],
        value_words(change, change.before),
        value_words(change, change.after),
        ABSENT if change.change is None else signed_words(change),
        ABSENT if change.interval is None else interval_words(change),
        ABSENT if change.p_holm is None else _p_value(change.p_holm),
        "; ".join(filter(None, (*told, blocks_words(change)))),
    ]


def _p_value(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def _css(change: MetricChange) -> str:
    return {"worse": "failed", "better": "taken"}.get(change.verdict, "")


def steps_table(document: LoadCompareDocument) -> Table | None:
    """A row for the run and each step: how much each metric moved, with its mark."""
    if not document.parts:
        return None
    columns = [
        Column("Step", is_text=True),
        Column("Ok, baseline"),
        Column("Ok, newer"),
        *(Column(name) for name in _MATRIX_NAMES),
    ]
    rows = [
        TableRow(
            [
                part.name,
                f"{part.ok_before:,}",
                f"{part.ok_after:,}",
                *(matrix_cell(part, metric) for metric in _MATRIX),
            ]
        )
        for part in document.parts
    ]
    return Table("By step", columns, rows, marks_help(document))


def marks_help(document: LoadCompareDocument) -> str:
    """What the marks mean, those that are used."""
    changes = [change for part in document.parts for change in part.changes]
    is_starred = any(blocks_differ(one) for one in changes if one.metric in _MATRIX)
    return f"{_MARKS_HELP} {_STAR_HELP}" if is_starred else _MARKS_HELP


def matrix_cell(part: ComparedPart, metric: str) -> str:
    """The change of a metric with its mark: `+12 % !`."""
    change = next((one for one in part.changes if one.metric == metric), None)
    if change is None or change.change is None:
        return ABSENT
    between = _STAR if blocks_differ(change) else SPACE
    return f"{signed_words(change)}{between}{verdict_words(change)[0]}"


def differences_table(document: LoadCompareDocument) -> Table | None:
    """What else differs between the runs; None where nothing is known to."""
    return compare_tables.differences_table(document.differences, ("Baseline", "Newer run"))
