"""Spectra of latencies as values and as a table: quantiles, their names, bands, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from reports.blocks import Column
from reports.figure import Data, DataRow
from reports.figures import ABSENT, SPACE, columns_alike, fixed, significant
from reports.svg import Marker

SAME_QUANTILE = 1e-12  # quantiles that differ by rounding alone
# Beyond this range decimals of the smallest value say nothing of the largest.
_ALIGNED_UP_TO_FACTOR = 1000.0


@dataclass(frozen=True, slots=True)
class Look:
    """How a line is told from others: by colour, by mark and by dash."""

    css: str
    colour: str
    shape: Marker = "circle"
    dash: str = ""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Quantiles of one latency, ascending: (q, ms), and a band (q, low ms, high ms) where known.

    The band is simultaneous: it holds the whole line at once. Where it ends, few requests are
    slower, and nothing bounds them from above. No percentile is below a lower one, so a bound that
    holds for one holds for its neighbours: `tight_band` has what follows.
    """

    name: str
    points: Sequence[tuple[float, float]]
    look: Look
    band: Sequence[tuple[float, float, float]] | None = None

    @property
    def tight_band(self) -> list[tuple[float, float, float]]:
        """The band with both sides ascending; empty where there is none."""
        band = self.band or ()
        lows = accumulate((low for _, low, _ in band), max)
        highs = [*accumulate((high for _, _, high in reversed(band)), min)]
        return [
            (q, low, high) for (q, _, _), low, high in zip(band, lows, reversed(highs), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Target:
    """A limit on one percentile: a mark that the line must pass below."""

    quantile: float
    limit_ms: float
    label: str


def rarity(quantile: float) -> float:
    """The place of a quantile on the axis: one request in so many is slower."""
    return 1 / (1 - quantile)


def spectrum_data(spectra: Sequence[Spectrum]) -> Data:
    """A row for each quantile that any spectrum has; a band stands behind its value."""
    quantiles = _quantiles(spectra)
    texts = _texts([[_at(one.points, q) for q in quantiles] for one in spectra])
    columns = [
        [_cell(text, one, q) for text, q in zip(column, quantiles, strict=True)]
        for one, column in zip(spectra, texts, strict=True)
    ]
    return Data(
        [Column("percentile", "%"), *(Column(one.name, "ms") for one in spectra)],
        [
            DataRow(rarity(q), [percentile_name(q), *(column[index] for column in columns)])
            for index, q in enumerate(quantiles)
        ],
    )


def _texts(values: Sequence[Sequence[float | None]]) -> list[list[str]]:
    """Latencies with one number of decimals, or each with its own where they range too widely."""
    known = [value for column in values for value in column if value]
    if known and max(known) > _ALIGNED_UP_TO_FACTOR * min(known):
        return [[ABSENT if v is None else significant(v) for v in column] for column in values]
    return columns_alike(values)


def percentile_name(quantile: float) -> str:
    """A quantile as a percentile, with the digits that tell it from its neighbours: 99.9."""
    rest = 100 * (1 - quantile)
    decimals = next((n for n in range(2) if _is_whole(rest, n)), None)
    if decimals is None:
        # Two digits of the rest: 99.87, 99.9987.
        decimals = next(n for n in range(1, 15) if rest * 10**n >= 9.95)
    text = fixed(100 * quantile, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_whole(value: float, decimals: int) -> bool:
    return abs(value * 10**decimals - round(value * 10**decimals)) < 1e-6 and value >= 0.5


def _quantiles(spectra: Sequence[Spectrum]) -> list[float]:
    """All quantiles, ascending; those that differ by rounding alone are one."""
    found: list[float] = []
    for q in sorted(q for one in spectra for q, _ in one.points):
        if not found or q - found[-1] > SAME_QUANTILE:
            found.append(q)
    return found


def _at(points: Sequence[tuple[float, float]], quantile: float) -> float | None:
    return next((ms for q, ms in points if abs(q - quantile) <= SAME_QUANTILE), None)


def _cell(text: str, spectrum: Spectrum, quantile: float) -> str:
    for q, low, high in spectrum.tight_band:
        if abs(q - quantile) <= SAME_QUANTILE:
            low_text, high_text = columns_alike([[low, high]])[0]
            return f"{text} ({low_text}{SPACE}to{SPACE}{high_text})"
    return text
