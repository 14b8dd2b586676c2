"""Who refused, by what the refusals themselves say: API Gateway, the application, or Lambda.

A limit of the application is no layer of API Gateway, however much it looks like a token bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from loadgen.bucket.finding import BucketFinding, Range
from loadgen.bucket.observation import Observation
from loadgen.outcome import GATEWAY_THROTTLES, Cause

# `unknown`: nothing in the refusals says who made them; `several`: they are of more than one.
Refuser = Literal["gateway", "application", "lambda_concurrency", "unknown", "several"]
_OF_CAUSE: Mapping[Cause, Refuser] = {
    Cause.APPLICATION: "application",
    Cause.LAMBDA_CONCURRENCY: "lambda_concurrency",
    **dict.fromkeys(GATEWAY_THROTTLES, "gateway"),
}
# A few others among them change no figure by more than what the intervals leave open.
_CLEAR_SHARE = 0.98
# Behind API Gateway: no other method, key or stage tells anything of it.
INSIDE: frozenset[Refuser] = frozenset({"application", "lambda_concurrency"})


def refuser_of(causes: Mapping[Cause, int]) -> Refuser | None:
    """Whose refusals these are; None where nothing was refused."""
    counts: dict[Refuser, int] = {}
    for cause, count in causes.items():
        name = _OF_CAUSE.get(cause, "unknown")
        counts[name] = counts.get(name, 0) + count
    if not counts:
        return None
    main = max(counts, key=lambda one: counts[one])
    return main if counts[main] >= _CLEAR_SHARE * sum(counts.values()) else "several"


def as_refused(
    found: BucketFinding, refuser: Refuser | None, observation: Observation
) -> BucketFinding:
    """`found`, as far as it goes with who refused.

    Refusals for concurrency have no rate of their own; two limits at once are not one bucket.
    """
    if found.kind == "no_refusal" or refuser not in ("several", "lambda_concurrency"):
        return found
    if refuser == "several":
        return replace(
            found,
            kind="poorly_kept",
            rate_rps=_loose(found.rate_rps),
            burst=_loose(found.burst),
            reasons=("the refusals are of several limits: their answers differ",),
        )
    return replace(
        found,
        kind="concurrency",
        rate_rps=None,
        burst=None,
        limit=_under_way(observation),
        window_s=None,
        reasons=("the refusals say that too many requests were under way at once",),
    )


def _loose(found: Range | None) -> Range | None:
    if found is None:
        return None
    return Range(None, min(found.low, 0.5 * (found.value or found.low)), None, calibrated=False)


def _under_way(observation: Observation) -> float | None:
    """How many admitted requests were under way when others were refused, the median."""
    came, send_s = observation.admitted, observation.send_s
    if came.all() or not came.any():
        return None
    begun = np.sort(send_s[came])
    ended = np.sort(send_s[came] + observation.rtt_s[came])
    refused_s = send_s[~came]
    under_way = np.searchsorted(begun, refused_s) - np.searchsorted(ended, refused_s)
    return float(np.median(under_way))
