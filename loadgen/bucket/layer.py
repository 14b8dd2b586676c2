"""Which layer a bucket belongs to, from whether other methods, stages and keys share it.

While the bucket is empty, requests that differ from the others in one factor are sent in between.
If they share the bucket they are admitted as rarely as the others; if not, nearly always. Both are
counted in the same window, so that neither rate nor burst need be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

Layer = Literal["account", "stage", "usage_plan", "method", "usage_plan_method", "unclear"]

# A bucket of one's own is fuller than the pulse is long; a few may be lost to other causes.
_OWN_SHARE = 0.95
# Odds of 20 to 1; below, the pulse is repeated.
CLEAR_LLR = 3.0

# By whether another method, another stage, another key shares the bucket.
_LAYERS: dict[tuple[bool, bool, bool], Layer] = {
    (True, True, True): "account",
    (True, False, True): "stage",
    (True, True, False): "usage_plan",
    (True, False, False): "usage_plan",  # a plan kept for each stage
    (False, False, True): "method",
    (False, False, False): "usage_plan_method",
}


@dataclass(frozen=True, slots=True)
class SharedTest:
    """Whether a differing request shares the bucket; None: not tested, or the odds are too even.

    `llr` is the logarithm of the likelihood of a bucket of its own over that of a shared one.
    """

    shared: bool | None
    llr: float


NOT_TESTED = SharedTest(None, 0.0)


@dataclass(frozen=True, slots=True)
class LayerFinding:
    """The layer of the bucket that binds, or "unclear" with the layers that it may be."""

    layer: Layer
    candidates: tuple[Layer, ...]


def shared_bucket(*, sent: int, admitted: int, base_sent: int, base_admitted: int) -> SharedTest:
    """Tell from pulses, and from the base requests of the same windows, if they share a bucket.

    Counts of several pulses of one factor may be added up. The base must be refused often: with
    three quarters of it admitted or more, nothing is concluded.
    """
    if not sent or not base_sent or base_admitted > 0.75 * base_sent:
        return NOT_TESTED
    share = min(0.9, max(0.02, base_admitted / base_sent))
    refused = sent - admitted
    llr = admitted * log(_OWN_SHARE / share) + refused * log((1 - _OWN_SHARE) / (1 - share))
    return SharedTest(None if abs(llr) < CLEAR_LLR else llr < 0, llr)


def layer_of(method: SharedTest, stage: SharedTest, key: SharedTest) -> LayerFinding:
    """The layer, from tests with another method, another stage and another key."""
    seen = (method.shared, stage.shared, key.shared)
    candidates = tuple(
        dict.fromkeys(
            layer
            for answers, layer in _LAYERS.items()
            if all(saw is None or saw == answer for saw, answer in zip(seen, answers, strict=True))
        )
    )
    layer: Layer = candidates[0] if len(candidates) == 1 else "unclear"
    return LayerFinding(layer, candidates)
