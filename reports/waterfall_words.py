"""Where the time of a load run goes, and what cold starts cost, in words."""

from __future__ import annotations

from reports.figures import SPACE, listed, milliseconds, part_of, percent
from reports.load_waterfall import (
    LABELS,
    ColdPercentiles,
    ColdStarts,
    TimeGroup,
    TimePart,
    Waterfall,
)

_MOST_NAMED = 3
# Smaller parts are no answer to where the time goes.
_LEAST_NAMED_SHARE = 0.05
# Below that a part shows as 0.000 ms, and nobody misses it.
LEAST_SHOWN_MS = 0.0005

MEDIAN = "Median request"
SLOWEST = f"Slowest 1{SPACE}%"


def largest(group: TimeGroup) -> list[TimePart]:
    """The parts that most of the time goes to, the largest first; at least one if there is any."""
    ranked = sorted(group.parts, key=lambda part: -part.mean_ms)
    large = [part for part in ranked if part.share >= _LEAST_NAMED_SHARE]
    return (large or ranked[:1])[:_MOST_NAMED]


def named(group: TimeGroup) -> str:
    """The largest parts with their shares: handler 57 %, network 20 %."""
    return ", ".join(f"{LABELS[part.part]} {percent(part.share)}" for part in largest(group))


def title_of(name: str, group: TimeGroup) -> str:
    """What a group is and how long it takes: Median request: 21.3 ms."""
    return f"{name}: {milliseconds(group.response_ms)}"


def finding(waterfall: Waterfall) -> str:
    """Both groups with their largest parts."""
    median, slowest = waterfall.median, waterfall.slowest
    return (
        f"The median request takes {milliseconds(median.response_ms)}: {named(median)}. "
        f"The slowest 1{SPACE}% take {milliseconds(slowest.response_ms)} on average: "
        f"{named(slowest)}."
    )


def source_words(waterfall: Waterfall) -> str:
    """What the parts are known from."""
    match waterfall.source:
        case "logs":
            return "Parts are from the client, the access log and REPORT lines, by request id."
        case "xray":
            return "Parts are from the client and from X-Ray, of the requests that it sampled."
        case "metrics":
            return (
                "Parts behind the client are from metrics, of the whole window, and only of the "
                "median request."
            )
        case "client":
            return (
                "Only the client tells these parts: no log line or metric splits the API's time; "
                "loadgen run --logs asks for them."
            )


def matching_words(name: str, group: TimeGroup) -> str:
    """How many requests a group has, and how many of them are split."""
    words = f"{name}: {group.requests:,} requests from {_span(group)}"
    if group.split < group.requests:
        words += (
            f"; the parts are of the {group.split:,} with log lines, "
            f"{percent(group.unmatched_share or 0.0)} are unmatched"
        )
        if abs(group.group_ms - group.response_ms) > 0.02 * group.group_ms:
            words += f" (all of the group take {milliseconds(group.group_ms)})"
    elif group.unmatched_share:
        words += f"; {percent(group.unmatched_share)} are unmatched"
    if group.ran_on:
        words += (
            f"; the function of {group.ran_on:,} worked beyond the integration's latency, which "
            "counts only as far as it was waited for"
        )
    return f"{words}."


def _span(group: TimeGroup) -> str:
    low, high = milliseconds(group.from_ms), milliseconds(group.to_ms)
    return low if low == high else f"{low} to {high}"


def cold_sentences(cold: ColdStarts) -> list[str]:
    """How many met a cold start, and what that does to the percentiles."""
    of_all = part_of(cold.requests, cold.completed)
    known = f"{cold.requests:,} requests with a REPORT line ({of_all} of the completed ones)"
    if not cold.cold:
        return [f"None of {known} met a cold start.", *_elsewhere(cold)]
    said = [f"{part_of(cold.cold, cold.requests)} of {known} met a cold start: {cold.cold:,}."]
    if cold.init_ms is not None:
        took = listed([spread_words(cold.init_ms)[0], spread_words(cold.init_ms)[-1]])
        kind = "Restore" if cold.restored == cold.cold else "INIT"
        said.append(f"{kind} took {took}.")
    if cold.without_ms is not None and cold.p99_cost_ms is not None:
        said.append(
            f"p99 of the response time is {milliseconds(cold.with_ms.p99)} with them and "
            f"{milliseconds(cold.without_ms.p99)} without."
        )
    if cold.ahead:
        said.append(f"The INIT of {cold.ahead:,} was over, in part or whole, before they came.")
    return [*said, *_elsewhere(cold)]


def spread_words(spread: ColdPercentiles) -> list[str]:
    """Percentiles that so many values have; the highest of fewer is called what it is."""
    known = [(0.5, "p50", spread.p50), (0.95, "p95", spread.p95), (0.99, "p99", spread.p99)]
    said = [f"{milliseconds(ms)} at {name}" for q, name, ms in known if spread.n * (1 - q) >= 0.999]
    if spread.n == 1:
        return [milliseconds(spread.p99)]
    return said if len(said) == len(known) else [*said, f"{milliseconds(spread.p99)} at most"]


def _elsewhere(cold: ColdStarts) -> list[str]:
    if not cold.elsewhere:
        return []
    more = " more" if cold.cold else ""
    whose = "of requests that were not answered in time or of other callers"
    return [f"The logs have {cold.elsewhere:,}{more}, {whose}."]


def slowest_words(cold: ColdStarts) -> str:
    """How many of the slowest 1 % met a cold start; empty where a document does not tell."""
    if cold.slowest is None or cold.slowest_cold is None:
        return ""
    share = part_of(cold.slowest_cold, cold.slowest)
    return (
        f"Of the slowest 1{SPACE}% of requests, {share} met a cold start ({cold.slowest_cold:,} of "
        f"{cold.slowest:,})."
    )
