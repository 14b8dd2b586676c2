"""The result of a threshold in words."""

from __future__ import annotations

from reports.figures import SPACE, decimals_for, fixed, milliseconds, significant
from reports.load_document import ThresholdResult

NOT_JUDGED = "not judged"
# The detail of a threshold that cannot be judged before more of a run is known.
NOT_YET = "not yet"


def state_word(result: ThresholdResult) -> str:
    """Whether a threshold holds, never by colour alone."""
    if result.aborted:
        return "ended the run"
    if result.ok is None:
        # Where nothing is measured, that stands in the place of the value.
        return NOT_YET if result.detail == NOT_YET and result.value is not None else NOT_JUDGED
    return "holds" if result.ok else "does not hold"


def measured_words(result: ThresholdResult) -> str:
    """What was measured, with its unit, to enough digits to tell it from the limit."""
    if result.value is None:
        return result.detail or "nothing measured"
    match result.unit:
        case "ms":
            return milliseconds(result.value)
        case "share":
            return f"{_beside(result.value * 100, result.limit * 100)}{SPACE}%"
        case "rps":
            return f"{significant(result.value)}/s"
        case "count":
            return f"{result.value:,.0f}"


def _beside(value: float, limit: float) -> str:
    """`value` with the decimals that its limit has, and more while they look the same."""
    if value == 0:
        return "0"
    decimals = min(decimals_for(limit, 2), 6) if limit else 2
    while decimals < 6 and value != limit and fixed(value, decimals) == fixed(limit, decimals):
        decimals += 1
    return fixed(value, decimals)
