"""Curves of duration against memory: five families, the best one chosen by sizes it has not seen.

The only place where the tuner fits with scipy; pure. No family is trusted beforehand: real curves
saturate at one vCPU, are flat, or fall more steeply than 1/m at the small end. Fits are relative
(residuals of logarithms), since a 5 % error matters alike at 50 ms and at 5 s. No curve is read
outside of the measured sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from core.aws.limits import MEMORY_PER_VCPU_MB
from tuner.estimate import Floats

Shape = Callable[[Floats, Floats], Floats]

# Differences below this are below what hosts differ by, so no point is trusted more than this.
_RELATIVE_ERROR_FLOOR = 0.01
# A family with more parameters must predict better by this much: else the simpler one stands.
_SIMPLER_WINS_SHARE = 0.10
_SIMPLER_WINS_ABSOLUTE = 0.002
_EXPONENT_LIMIT = 60.0
# Directions in which the data say nothing (a wait of nearly 0) would be followed for ever.
_MAX_EVALUATIONS = 400
_REFIT_EVALUATIONS = 150


@dataclass(frozen=True, slots=True)
class Family:
    """One form that a curve can take.

    `shape(memory_mb, logs)` gives milliseconds; `logs` are the logarithms of its parameters, which
    keeps every parameter positive. `starts` are guesses for the parameters that shape the curve,
    beside the two that scale it.
    """

    name: str
    formula: str
    parameters: tuple[str, ...]
    shape: Shape
    starts: tuple[tuple[float, ...], ...]

    @property
    def size(self) -> int:
        """How many parameters the data must settle."""
        return len(self.parameters)


def _positive(logs: Floats) -> Floats:
    # np.clip gives the same by way of Python, which took a seventh of the time of a fit.
    inside = np.minimum(np.maximum(logs, -_EXPONENT_LIMIT), _EXPONENT_LIMIT)
    return np.asarray(np.exp(inside), dtype=np.float64)


def _flat(memory_mb: Floats, logs: Floats) -> Floats:
    return np.full_like(memory_mb, _positive(logs)[0])


def _inverse(memory_mb: Floats, logs: Floats) -> Floats:
    wait, work = _positive(logs)
    return np.asarray(wait + work / memory_mb, dtype=np.float64)


def _saturating(memory_mb: Floats, logs: Floats) -> Floats:
    wait, work, knee = _positive(logs)
    return np.asarray(wait + work / np.minimum(memory_mb, knee), dtype=np.float64)


def _power(memory_mb: Floats, logs: Floats) -> Floats:
    wait, work, exponent = _positive(logs)
    return np.asarray(wait + work * (memory_mb / 1024) ** -min(exponent, 8.0), dtype=np.float64)


def _exponential(memory_mb: Floats, logs: Floats) -> Floats:
    floor, height, decay = _positive(logs)
    return np.asarray(floor + height * np.exp(-memory_mb / max(decay, 1.0)), dtype=np.float64)


# Ordered by how much they assume: of equally good ones the first stands.
FAMILIES: tuple[Family, ...] = (
    Family("flat", "a", ("a",), _flat, ((),)),
    Family("inverse", "a + b / m", ("a", "b"), _inverse, ((),)),
    Family(
        "saturating",
        "a + b / min(m, k)",
        ("a", "b", "k"),
        _saturating,
        # One vCPU, where a single thread stops gaining, and knees on either side of it.
        tuple((float(knee),) for knee in (MEMORY_PER_VCPU_MB * 0.45, MEMORY_PER_VCPU_MB, 3538)),
    ),
    Family("power", "a + b (m / 1024)^-p", ("a", "b", "p"), _power, ((0.7,), (1.2,), (2.0,))),
    Family(
        "exponential",
        "a + b exp(-m / c)",
        ("a", "b", "c"),
        _exponential,
        ((150.0,), (600.0,), (2000.0,)),
    ),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted family."""

    family: Family
    logs: tuple[float, ...]

    def predict(self, memory_mb: Floats | Sequence[float]) -> Floats:
        """Milliseconds at each size."""
        return self.family.shape(
            np.asarray(memory_mb, dtype=np.float64), np.asarray(self.logs, dtype=np.float64)
        )

    @property
    def parameters(self) -> Mapping[str, float]:
        """The parameters by name, in ms and MB."""
        values = _positive(np.asarray(self.logs))
        return {
            name: float(value) for name, value in zip(self.family.parameters, values, strict=True)
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """The curve that predicts unseen sizes best, and how well each family did.

    `loo_errors` holds, by family name, the root mean square of log(predicted / measured) when one
    size at a time is left out; None where there are too few sizes to tell.
    """

    curve: Curve
    loo_error: float | None
    loo_errors: Mapping[str, float | None]


def fit(
    family: Family,
    memory_mb: Floats,
    typical_ms: Floats,
    relative_error: Floats,
    *,
    start: Sequence[float] | None = None,
) -> Curve | None:
    """`family` fitted to typical durations; None when there are fewer sizes than parameters.

    `relative_error` is the standard error of each logarithm; `start` (logs) replaces the family's
    own guesses.
    """
    if len(memory_mb) < family.size:
        return None
    weights = 1 / np.hypot(relative_error, _RELATIVE_ERROR_FLOOR)
    logs_ms = np.log(typical_ms)

    def residuals(logs: Floats) -> Floats:
        predicted = family.shape(memory_mb, logs)
        return np.asarray(weights * (np.log(np.maximum(predicted, 1e-12)) - logs_ms))

    if start is None:
        guesses, evaluations = _guesses(family, memory_mb, typical_ms), _MAX_EVALUATIONS
    else:
        guesses, evaluations = [np.asarray(start)], _REFIT_EVALUATIONS
    # MINPACK's lmdif takes its differences in compiled code: ten times faster on six points than
    # least_squares. With full_output it leaves it to the caller whether a limit matters.
    solutions = [
        optimize.leastsq(
            residuals, guess, ftol=1e-6, xtol=1e-6, maxfev=evaluations, full_output=True
        )[0]
        for guess in guesses
    ]
    best = min(solutions, key=lambda logs: float(np.sum(residuals(logs) ** 2)))
    return Curve(family, tuple(float(value) for value in best))


def _guesses(family: Family, memory_mb: Floats, typical_ms: Floats) -> list[Floats]:
    """Starting points: the slowest and the fastest size settle what scales the curve."""
    fastest, slowest = float(typical_ms.min()), float(typical_ms.max())
    if family.size == 1:
        return [np.log([float(np.median(typical_ms))])]
    guesses = []
    for shape in family.starts:
        logs = [math.log(fastest * 0.5), 0.0, *(math.log(value) for value in shape)]
        # The second parameter multiplies a known shape: make it reach the slowest size.
        unit = float(family.shape(memory_mb, np.asarray(logs))[0]) - fastest * 0.5
        logs[1] = math.log(max(slowest - fastest * 0.5, 1e-6) / max(unit, 1e-9))
        guesses.append(np.asarray(logs))
    return guesses


def choose(memory_mb: Floats, typical_ms: Floats, relative_error: Floats) -> Choice | None:
    """The family that predicts left-out sizes best, fitted to all; None below three sizes."""
    if len(memory_mb) < 3:
        return None
    scores = {
        family.name: _leave_one_out(family, memory_mb, typical_ms, relative_error)
        for family in FAMILIES
    }
    known = [score for score in scores.values() if score is not None]
    allowed = min(known) * (1 + _SIMPLER_WINS_SHARE) + _SIMPLER_WINS_ABSOLUTE
    winner = next(
        family
        for family in FAMILIES
        if (score := scores[family.name]) is not None and score <= allowed
    )
    curve = fit(winner, memory_mb, typical_ms, relative_error)
    return None if curve is None else Choice(curve, scores[winner.name], scores)


def _leave_one_out(
    family: Family, memory_mb: Floats, typical_ms: Floats, relative_error: Floats
) -> float | None:
    if len(memory_mb) <= family.size:
        return None
    errors = []
    for left_out in range(len(memory_mb)):
        seen = np.arange(len(memory_mb)) != left_out
        curve = fit(family, memory_mb[seen], typical_ms[seen], relative_error[seen])
        if curve is None:
            return None
        predicted = float(curve.predict(memory_mb[~seen])[0])
        errors.append(math.log(max(predicted, 1e-12) / float(typical_ms[left_out])))
    return math.sqrt(sum(error**2 for error in errors) / len(errors))


def refit(curve: Curve, memory_mb: Floats, typical_ms: Floats, relative_error: Floats) -> Curve:
    """The same family fitted to other typical durations, from where `curve` ended."""
    again = fit(curve.family, memory_mb, typical_ms, relative_error, start=curve.logs)
    return again or curve
