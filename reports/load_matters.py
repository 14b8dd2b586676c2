"""What matters most about a load run: validity in a line, three findings, what to do, exit code.

Findings are ranked by what they mean for somebody who has to decide: what is broken, what limits,
what will limit next, where the slowest requests lose their time, and what it costs.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.concurrency import Forecast
from reports.cost_panel import cost_finding, costs_of
from reports.figures import SPACE, closed, listed, milliseconds, part_of, percent, rate, significant
from reports.load_document import LoadDocument, ThresholdResult
from reports.load_findings import threshold_words
from reports.load_latency import response_of, stands_apart
from reports.load_waterfall import ColdStarts
from reports.load_words import cause_phrase, class_word, limit_words, limits_for, totals_of
from reports.objectives import Objective, objectives_of, room_words
from reports.waterfall_words import named

_MOST = 3
# How a warning begins that says that requests were sent late.
_LATE = "start lag"
# What happens to fewer requests moves no percentile that people look at.
_WORTH_NAMING = 0.01
# Of the p99 without cold starts.
_COLD_COSTS = 0.2
# Of the measured rate: a limit that is farther away is no news of this run.
_NEAR, _FAR = 2.0, 10.0

_EXITS = {
    0: "nothing that the profile asks for is broken",
    1: "an error ended the run",
    2: "the input is wrong",
    3: "a threshold does not hold, or nothing was ok",
    4: "it is inconclusive",
    5: "the measurement is invalid",
    6: "a guard of the profile stopped it",
    130: "it was interrupted",
    143: "it was ended by a signal",
}


def validity_line(document: LoadDocument) -> str:
    """Whether the load generator can be trusted, in a sentence without figures."""
    validity = document.validity
    if validity.verdict == "invalid":
        return "Invalid: the load generator did not do what the schedule asked of it."
    is_late = any(warning.startswith(_LATE) for warning in validity.warnings)
    when = "but some of it late" if is_late else "when it was due"
    line = f"Valid: the load generator sent what was planned, {when}"
    state = document.telemetry.coverage.state if document.telemetry else "unknown"
    if state == "covered":
        line += ", and what CloudWatch counts agrees"
    doubts = len(validity.warnings)
    if doubts:
        line += "; there is a warning below" if doubts == 1 else "; there are warnings below"
    return f"{line}."


def exit_sentence(document: LoadDocument) -> str:
    """The exit code with its meaning."""
    meaning = _EXITS.get(document.exit_code)
    words = f"Exit code {document.exit_code}"
    return f"{words}: {meaning}." if meaning else f"{words}."


def matters(document: LoadDocument, forecast: Forecast | None) -> list[str]:
    """The findings that matter most, at most three; none of a run that is not to be trusted."""
    if document.verdict == "invalid" or not document.requests.completed:
        return []
    ranked = sorted(_findings(document, forecast), key=lambda finding: -finding[0])
    return [closed(sentence) for _, sentence in ranked[:_MOST]]


def _findings(document: LoadDocument, forecast: Forecast | None) -> Iterator[tuple[float, str]]:
    """Sentences with what they weigh."""
    for objective in objectives_of(document):
        yield from _overspent(objective)
    if document.search is None:
        # A search refuses and fails on purpose: it says itself what limits.
        yield from _refused(document)
    yield from _limited(forecast)
    yield from _cold(document)
    yield from _slowest(document)
    yield from _failed(document)
    yield from _nearest(document)
    yield from _slowest_step(document)
    yield from _tail(document)
    known = [cost for cost in costs_of(document.spent.parts) if cost.usd]
    if known:
        yield 20.0, cost_finding(document)


def _overspent(objective: Objective) -> Iterator[tuple[float, str]]:
    share = objective.used_share
    if share is None or objective.used is None:
        return
    words = f"{objective.that} ({objective.scope})" if not objective.of_run else objective.that
    if share > 1:
        yield (
            100.0,
            (
                f"The budget of {words} is overspent: {objective.used:,.0f} where "
                f"{room_words(objective.allowed)} are allowed, {significant(share, 2)} times as "
                f"many"
            ),
        )
    elif share > 0.5:
        yield 75.0, f"Of the budget of {words}, {percent(share)} is used"


def _refused(document: LoadDocument) -> Iterator[tuple[float, str]]:
    totals = totals_of(document.throttled_by_cause)
    completed = document.requests.completed
    if not totals or document.outcomes.throttled <= _WORTH_NAMING * completed:
        return
    first = totals[0]
    phrase = cause_phrase(first.cause)
    words = (
        f"{phrase[:1].upper()}{phrase[1:]} refused most: {first.count:,} of {completed:,} requests"
    )
    configured = limits_for(first.cause, document.limits)
    if len(configured) == 1:
        words += f"; configured there is {limit_words(configured[0])}"
    yield 80.0, words


def _limited(forecast: Forecast | None) -> Iterator[tuple[float, str]]:
    if forecast is None:
        return
    pool = forecast.pools[0]
    if pool.limit is None or pool.reached_rps is None:
        return
    times = pool.reached_rps / forecast.today_rps
    if times < _FAR:
        words = (
            f"The concurrency of {pool.limit:,} of {pool.name} is reached at "
            f"{rate(float(f'{pool.reached_rps:.3g}'))} admitted, "
            f"{times:.2g} times the rate of this run and in its mix"
        )
        if forecast.refused:
            words += (
                f"; where it had more of such calls, a limit of concurrency refused "
                f"{forecast.refused:,} already"
            )
        yield 85.0 if times < _NEAR or forecast.refused else 70.0, words


def _cold(document: LoadDocument) -> Iterator[tuple[float, str]]:
    cold = document.cold_starts
    if cold is None or cold.without_ms is None or cold.p99_cost_ms is None:
        return
    if cold.p99_cost_ms > _COLD_COSTS * cold.without_ms.p99:
        yield (
            65.0,
            (
                f"Cold starts, {part_of(cold.cold, cold.requests)} of {_of_reports(cold)}, raise "
                f"p99 from "
                f"{milliseconds(cold.without_ms.p99)} to {milliseconds(cold.with_ms.p99)}"
            ),
        )


def _of_reports(cold: ColdStarts) -> str:
    """Whose share it is: only a REPORT line tells whether a request met a cold start."""
    return "requests" if cold.requests == cold.completed else "requests with a REPORT line"


def _slowest(document: LoadDocument) -> Iterator[tuple[float, str]]:
    waterfall = document.waterfall
    if waterfall is None or waterfall.source == "client":
        return
    slowest = waterfall.slowest
    yield (
        40.0,
        (
            f"The slowest 1{SPACE}% take {milliseconds(slowest.response_ms)} on average: "
            f"{named(slowest)}"
        ),
    )


def _failed(document: LoadDocument) -> Iterator[tuple[float, str]]:
    counts = sorted(document.errors_by_cause, key=lambda entry: -entry.count)
    if counts and document.search is None:
        first = counts[0]
        share = part_of(first.count, document.requests.completed)
        why = (
            "" if first.cause in ("none", "unknown") else f", caused by {cause_phrase(first.cause)}"
        )
        name = class_word(first.outcome, first.count)
        yield 60.0, f"What failed most: {first.count:,} {name} ({share} of requests){why}"


def _nearest(document: LoadDocument) -> Iterator[tuple[float, str]]:
    """The threshold that holds with the least room."""
    held = [
        (one.value / one.limit, one)
        for one in document.thresholds
        if one.ok and one.value is not None and one.limit > 0 and "<" in one.that
    ]
    if held:
        used, nearest = max(held, key=lambda pair: pair[0])
        words = threshold_words(nearest)
        yield 45.0, f"Nearest to its limit is {words}: it holds at {part_of(used, 1.0)} of it"


def _slowest_step(document: LoadDocument) -> Iterator[tuple[float, str]]:
    apart = stands_apart(document)
    known = [
        (found.p95, step.name)
        for step in document.steps
        if (found := response_of(step, apart=apart)) is not None
    ]
    if len(known) > 1:
        p95_ms, name = max(known)
        quickest = min(p95 for p95, _ in known)
        yield (
            35.0,
            (
                f"The slowest step is {name}: p95 {milliseconds(p95_ms)}, where the quickest has "
                f"{milliseconds(quickest)}"
            ),
        )


def _tail(document: LoadDocument) -> Iterator[tuple[float, str]]:
    found = response_of(document, apart=stands_apart(document))
    if found is not None and found.p50 > 0:
        yield (
            10.0,
            (
                f"The slow tail: p99 is {significant(found.p99 / found.p50, 2)} times p50, "
                f"{milliseconds(found.p99)} beside {milliseconds(found.p50)}"
            ),
        )


def next_step(document: LoadDocument, forecast: Forecast | None) -> str:
    """What to do now, with the command where there is one."""
    profile = document.provenance.profile_file
    match document.verdict:
        case "invalid":
            return f"remove what made it invalid, then repeat it: loadgen run {profile}."
        case "refused":
            return "change the load or the guard that stopped it, and look at the plan: --dry-run."
        case "interrupted" | "error":
            return f"repeat the run: loadgen run {profile}."
    if document.search is not None:
        return (
            "see what another rate would mean: loadgen forecast RUN, with the folder of this run."
        )
    broken = [one for one in document.thresholds if one.ok is False]
    if broken:
        return _after_broken(document, broken)
    if not document.thresholds:
        return f"say in {profile} what is good enough: thresholds: [p95(ok_response) < 300ms]."
    totals = totals_of(document.throttled_by_cause)
    if totals and document.outcomes.throttled > _WORTH_NAMING * document.requests.completed:
        return (
            f"raise what {cause_phrase(totals[0].cause)} allows, or send less; loadgen limits "
            f"{profile} measures the rate and burst that are in force."
        )
    if document.waterfall is None or document.waterfall.source == "client":
        return f"learn where the time goes: loadgen run {profile} --logs."
    return "keep this run, and compare the next one with it: reports compare RUN NEXT."


def _after_broken(document: LoadDocument, broken: list[ThresholdResult]) -> str:
    words = listed([threshold_words(one) for one in broken[:2]])
    if all(one.unit == "ms" for one in broken):
        if document.waterfall is None or document.waterfall.source == "client":
            return (
                f"find out why {words} does not hold: loadgen run "
                f"{document.provenance.profile_file} --logs tells where the time goes."
            )
        return f"look below at where the time goes, for {words}."
    return f"look below at what refused and what failed, for {words}."
