"""Limits of a load run that belong into its chart of response times, as labelled lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports import svg
from reports.figures import SPACE
from reports.load_document import LoadDocument, ThresholdResult
from reports.time_chart import HorizontalRule

# Of a latency that the chart shows, or nearly so; a lower bound is nothing that a line could be
# kept below.
_LIMIT = re.compile(r"(?:p[0-9.]+|max|mean)\((?:response|ok_response|service)\) *<=? *[0-9.]+ *m?s")
# Of one step or phase says nothing of a line that is of the whole run.
_WHOLE_RUN = "the run"
# More lines with labels than this would hide what they are held against.
_MOST_RULES = 3


def latency_rules(document: LoadDocument) -> list[HorizontalRule]:
    """The limits on response and service times of the whole run, the lowest first."""
    found: dict[str, float] = {}
    for threshold in document.thresholds:
        if _is_shown(threshold):
            found.setdefault(threshold.that, threshold.limit)
    lowest = sorted(found.items(), key=lambda item: (item[1], item[0]))[:_MOST_RULES]
    return [HorizontalRule(limit, _label(that), "c-limit", svg.FAILED) for that, limit in lowest]


def _is_shown(threshold: ThresholdResult) -> bool:
    of_latency = threshold.unit == "ms" and _LIMIT.fullmatch(threshold.that.strip())
    return bool(of_latency) and threshold.scope.startswith(_WHOLE_RUN)


def _label(that: str) -> str:
    """`p95(response) < 300ms` with the space that a unit has elsewhere."""
    return re.sub(r"(?<=[0-9])(?=m?s$)", SPACE, that.strip())


def rules_note(rules: Sequence[HorizontalRule]) -> str:
    """What lines mean for a reader who sees one crossed."""
    if not rules:
        return ""
    return (
        " Lines across are limits. They are judged over the whole run, or over each of its "
        "windows: one second above a limit need not break it."
    )
