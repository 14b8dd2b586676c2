"""What a tuning was after, and how close the recommended size comes to it, in words."""

from __future__ import annotations

from reports.document import Recommendation, Slo
from reports.figures import SPACE, percent

_AIMS = {
    "cost": "the lowest cost",
    "speed": "the shortest duration",
    "balanced": "a balance of cost and duration",
    "slo": "the lowest cost within the limit",
    "knee": "the knee of cost and duration",
}
# What a regret is measured from, and what it is called.
_BESTS = {
    "cost": ("the cheapest size", "above it"),
    "speed": ("the fastest size", "slower"),
    "balanced": ("the best balance", "worse"),
    "slo": ("the cheapest size within the limit", "above it"),
    "knee": ("the balance at the knee", "off"),
}


def aim(taken: Recommendation) -> str:
    """The objective: the lowest cost, or a balance with its weight."""
    weight = "" if taken.weight is None else f" (weight of cost {taken.weight:g})"
    return _AIMS[taken.objective] + weight


def closeness(taken: Recommendation) -> str:
    """How far the size may be from the unknown best; empty where the document does not say.

    For example: expected within 1.2 % of the cheapest size, at most 5.0 % above it with 90 %.
    """
    if taken.regret_share is None:
        return ""
    best, worse = _BESTS[taken.objective]
    if taken.objective == "balanced" and taken.weight is not None:
        best += f" (weight of cost {taken.weight:g})"
    near = f"expected within {_at_least_a_tenth(taken.regret_share)} of {best}"
    if taken.regret_bound_share is None:
        return near
    bound = _at_least_a_tenth(max(taken.regret_bound_share, taken.regret_share))
    return f"{near}, at most {bound} {worse} with 90{SPACE}%"


def _at_least_a_tenth(share: float) -> str:
    """A small share, never rounded to a nothing that no samples can show."""
    return percent(max(share, 0.001))


def knee_claim(taken: Recommendation) -> str:
    """What makes a size the knee: beyond it, another 10 % of speed costs more than 10 %."""
    share = _step(taken.knee_share)
    return f"beyond it, another {share} of speed costs more than {share}"


def _step(share: float | None) -> str:
    return f"{(0.1 if share is None else share) * 100:.4g}{SPACE}%"


def limit_words(slo: Slo) -> str:
    """The limit as the user wrote it: p95 < 300 ms."""
    return f"p{slo.percentile:g} < {slo.limit_ms:,.6g}{SPACE}ms"
