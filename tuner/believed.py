"""What the samples allow to believe of calls at all sizes: warm, cold, and as they are mixed; pure.

The one place that the sampler, while it measures, and the answer, afterwards, both ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.beliefs import Beliefs, believe
from tuner.choice import choose
from tuner.cold import cold_by_size
from tuner.cold_mix import Calls, ColdCalls, believe_cold, with_cold
from tuner.effort import USUAL_DRAWS
from tuner.objective import regrets
from tuner.payload_effects import PayloadEffects, payload_effects
from tuner.sample import Sample, warm_durations
from tuner.worth import Worth

if TYPE_CHECKING:
    from tuner.estimate import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Believed:
    """Joint draws at the same sizes (S, G).

    `warm` are calls of a warm environment, `cold` those that start one, `mix` the mean over both
    that the objective goes by: the warm ones alone where no share of cold calls is known. With
    several payloads all of them are means over these, by `effects`, and `samples` are as if each
    call were such a mean.
    """

    beliefs: Beliefs
    warm: Calls
    cold: ColdCalls | None
    mix: Calls
    samples: tuple[Sample, ...]
    effects: PayloadEffects | None = None

    def regrets(self, worth: Worth) -> Floats:
        """By how much each size is worse than the best of its draw, as a share."""
        return regrets(worth.goal, self.mix.cost_usd, self.mix.latency_ms)

    def choice(self, worth: Worth, today_mb: int | None) -> int:
        """The column of the size to take, when `today_mb` is today's."""
        sizes = self.beliefs.sizes_mb
        today = sizes.index(today_mb) if today_mb is not None and today_mb in sizes else None
        return choose(worth.goal, self.mix.cost_usd, self.mix.latency_ms, today=today)


def believed(
    samples: Sequence[Sample],
    sizes_mb: Sequence[int],
    worth: Worth,
    rng: np.random.Generator,
    *,
    draws: int = USUAL_DRAWS,
    of_the_level: bool = False,
) -> Believed:
    """What the samples at `sizes_mb` say of all of them; at least one must be warm.

    With `of_the_level` the draws have what is not known of payloads as well: it is the same at all
    sizes, so that it matters for figures, and not for which size is the best.
    """
    sizes = tuple(sizes_mb)
    effects = payload_effects(samples, worth.payload_weights)
    if effects is not None:
        samples = effects.adjusted(samples)
    first_ms = {
        size: [
            s.duration_ms
            for s in found
            if s.duration_ms is not None and (effects is None or effects.knows(s))
        ]
        for size, found in cold_by_size(samples).items()
    }
    warm_ms = warm_durations(samples, sizes)
    beliefs = believe(warm_ms, sizes, rng, draws, cold_ms=first_ms)
    if effects is not None and of_the_level:
        level = effects.level_draws(rng, len(beliefs.duration_ms))
        beliefs = replace(beliefs, duration_ms=beliefs.duration_ms * level[:, None])
    cost = worth.cost_usd(sizes, worth.billed_ms(beliefs.duration_ms))
    warm = Calls(sizes, cost, beliefs.duration_ms)
    cold = None
    if worth.cold_share is not None:
        cold = believe_cold(samples, sizes, worth.cost_usd, rng, runtime=worth.runtime, draws=draws)
    mix = warm
    if cold is not None and worth.cold_share is not None:
        mix = with_cold(warm, cold, worth.cold_share)
    return Believed(beliefs, warm, cold, mix, tuple(samples), effects)
