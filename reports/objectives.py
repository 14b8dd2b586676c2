"""Objectives of a load run, read from its thresholds: what may go wrong, and how much of it.

`rate(failed) < 1%` leaves 1 % of completed requests as a budget, `p95(ok_response) < 300ms` leaves
5 % of ok requests that may take longer, and `count(timeout) <= 10` leaves ten. A threshold that is
judged in windows is no budget of the run, and one that asks for a least has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import Literal

from reports.figures import significant
from reports.histogram import decoded
from reports.load_document import LoadDocument, Outcomes, Slice, ThresholdResult
from reports.load_words import ERROR_CLASSES

_SHARE = re.compile(r"(rate|count)\((\w+)\)\s*(<=?)\s")
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]+)?)\((response|ok_response|service)\)\s*(<=?)\s")
_WHOLE_RUN = ("", "run", "the run", "whole run")


@dataclass(frozen=True, slots=True)
class Objective:
    """A threshold as a budget: of `whole` requests, `allowed` may be bad, and `used` were.

    `used` is None where a document does not tell how many were. `subject` is what counts as bad.
    """

    that: str
    scope: str
    kind: Literal["share", "latency", "count"]
    subject: str
    whole: int
    allowed: float
    used: float | None

    @property
    def used_share(self) -> float | None:
        """Of the budget; above 1 it is overspent. None where it is not known, or there is none."""
        if self.used is None:
            return None
        if self.allowed <= 0:
            return None if self.used else 0.0
        return self.used / self.allowed

    @property
    def of_run(self) -> bool:
        """Whether it is about all measured requests, not a phase or a step."""
        return self.scope in _WHOLE_RUN


def room_words(value: float) -> str:
    """How many requests a budget has room for: whole where it is large, and then rounded down."""
    # A share of a whole number may be a hair below what it is.
    return f"{floor(value + 1e-9):,}" if value >= 10 else significant(value)


def objectives_of(document: LoadDocument) -> list[Objective]:
    """All thresholds that leave a budget, in the order of the profile."""
    found = [_objective(document, threshold) for threshold in document.thresholds]
    return [objective for objective in found if objective is not None]


def without_budget(document: LoadDocument) -> list[ThresholdResult]:
    """Thresholds that leave no budget: judged in windows, of a rate, or with a least."""
    return [one for one in document.thresholds if _objective(document, one) is None]


def _objective(document: LoadDocument, threshold: ThresholdResult) -> Objective | None:
    part = _part_of(document, threshold.scope)
    if part is None or not part.requests.completed:
        return None
    share = _SHARE.match(threshold.that)
    if share is not None:
        return _of_counts(part, threshold, share[1], share[2])
    percentile = _PERCENTILE.match(threshold.that)
    if percentile is not None:
        return _of_latency(document, part, threshold, float(percentile[1]) / 100, percentile[2])
    return None


def _part_of(document: LoadDocument, scope: str) -> Slice | LoadDocument | None:
    """What a threshold is about; None where it is judged in windows or not known here."""
    if scope in _WHOLE_RUN:
        return document
    kind, _, name = scope.partition(" ")
    parts: Sequence[Slice] = ()
    if kind == "phase":
        parts = document.phases
    elif kind == "step":
        parts = document.steps
    named = [part for part in parts if part.name == name]
    return named[0] if len(named) == 1 else None


def _of_counts(
    part: Slice | LoadDocument, threshold: ThresholdResult, measure: str, subject: str
) -> Objective | None:
    used = bad_of(part.outcomes, subject)
    if used is None:
        return None
    completed = part.requests.completed
    is_share = measure == "rate"
    allowed = threshold.limit * completed if is_share else threshold.limit
    if not is_share and "<=" not in threshold.that:
        allowed = max(allowed - 1, 0.0)
    return Objective(
        that=threshold.that,
        scope=threshold.scope,
        kind="share" if is_share else "count",
        subject=subject,
        whole=completed,
        allowed=allowed,
        used=float(used),
    )


def bad_of(outcomes: Outcomes, subject: str) -> int | None:
    """Requests that an objective calls bad; None where its subject is no outcome."""
    if subject == "failed":
        return sum(int(getattr(outcomes, name)) for name in ERROR_CLASSES)
    if subject in (*ERROR_CLASSES, "throttled"):
        return int(getattr(outcomes, subject))
    return None


def _of_latency(
    document: LoadDocument,
    part: Slice | LoadDocument,
    threshold: ThresholdResult,
    quantile: float,
    subject: str,
) -> Objective:
    found = {
        "response": part.response_ms,
        "ok_response": part.ok_response_ms,
        "service": part.service_ms,
    }[subject]
    whole = 0 if found is None else found.n
    return Objective(
        that=threshold.that,
        scope=threshold.scope,
        kind="latency",
        subject=subject,
        whole=whole,
        allowed=(1 - quantile) * whole,
        used=_slower(document, subject, threshold.limit) if part is document else None,
    )


def _slower(document: LoadDocument, subject: str, limit_ms: float) -> float | None:
    """Requests of the run that took longer, by its histograms: to within their 0.1 %."""
    histograms = document.histograms
    text = None if histograms is None else getattr(histograms, subject)
    if text is None:
        return None
    histogram = decoded(text)
    return float(histogram.counts[histogram.values_us > limit_ms * 1000].sum())
