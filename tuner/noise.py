"""How durations of one size scatter: Student's t in logarithms, its scale learned from few calls.

Durations of Lambda functions have heavier tails than log-normal ones: about a Student t with 2.5
degrees of freedom, in logarithms. With two or three calls at a size its scale cannot be told from
them alone, so all sizes are looked at together, around what functions of that duration usually do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tuner.estimate import Floats


DEGREES_OF_FREEDOM = 2.5
# The information that one such draw carries of its centre is that of a normal one with so much
# times its squared scale: (dof + 3) / (dof + 1).
VARIANCE_FACTOR = (DEGREES_OF_FREEDOM + 3) / (DEGREES_OF_FREEDOM + 1)
# A robust sigma (1.4826 x median absolute deviation) of t with 2.5 degrees of freedom at scale 1.
ROBUST_SIGMA_OF_T = 1.156

# Short functions scatter more: a millisecond of scheduling is much of 10 ms and nothing of 10 s.
_USUAL_AT_MS = (1.0, 5.0, 200.0, 1000.0, 8000.0)
_USUAL_SIGMA = (0.28, 0.10, 0.08, 0.04, 0.028)
# Below one vCPU the 20 ms periods of the CPU quota make short functions scatter more still.
_QUOTA_BELOW_MB, _QUOTA_EXPONENT = 1024.0, 0.35
_QUOTA_UP_TO_MS, _QUOTA_GONE_MS = 150.0, 600.0
# The usual scale counts as so many observations, for all sizes together and for each alone.
_COMMON_WEIGHT, _OWN_WEIGHT = 3.0, 1.5


def usual_scale(memory_mb: Floats, duration_ms: Floats) -> Floats:
    """The scale of t that functions of such durations usually have at such sizes."""
    logs = np.log(np.maximum(duration_ms, 1e-3))
    sigma = np.exp(np.interp(logs, np.log(_USUAL_AT_MS), np.log(_USUAL_SIGMA)))
    span = math.log(_QUOTA_GONE_MS / _QUOTA_UP_TO_MS)
    felt = np.clip((math.log(_QUOTA_GONE_MS) - logs) / span, 0.0, 1.0)
    quota = np.maximum(_QUOTA_BELOW_MB / memory_mb, 1.0) ** (_QUOTA_EXPONENT * felt)
    return np.asarray(sigma / ROBUST_SIGMA_OF_T * quota)


def scales(usual: Floats, squares: Floats, counts: Floats) -> tuple[Floats, float]:
    """The scale at each size from the weighted squares around its mean; and how unusual it is.

    The second value is the factor by which variances differ from the usual ones, the same for all
    sizes of a function; it also scales what is expected at sizes without samples.
    """
    free = np.maximum(counts - 1, 0)
    factor = (_COMMON_WEIGHT + float((squares / usual**2).sum())) / (
        _COMMON_WEIGHT + float(free.sum())
    )
    own = (_OWN_WEIGHT * factor * usual**2 + squares) / (_OWN_WEIGHT + free)
    return np.sqrt(own), factor


def weights(residuals: Floats, variance: Floats, scale: Floats) -> Floats:
    """How much each observation counts, given its residual: the EM weights of Student's t.

    `variance` is that of the centre, which the residuals are taken from.
    """
    dof = DEGREES_OF_FREEDOM
    return np.asarray((dof + 1) / (dof + (residuals**2 + variance) / scale**2))


def log_likelihood(residuals: Floats) -> Floats:
    """The log density of residuals in units of the scale, up to a constant."""
    dof = DEGREES_OF_FREEDOM
    return np.asarray(-(dof + 1) / 2 * np.log1p(residuals**2 / dof))
