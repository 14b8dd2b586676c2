"""A limit on a percentile: whether a size keeps it, in sentences and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Column, Table, TableRow
from reports.document import Recommendation, Slo, SloEvidence, TuneDocument
from reports.figures import ABSENT, SPACE, columns_alike, megabytes, significant
from reports.tune_goal import limit_words
from reports.tune_sizes import is_adaptive, size_at, standing

_VERDICTS = {
    "met": "\N{CHECK MARK} met",
    "missed": "\N{BALLOT X} missed",
    "open": "? open",
}
_CSS = {"met": "taken", "missed": "failed", "open": ""}
_MOST_DIGITS = 7


def kept_words(document: TuneDocument, slo: Slo, taken: Recommendation) -> str:
    """That a size is the cheapest within the limit, and by how much it keeps it."""
    claim = f"the cheapest size shown to keep {limit_words(slo)}"
    size = size_at(document, taken.memory_mb)
    upper_ms = size.slo.upper_ms if size is not None and size.slo is not None else None
    if upper_ms is None:
        return claim
    return f"{claim}: at most {_with_95(upper_ms, slo)}"


def no_size_sentence(document: TuneDocument, slo: Slo) -> str:
    """Why no size can be named: none keeps the limit, or the samples leave it open."""
    if slo.verdict == "infeasible":
        return (
            f"{_none_of(document)} keeps {limit_words(slo)}{_nearest(document, slo)}."
            f"{_by_the_curve(document)}"
        )
    return f"No size is shown to keep {limit_words(slo)}{_most_hopeful(document, slo)}."


def _none_of(document: TuneDocument) -> str:
    """The sizes that were looked at: larger ones than these may keep the limit."""
    candidates = document.provenance.candidates_mb
    if not candidates:
        return "No measured size"
    return f"No size from {min(candidates):,} to {megabytes(max(candidates))}"


def _by_the_curve(document: TuneDocument) -> str:
    """Why sizes with too few samples of their own count as missing the limit."""
    if not is_adaptive(document) or all(
        found.verdict == "missed" for _, found in _evidence(document)
    ):
        return ""
    return " By the curve, the sizes that are open miss it as well."


def unkept_problem(slo: Slo) -> str:
    """That the limit is not kept, or not shown to be: one line, for the errors of a run."""
    limit = f"p{slo.percentile:g} < {slo.limit_ms:g} ms"
    if slo.verdict == "infeasible":
        return f"no size of the run keeps {limit}"
    return (
        f"the samples neither show a size to keep {limit} nor that none does; "
        f"at least {slo.samples_needed} at one size can"
    )


def _nearest(document: TuneDocument, slo: Slo) -> str:
    """The fastest of the sizes that were shown to miss the limit; others have too few samples."""
    missed = [item for item in _evidence(document) if item[1].verdict == "missed"]
    if not missed:
        return ""
    memory_mb, found = min(missed, key=lambda item: item[1].quantile_ms)
    lower = "" if found.lower_ms is None else f", at least {_with_95(found.lower_ms, slo)}"
    return f": {megabytes(memory_mb)} comes nearest with {_measured(found, slo)}{lower}"


def _most_hopeful(document: TuneDocument, slo: Slo) -> str:
    """The size that may keep the limit, and what its samples lack to show it."""
    still_open = [item for item in _evidence(document) if item[1].verdict == "open"]
    if not still_open:
        return f": that takes at least {slo.samples_needed:,} samples of a size"
    memory_mb, found = min(still_open, key=lambda item: item[1].quantile_ms)
    text = f": {megabytes(memory_mb)} looks best with {_measured(found, slo)}"
    if found.upper_ms is None:
        return f"{text}, and it takes at least {slo.samples_needed:,} to show it"
    return (
        f"{text}, at most {_with_95(found.upper_ms, slo)}: that is too close to the limit for so "
        "few samples"
    )


def _measured(found: SloEvidence, slo: Slo) -> str:
    return f"{_time(found.quantile_ms, slo)} from {found.n:,} samples"


def _with_95(bound_ms: float, slo: Slo) -> str:
    return f"{_time(bound_ms, slo)} with 95{SPACE}%"


def _evidence(document: TuneDocument) -> list[tuple[int, SloEvidence]]:
    ordered = sorted(document.sizes, key=lambda size: size.memory_mb)
    return [(size.memory_mb, size.slo) for size in ordered if size.slo is not None]


def _time(value_ms: float, slo: Slo) -> str:
    """A time with as many digits as it takes to tell it from the limit."""
    if value_ms == slo.limit_ms:
        return f"{slo.limit_ms:,.6g}{SPACE}ms"
    apart = (d for d in range(3, _MOST_DIGITS) if not _looks_like_limit(value_ms, slo, d))
    return f"{significant(value_ms, next(apart, _MOST_DIGITS))}{SPACE}ms"


def slo_table(document: TuneDocument) -> Table | None:
    """Each size's percentile with its bounds, and whether it keeps the limit."""
    slo, known = document.slo, _evidence(document)
    if slo is None or not known:
        return None
    name = f"p{slo.percentile:g}"
    times = _times(slo, [found for _, found in known])
    [costs] = columns_alike([[_cost(document, memory_mb) for memory_mb, _ in known]])
    rows = [
        TableRow(
            [
                f"{memory_mb:,}",
                f"{found.n:,}",
                *cells,
                ", ".join([_VERDICTS[found.verdict], *standing(document, memory_mb)]),
            ],
            _CSS[found.verdict],
        )
        for (memory_mb, found), cells in zip(known, zip(*times, costs, strict=True), strict=True)
    ]
    columns = [
        Column("Memory", "MB"),
        Column("n", "warm"),
        Column(name, "ms"),
        Column("At least", "ms"),
        Column("At most", "ms"),
        Column("Cost", "$ / million"),
        Column(limit_words(slo), is_text=True),
    ]
    return Table(f"{name} against the limit", columns, rows, _help(slo, name))


def _times(slo: Slo, known: Sequence[SloEvidence]) -> list[list[str]]:
    """Percentile and bounds, with as many digits as it takes to tell them from the limit."""
    values: list[list[float | None]] = [
        [found.quantile_ms for found in known],
        [found.lower_ms for found in known],
        [found.upper_ms for found in known],
    ]
    flat = [value for column in values for value in column if value is not None]
    digits = next(
        (
            digits
            for digits in range(3, _MOST_DIGITS)
            if not any(_looks_like_limit(value, slo, digits) for value in flat)
        ),
        _MOST_DIGITS,
    )
    return columns_alike(values, digits)


def _looks_like_limit(value_ms: float, slo: Slo, digits: int) -> bool:
    is_limit = value_ms == slo.limit_ms
    return not is_limit and significant(value_ms, digits) == significant(slo.limit_ms, digits)


def _cost(document: TuneDocument, memory_mb: int) -> float | None:
    size = size_at(document, memory_mb)
    return None if size is None else size.cost_usd_per_million


def _help(slo: Slo, name: str) -> str:
    return (
        f"{name} as measured. The true {name} is at least the one bound with 95 %, and at most the "
        "other with 95 %, whatever the distribution of durations. "
        f"An upper bound takes {slo.samples_needed:,} samples or more; {ABSENT} stands where they "
        "are too few. A size is met when its upper bound is below the limit."
    )
