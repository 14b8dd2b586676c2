"""The finding of a search as the document of its run has it."""

from __future__ import annotations

from loadgen.condition import parse
from loadgen.profile.model import Phase, Profile
from loadgen.search.curve import curve_of
from loadgen.search.finding import SearchFinding, Tried
from reports.load_search import SearchCurve, SearchKnee, SearchPart, SearchShare, SearchStep


def search_part(profile: Profile, phase: Phase, finding: SearchFinding) -> SearchPart:
    """The part about a search: what was asked for, what was tried, what was found.

    The curve is fitted here: scipy takes a second to load, for which no load has to wait.
    """
    fitted, knee = curve_of(finding)
    return SearchPart(
        phase=phase.name,
        unit=profile.load.unit,
        slo=[str(parse(text)) for text in phase.slo],
        assumed=list(finding.assumed),
        bounds_rps=phase.bounds or (0.0, 0.0),
        step_s=phase.step_s,
        confidence=phase.confidence,
        resolution=phase.resolution,
        ended=finding.ended,
        detail=finding.detail,
        rate_rps=finding.rate_rps,
        low_rps=finding.low_rps,
        high_rps=finding.high_rps,
        limited_by=finding.limited_by,
        hysteresis=finding.hysteresis,
        hysteresis_detail=finding.hysteresis_detail,
        refill_rps=finding.refill_rps,
        burst=finding.burst,
        steps=[_step(one) for one in finding.tried],
        curve=None
        if fitted is None
        else SearchCurve(
            base_ms=fitted.base_ms,
            weight=fitted.weight,
            order=fitted.order,
            capacity_rps=fitted.capacity_rps,
            error_share=fitted.error_share,
        ),
        knee=SearchKnee(
            rate_rps=knee.rate_rps,
            low_rps=knee.low_rps,
            high_rps=knee.high_rps,
            reason=knee.reason,
        ),
        requests=finding.requests,
        took_s=finding.took_s,
    )


def _step(tried: Tried) -> SearchStep:
    curve = tried.curve
    return SearchStep(
        role=tried.role,
        rate_rps=tried.rate_rps,
        from_s=tried.from_s,
        length_s=tried.length_s,
        settle_s=tried.settle_s,
        requests=tried.requests,
        verdict=tried.verdict,
        reason=tried.reason,
        shares=[
            SearchShare(
                that=one.that,
                share=one.share,
                limit_share=one.limit_share,
                counted=one.counted,
                worth=one.worth,
                verdict=one.verdict,
            )
            for one in tried.shares
        ],
        goodput_rps=curve.goodput_rps if curve else None,
        throttled_share=curve.throttled_share if curve else None,
        failed_share=curve.failed_share if curve else None,
        p50_ms=curve.p50_ms if curve else None,
        p95_ms=curve.p95_ms if curve else None,
        p99_ms=curve.p99_ms if curve else None,
    )
