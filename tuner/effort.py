"""How much an adaptive plan does before it knows enough; pure.

The figures were chosen by `benchmarks/tuner_regret.py`; docs/method.md has what they come to.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuner.grid import USUAL_STEP_RATIO

# Here and not in `tuner/beliefs.py`: plans name the efforts before numpy is loaded.
USUAL_DRAWS = 512


@dataclass(frozen=True, slots=True)
class Effort:
    """When to stop, and how further calls are weighed.

    It stops after `most_calls` of all kinds; when the expected regret is below `target_share`; or
    when a call is expected to lower it by less than `least_gain_share`: where calls scatter a lot,
    or many sizes are nearly as good, no number of calls would reach the target.

    `calls_weighed` are the numbers of further calls at a size that are thought of: one may change
    nothing where four would. A call costs its share of the bill, by `bill_weight`, and the rest
    for being a call: time, side effects, patience.

    Neighbouring candidates may be as near to each other as `least_step_ratio` (`tuner/grid.py`).

    Sizes are compared in so many `draws` of the curve: the nearer to each other the sizes are that
    must be told apart, the more it takes.
    """

    most_calls: int
    target_share: float
    least_gain_share: float = 0.0
    calls_weighed: tuple[int, ...] = (1, 4)
    bill_weight: float = 0.8
    least_step_ratio: float = USUAL_STEP_RATIO
    draws: int = USUAL_DRAWS


DEFAULT = Effort(most_calls=55, target_share=0.025)
THOROUGH = Effort(
    most_calls=400,
    target_share=0.004,
    least_gain_share=1.0e-5,
    calls_weighed=(1, 4, 16, 64),
    bill_weight=0.0,
    least_step_ratio=1.04,
    draws=3 * USUAL_DRAWS,
)
