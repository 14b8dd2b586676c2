"""Whether further runs of the same night agree with a suspected change.

What made a figure suspected is luck as often as not, so that its first value does not count again:
only the further runs do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log1p, sqrt
from statistics import fmean, stdev

from reports.quantile_bounds import student_above, student_quantile
from reports.regression.relative import Judgement
from reports.regression.series import Observation

# One-sided. What is suspected at first is rare already; this only has to tell luck from a change.
_ERROR = 0.05
# Of the floor: what each rerun needs, and their mean where another night was as high.
OF_EACH = 0.5
_OF_TWO_NIGHTS = 0.75
# Pairs that agree better than this would be an accident: histograms are within 0.1 %.
_FINEST = 0.0005
FEWEST_PAIRS = 4


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What further runs say: `change` in ln, its 90 % interval, and p of no change, one-sided.

    `paired`: beside the baseline's version, so that the platform of the night does not matter.
    """

    confirmed: bool
    change: float
    interval: tuple[float, float]
    p_value: float
    words: str
    paired: bool = False


def confirm_by_reruns(
    judgement: Judgement, reruns: Sequence[Observation], floor_share: float
) -> Confirmation:
    """By plain reruns: their mean lies above the floor, and where a night rarely lies.

    All of them share what is particular about this night, so that their mean is taken to be no
    surer than one night. None may lie below half of the floor: what comes and goes within a night
    is the platform. Where two nights agreed already, three quarters of the floor are enough.

    Raises:
        ValueError: there is no rerun, or the figure was not judged.
    """
    if not reruns or judgement.center is None or judgement.freedom is None:
        raise ValueError("only a judged figure that was run again can be confirmed")
    values = [rerun.y - judgement.center for rerun in reruns]
    change, scale, floor = fmean(values), judgement.error or 0.0, log1p(floor_share)
    needed = floor * (_OF_TWO_NIGHTS if judgement.two_nights else 1.0)
    reach = student_quantile(1 - 2 * _ERROR, judgement.freedom) * scale
    p_value = student_above(change / scale, judgement.freedom)
    confirmed = change >= needed and min(values) >= floor * OF_EACH and p_value <= _ERROR
    runs = "1 rerun" if len(values) == 1 else f"{len(values)} reruns"
    each = ", ".join(_percent(value) for value in values)
    verb = "agree" if confirmed else "do not agree"
    verb = verb if len(values) > 1 else ("agrees" if confirmed else "does not agree")
    words = f"{runs} {verb}: {each}"
    return Confirmation(confirmed, change, (change - reach, change + reach), p_value, words)


def confirm_by_pairs(pairs: Sequence[tuple[float, float]], floor_share: float) -> Confirmation:
    """By A/B blocks: pairs of ln(value) of the baseline's version and of the newer one.

    The platform of the night is the same for both of a pair, and cancels. Confirmed where the
    difference is surely above nothing, and half of the floor at least: the floor itself was passed
    by the suspicion, and against another version it is another difference.

    Raises:
        ValueError: there are fewer than four pairs.
    """
    if len(pairs) < FEWEST_PAIRS:
        raise ValueError(f"at least {FEWEST_PAIRS} pairs are needed (got {len(pairs)})")
    differences = [after - before for before, after in pairs]
    n, change = len(differences), fmean(differences)
    scale = max(stdev(differences) / sqrt(n), _FINEST)
    reach = student_quantile(1 - 2 * _ERROR, n - 1) * scale
    p_value = student_above(change / scale, n - 1)
    confirmed = change >= log1p(floor_share) / 2 and p_value <= _ERROR
    words = (
        f"{n} pairs against the baseline's version {'agree' if confirmed else 'do not agree'}: "
        f"{_percent(change)} (90 % interval "
        f"{_percent(change - reach)} to {_percent(change + reach)})"
    )
    return Confirmation(
        confirmed, change, (change - reach, change + reach), p_value, words, paired=True
    )


def _percent(change: float) -> str:
    return f"{(exp(change) - 1) * 100:+.1f} %"
