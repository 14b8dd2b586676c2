"""The parts of a group of requests: of those around the median, and of the slowest 1 %.

A group has means of parts, which add up to its mean response time; percentiles of parts would be
of different requests each, and add up to nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from loadgen.waterfall.split import Floats, Split
from reports.load_waterfall import LABELS, PartName, TimeGroup, TimePart

Rows = NDArray[np.intp]

# Wide enough that one odd request does not stand for the median, narrow enough to be about it.
_MEDIAN_FROM, _MEDIAN_TO = 0.45, 0.55
_SLOWEST_SHARE = 0.01
# The requests with log lines may be others than those without, so most must have one.
_LEAST_MATCHED_SHARE = 0.5

_Names = tuple[PartName, ...]
# What is one part, called as the first, where REPORT lines lack, and where log lines do.
_INSIDE: _Names = ("integration_function", "integration", "init", "handler")
_BEHIND: _Names = (
    "network_api_function",
    "network",
    "network_api",
    "gateway",
    "authorizer",
    "gateway_function",
    *_INSIDE,
)

_ORDER = {name: place for place, name in enumerate(LABELS)}
_DIGITS = 4  # of milliseconds: the client counts microseconds


def by_response(response_ms: Floats, rows: Rows) -> Rows:
    """`rows` from the quickest to the slowest."""
    return np.asarray(rows[np.argsort(response_ms[rows], kind="stable")], np.intp)


def median_of(ordered: Rows) -> Rows:
    """Those between p45 and p55; at least one."""
    n = len(ordered)
    begin = min(math.floor(_MEDIAN_FROM * n), (n - 1) // 2)
    return ordered[begin : max(math.ceil(_MEDIAN_TO * n), begin + 1)]


def slowest_of(ordered: Rows) -> Rows:
    """The slowest 1 %; at least one."""
    return ordered[-max(1, round(_SLOWEST_SHARE * len(ordered))) :]


def group_of(found: Split, rows: Rows) -> TimeGroup:
    """The parts of `rows`, which are in order and not empty.

    Where most requests have their log lines, the parts are of these alone: the others would look
    as if they had no handler. Where not, nothing is split beyond what is known of all, or of most:
    lines of the access log may be there and REPORT lines not.
    """
    response_ms = found.response_ms[rows]
    unmatched = found.unmatched[rows]
    used, joined = rows, _BEHIND
    for missing, inside in ((unmatched, ()), (found.unlogged[rows], _INSIDE)):
        matched = rows[~missing]
        if len(matched) >= _LEAST_MATCHED_SHARE * len(rows):
            used, joined = matched, inside
            break
    mean_ms = float(found.response_ms[used].mean())
    parts = _joined(mean_parts(found, used), joined)
    return TimeGroup(
        requests=len(rows),
        from_ms=_rounded(response_ms[0]),
        to_ms=_rounded(response_ms[-1]),
        group_ms=_rounded(response_ms.mean()),
        split=len(used),
        response_ms=_rounded(mean_ms),
        parts=time_parts(parts, mean_ms),
        residual_ms=residual_ms(parts, mean_ms),
        unmatched_share=float(unmatched.mean()) if found.looked_up else None,
        ran_on=int(found.ran_on[used].sum()),
    )


def mean_parts(found: Split, rows: Rows) -> dict[PartName, float]:
    """The mean of each part that is known of at least one request, in ms.

    A request without a part counts as 0 in its mean, as its time is in another part: so the sum of
    the means is the mean response time.
    """
    means = {}
    for name, column in found.parts.items():
        values = column[rows]
        known = ~np.isnan(values)
        if known.any():
            means[name] = float(values[known].sum()) / len(rows)
    return means


def _joined(means: dict[PartName, float], names: _Names) -> dict[PartName, float]:
    """`means` with the parts `names` as one, under the first of them."""
    parts = [means[name] for name in names if name in means]
    kept = {name: value for name, value in means.items() if name not in names}
    return kept | {names[0]: sum(parts)} if parts else kept


def time_parts(
    means: dict[PartName, float], mean_ms: float, from_metrics: frozenset[PartName] = frozenset()
) -> list[TimePart]:
    """Parts as documents have them: what comes out below zero is nothing, the residual has it."""
    return [
        TimePart(
            part=name,
            mean_ms=_rounded(max(value, 0.0)),
            share=round(max(value, 0.0) / mean_ms, 6) if mean_ms > 0 else 0.0,
            from_metrics=name in from_metrics,
        )
        for name, value in sorted(means.items(), key=lambda item: _ORDER[item[0]])
    ]


def residual_ms(means: dict[PartName, float], mean_ms: float) -> float:
    """What the parts, none of them below zero, leave of a mean response time."""
    return _rounded(mean_ms - sum(max(value, 0.0) for value in means.values()))


def _rounded(value_ms: float) -> float:
    return round(float(value_ms), _DIGITS) + 0.0  # never -0.0
