"""Between which shares the truth lies after so many of so many nights: Clopper and Pearson 1934.

Exact, so that no alarm in 30 nights still allows one in ten. A count may have a fraction: an alarm
that is confirmed with some probability is a part of one.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p

_HALVINGS = 60  # to the last bits of a float
_TINY = 1e-300
_MOST_TERMS = 500
_CLOSE = 1e-13


def share_bounds(count: float, total: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of a share of which `count` of `total` were seen; 0 to 1 for none.

    Raises:
        ValueError: `count` is no part of `total`.
    """
    if not 0 <= count <= total:
        raise ValueError(f"expected a count between 0 and {total} (got {count})")
    tail = (1 - level) / 2
    low = _beta_quantile(tail, count, total - count + 1) if count > 0 else 0.0
    high = _beta_quantile(1 - tail, count + 1, total - count) if count < total else 1.0
    return low, high


def _beta_quantile(share: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_share(middle, a, b) < share else (low, middle)
    return (low + high) / 2


def beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function: the probability below `x`.

    Source: the continued fraction of Abramowitz and Stegun 26.5.8, by Lentz's method.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            found *= d * c
        if abs(d * c - 1) < _CLOSE:
            break
    return found


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
