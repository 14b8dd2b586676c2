"""How long the function behind each step runs: given on the command line, in the profile, or read.

Where nobody says it, it is unknown: then so is what follows from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.aws.function_durations import PastDurations
from core.errors import InputError
from core.located_model import did_you_mean
from core.quantities import duration_s
from loadgen.limits import Limits
from loadgen.steps import StepInfo

# Of the standard normal distribution.
_Z99 = 2.3263478740408408


@dataclass(frozen=True, slots=True)
class StepDuration:
    """The time that a function runs for a step, in milliseconds; percentiles are None if unknown.

    Starts of environments (INIT) are not in it.
    """

    mean_ms: float
    p50_ms: float | None
    p99_ms: float | None
    source: str

    def draws_s(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """`n` durations in seconds: log-normal by p50 and p99 with this mean, else all the mean.

        A loss system of Poisson arrivals refuses by the mean alone, whatever the distribution
        (Erlang's B formula is insensitive to it; Sevastyanov 1957).
        """
        mean_s = self.mean_ms / 1000
        if not self.p50_ms or not self.p99_ms or self.p99_ms <= self.p50_ms:
            return np.full(n, mean_s)
        sigma = math.log(self.p99_ms / self.p50_ms) / _Z99
        # A mean of 1 for any sigma; the measured mean is what concurrency follows from.
        return np.asarray(mean_s * np.exp(sigma * rng.standard_normal(n) - sigma**2 / 2))


def given_durations(options: Sequence[str], steps: Sequence[StepInfo]) -> dict[str, float]:
    """Seconds by the name of the step, of options such as `GET /orders=120ms`.

    Raises:
        InputError: an option is no step and duration.
    """
    names = {step.name for step in steps}
    found: dict[str, float] = {}
    for option in options:
        name, equals, text = option.rpartition("=")
        if not equals:
            raise InputError(f"--duration {option}: must be STEP=DURATION, as in GET /x=120ms")
        if name not in names:
            hint = did_you_mean(name, names).strip(" ()") or None
            raise InputError(f"--duration {option}: there is no step of this name", hint=hint)
        try:
            value_s = _seconds(text)
        except (ValueError, TypeError) as error:
            message = f"--duration {option}: must end in a duration such as 120ms (got {text!r})"
            raise InputError(message) from error
        if name in found:
            raise InputError(f"--duration {option}: the step has one already")
        found[name] = value_s
    return found


def _seconds(text: str) -> float:
    value = duration_s(float(text) if text.replace(".", "", 1).isdigit() else text)
    if not isinstance(value, float):
        raise TypeError(text)
    return value


def step_durations(
    steps: Sequence[StepInfo],
    given: Mapping[str, float],
    of_profile: Mapping[str, float],
    limits: Limits,
    history: Mapping[tuple[str, str | None], PastDurations],
) -> tuple[StepDuration | None, ...]:
    """The duration of each step; options go before the profile, and that before the history.

    A step without a function has none: nothing of Lambda runs for it.
    """
    paths = {path.step: path for path in limits.steps}
    found: list[StepDuration | None] = []
    for step in steps:
        path = paths.get(step.index)
        if step.name in given:
            found.append(StepDuration(given[step.name] * 1000, None, None, "--duration"))
        elif step.name in of_profile:
            found.append(StepDuration(of_profile[step.name] * 1000, None, None, "profile"))
        elif path is not None and path.function is not None:
            past = history.get((path.function, path.qualifier))
            found.append(
                None
                if past is None
                else StepDuration(past.mean_ms, past.p50_ms, past.p99_ms, past.source)
            )
        else:
            found.append(None)
    return tuple(found)
