"""One of two compared load runs: what its side of the comparison tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.histogram import decoded, quantile_ms, spectrum, spectrum_band
from reports.load_compare_document import BlockPoint, ComparedLoad, SpectrumPoint
from reports.load_document import LoadDocument, PhaseSlice
from reports.load_facts import facts_of
from reports.load_histograms import LatencyBlock, ok_histograms

_NAMED = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))


def compared_run(document: LoadDocument, given: str) -> ComparedLoad:
    """One side of the comparison; `given` names the run as the command line did."""
    run = document.provenance
    return ComparedLoad(
        run=given,
        run_id=run.run_id,
        name=document.name,
        started_utc=run.started_utc,
        verdict=document.verdict,
        valid=document.validity.verdict == "valid",
        reasons=document.validity.reasons,
        url=document.target.url,
        completed=document.requests.completed,
        ok=document.outcomes.ok,
        measured_s=document.measured_s,
        facts=facts_of(document),
        spectrum=_spectrum(document),
        blocks=_blocks(document),
    )


def kept_histograms(document: LoadDocument) -> Iterator[tuple[str, str]]:
    """The encoded histograms that a comparison uses, each with its place in the document."""
    kept = document.histograms
    if kept is not None and kept.ok_response is not None:
        yield "histograms.ok_response", kept.ok_response
    places = [("histograms", [] if kept is None else kept.blocks)]
    places += [(f"steps[{index}]", step.blocks) for index, step in enumerate(document.steps)]
    for place, blocks in places:
        for index, block in enumerate(blocks):
            if block.ok_response is not None:
                yield f"{place}.blocks[{index}].ok_response", block.ok_response


def usd_per_million(before: LoadDocument, after: LoadDocument) -> tuple[float | None, float | None]:
    """What a million admitted requests cost at list prices, of all phases; None: not known.

    Of the parts that both runs know, so that the two are bills of the same things.
    """
    first, second = _known_parts(before), _known_parts(after)
    common = first.keys() & second.keys()
    if not common:
        return _per_million(before, before.spent.usd), _per_million(after, after.spent.usd)
    return (
        _per_million(before, sum(first[key] for key in sorted(common))),
        _per_million(after, sum(second[key] for key in sorted(common))),
    )


def _known_parts(document: LoadDocument) -> dict[tuple[str, str], float]:
    return {
        (part.part, part.function or ""): part.usd
        for part in document.spent.parts
        if part.usd is not None
    }


def _per_million(document: LoadDocument, usd: float | None) -> float | None:
    slices: Sequence[PhaseSlice | LoadDocument] = document.phases or [document]
    admitted = sum(one.requests.completed - one.outcomes.throttled for one in slices)
    return usd / admitted * 1e6 if usd and admitted else None


def _spectrum(document: LoadDocument) -> list[SpectrumPoint]:
    """Quantiles of ok responses with their band, or the five that older documents have."""
    kept = None if document.histograms is None else document.histograms.ok_response
    if document.histograms is None or kept is None:
        five = document.ok_response_ms
        if five is None:
            return []
        return [
            SpectrumPoint(q=q, ms=getattr(five, name), low_ms=None, high_ms=None)
            for name, q in _NAMED
        ]
    bounds = spectrum_band(ok_histograms(document.histograms.blocks))
    band = {one.q: (one.low_ms, one.high_ms) for one in bounds}
    found = []
    for q, ms in spectrum(decoded(kept)):
        low_ms, high_ms = band.get(q, (None, None))
        found.append(SpectrumPoint(q=q, ms=ms, low_ms=low_ms, high_ms=high_ms))
    return found


def _blocks(document: LoadDocument) -> list[BlockPoint]:
    blocks = [] if document.histograms is None else document.histograms.blocks
    return [_point(block) for block in blocks]


def _point(block: LatencyBlock) -> BlockPoint:
    length_s = max(block.to_s - block.from_s, 1e-9)
    known = None if block.ok_response is None else decoded(block.ok_response)
    return BlockPoint(
        from_s=block.from_s,
        to_s=block.to_s,
        p50_ms=None if known is None else quantile_ms(known, 0.5),
        p95_ms=None if known is None else quantile_ms(known, 0.95),
        admitted_rps=(block.completed - block.throttled) / length_s,
        throttled_rps=block.throttled / length_s,
    )
