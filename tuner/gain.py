"""What another call would be worth: the knowledge gradient, for each unit of price; pure.

For a size and a number of calls, answers are imagined from what is believed now, and the beliefs
are weighed anew by each. The gain is by how much the then best choice is expected to be better
than the one of now. Calls are then made where the gain for each unit of price is greatest.

Source: Frazier, Powell and Dayanik, "A Knowledge-Gradient Policy for Sequential Information
Collection", SIAM J. Control Optim. 47 (2008); here by importance weights over joint draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.beliefs import Beliefs
from tuner.effort import USUAL_DRAWS, Effort
from tuner.noise import VARIANCE_FACTOR

if TYPE_CHECKING:
    from tuner.estimate import Floats

_FANTASIES = 48
# Of more draws a part, evenly spaced, takes as good a look in a fraction of the time.
_DRAWS_LOOKED_AT = USUAL_DRAWS
_AT_MOST_CANDIDATES = 8
# Among draws that differ by less than so much of their spread, an answer does not decide.
_SMOOTHING = 0.15


@dataclass(frozen=True, slots=True)
class Next:
    """The size to call next, how many warm calls there were thought of, and what they are worth.

    `gain_share` is by how much the regret of the choice is expected to fall, as a share, for each
    call, or for what costs as much as one at the size that looks best.
    """

    memory_mb: int
    calls: int
    gain_share: float


def best_next(
    beliefs: Beliefs,
    regret: Floats,
    cost_usd: Floats,
    best: int,
    warm_calls: Mapping[int, int],
    effort: Effort,
    rng: np.random.Generator,
) -> Next:
    """Where further calls gain most for their price.

    `regret` is (S, G), `cost_usd` (G) the expected price of a call at each size, `best` the column
    of the choice of now. A size without warm calls costs one call more: its first one is cold.
    """
    part = slice(None, None, max(1, len(regret) // _DRAWS_LOOKED_AT))
    regret, logs = regret[part], np.log(beliefs.duration_ms[part])
    # One set of imagined truths and of random numbers for all sizes: differences are less noisy.
    truths = rng.choice(len(regret), size=min(_FANTASIES, len(regret)), replace=False)
    normals = rng.standard_normal(len(truths))
    rated = []
    now = int(regret.mean(axis=0).argmin())
    for column in _worth_a_look(regret, now):
        size = beliefs.sizes_mb[column]
        extra = 0 if warm_calls.get(size) else 1
        own = logs[:, column]
        smoothing = (_SMOOTHING * float(own.std())) ** 2
        of_a_call = 1 + effort.bill_weight * (cost_usd[column] / cost_usd[best] - 1)
        for calls in effort.calls_weighed:
            variance = VARIANCE_FACTOR * beliefs.noise[column] ** 2 / calls
            answers = own[truths] + np.sqrt(variance) * normals
            gain = _gain(own, regret, now, answers, truths, variance + smoothing)
            rated.append((gain / ((calls + extra) * of_a_call), size, calls))
    gain_share, size, calls = max(rated)
    return Next(size, calls, float(gain_share))


def _worth_a_look(regret: Floats, now: int) -> Sequence[int]:
    """The columns that may be better than `now`, the best one, which is the first; at most eight.

    Ranked by what knowing all about a size would gain, which is more than calls at it can: not by
    how good it is expected to be, so that a size that is likely bad and may be best has its turn.
    """
    most_gain = np.maximum(regret[:, [now]] - regret, 0).mean(axis=0)
    most_gain[now] = np.inf
    ranked = np.argsort(-most_gain)[:_AT_MOST_CANDIDATES]
    return [int(column) for column in ranked if most_gain[column] > 0]


def _gain(
    logs: Floats, regret: Floats, now: int, answers: Floats, truths: np.ndarray, width: float
) -> float:
    """By how much the best choice after an answer is expected to beat the choice before it.

    `width` is the variance of an answer around a draw.
    """
    fit = answers[:, None] - logs[None, :]
    np.square(fit, out=fit)
    fit *= -0.5
    fit /= max(width, 1e-12)
    # The draw that an answer was imagined from must not vouch for itself.
    fit[np.arange(len(truths)), truths] = -np.inf
    fit -= fit.max(axis=1, keepdims=True)
    weight = np.exp(fit, out=fit)
    weight /= weight.sum(axis=1, keepdims=True)
    expected = weight @ regret
    return float((expected[:, now] - expected.min(axis=1)).mean())
