"""Sizes that cannot be told apart, in words: neighbours as a range, never a list of twenty."""

from __future__ import annotations

from collections.abc import Sequence

from reports.document import TuneDocument
from reports.figures import SPACE, listed
from reports.tune_sizes import is_adaptive, tied_sizes

# From so many neighbours on, a range is shorter than its members.
_RANGE_FROM = 3
# In what they are tied: a size that takes ten times as long may well cost the same.
_TIED_IN = {
    "cost": "in cost",
    "slo": "in cost",
    "speed": "in duration",
    "balanced": "in the balance",
    "knee": "as the knee",
}
# Without a grid to say who neighbours whom, so many single sizes are named.
_MOST_NAMED = 6


def ties_words(document: TuneDocument) -> str:
    """The tied sizes: "512 and 1,024 MB", or "from 256 to 1,024 MB"; empty when there are none."""
    tied = tied_sizes(document)
    if not tied:
        return ""
    parts = [part for run in _runs(tied, _grid(document)) for part in _named(run)]
    if len(parts) > _MOST_NAMED:
        return f"{len(tied)} sizes from {tied[0]:,} to {tied[-1]:,}{SPACE}MB"
    return f"{listed(parts)}{SPACE}MB"


def ties_sentence(document: TuneDocument) -> str:
    """That the tied sizes are equal as far as the data go; empty when there are none."""
    words, taken = ties_words(document), document.recommendation
    if not words or taken is None:
        return ""
    subject = f"Sizes {words}" if words.startswith("from") else words
    return f"{subject} cannot be told apart {_TIED_IN[taken.objective]} by these data."


def _grid(document: TuneDocument) -> list[int]:
    """All sizes that could be tied, ascending: only there do neighbours make a range."""
    measured = {size.memory_mb for size in document.sizes}
    if not is_adaptive(document) or document.model is None:
        # A fixed plan has few sizes, and a reader wants to know which of them.
        return []
    return sorted(measured | {round(point.memory_mb) for point in document.model.curve})


def _runs(tied: Sequence[int], grid: Sequence[int]) -> list[list[int]]:
    """Tied sizes in groups of neighbours on the grid; a size beside the grid is alone."""
    place = {size: index for index, size in enumerate(grid)}
    runs: list[list[int]] = []
    for size in tied:
        before = place.get(runs[-1][-1]) if runs else None
        if before is not None and place.get(size) == before + 1:
            runs[-1].append(size)
        else:
            runs.append([size])
    return runs


def _named(run: Sequence[int]) -> list[str]:
    if len(run) >= _RANGE_FROM:
        return [f"from {run[0]:,} to {run[-1]:,}"]
    return [f"{size:,}" for size in run]
