"""What a tuning knows of one memory size: its row, its point on the curve, how it stands."""

from __future__ import annotations

from reports.document import CurvePoint, SizeResult, TuneDocument


def size_at(document: TuneDocument, memory_mb: int) -> SizeResult | None:
    """The row of a size; None where it was never invoked."""
    return next((size for size in document.sizes if size.memory_mb == memory_mb), None)


def is_measured(document: TuneDocument, memory_mb: int) -> bool:
    """Whether at least one warm sample of the size counts."""
    size = size_at(document, memory_mb)
    return size is not None and size.n > 0


def is_placed(size: SizeResult) -> bool:
    """Whether both a duration and a cost are known of the size."""
    return size.duration_typical_ms is not None and size.cost_usd_per_million is not None


def estimate_at(document: TuneDocument, memory_mb: int) -> CurvePoint | None:
    """What the curve says of a size that is one of its points."""
    points = document.model.curve if document.model is not None else []
    return next((point for point in points if abs(point.memory_mb - memory_mb) < 0.5), None)


def is_adaptive(document: TuneDocument) -> bool:
    """Whether the run chose its sizes itself, so that the curve's points are its candidates."""
    return document.provenance.plan in ("adaptive", "thorough")


def tied_sizes(document: TuneDocument) -> list[int]:
    """The recommended size and all that cannot be told apart from it; empty when it is alone."""
    taken = document.recommendation
    if taken is None:
        return []
    tied = sorted({*taken.tied_mb, taken.memory_mb})
    return tied if len(tied) > 1 else []


def standing(document: TuneDocument, memory_mb: int) -> list[str]:
    """Why a size stands out: recommended or tied, and current."""
    words = []
    taken = document.recommendation
    if taken is not None and memory_mb == taken.memory_mb:
        words.append("recommended" if document.verdict == "pass" else "best so far")
    elif memory_mb in tied_sizes(document):
        words.append("tied")
    if memory_mb == document.current.memory_mb:
        words.append("current")
    return words


def row_css(document: TuneDocument, memory_mb: int) -> str:
    """The class of a size's row in a table: the recommended one, today's, or none."""
    taken = document.recommendation
    if taken is not None and memory_mb == taken.memory_mb:
        return "taken"
    return "current" if memory_mb == document.current.memory_mb else ""
