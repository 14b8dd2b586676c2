"""Entries about charts: what each draws, and how it misleads who reads it quickly.

`chart` is the name by which `reports chart RUN NAME` finds it.
"""

from __future__ import annotations

from reports.glossary_term import Term


def _chart(name: str, unit: str, what: str, trap: str, where: str) -> Term:
    return Term(f"chart {name}", "chart", unit, what, trap, where=where, also=(name,), chart=name)


CHARTS = (
    _chart(
        "rate", "requests/s over time",
        "What was offered as a line and what became of it as stacked areas, by the second in "
        "which a request was due.",
        "Where the line lies above the areas, the generator dropped or cut requests: that is no "
        "refusal of the API.",
        "seconds[]",
    ),
    _chart(
        "latency", "ms over time",
        "p50, p95 and p99 of response time in each second, and p95 of service time.",
        "All completed requests are in it: in seconds with many refusals the lines fall.",
        "seconds[]",
    ),
    _chart(
        "spectrum", "ms by percentile",
        "Each percentile of the latencies, on an axis where each step to the right is rarer by the "
        "same factor: 1 / (1 - q).",
        "The right end rests on a handful of requests.",
        "histograms, response_ms, service_ms",
    ),
    _chart(
        "waterfall", "ms",
        "The parts of the response time, of the median request and of the slowest 1 % as a group.",
        "Parts are means of a group: no single request was like that. What is left over is shown.",
        "waterfall",
    ),
    _chart(
        "budget", "% of the error budget over time",
        "How much of the errors that an objective allows was used up to each moment, by what went "
        "wrong.",
        "The budget is that of this run's requests, not of a month.",
        "thresholds[], seconds[].errors",
    ),
    _chart(
        "cold-starts", "share of requests over time",
        "How many requests met a cold start, over the run.",
        "Only requests whose REPORT line was found are counted.",
        "cold_starts",
    ),
    _chart(
        "concurrency", "calls at once by rate",
        "How many calls run at once at each rate, by Little's law, beside the limits of account "
        "and function.",
        "It takes the durations of this run: a slower dependency raises the whole curve.",
        "prediction, limits[].concurrency",
    ),
    _chart(
        "load-latency", "ms by requests/s",
        "p95 of response time at each rate that was held: where it bends up is the knee.",
        "Points of a ramp are means over changing rates.",
        "phases[], search.steps[]",
    ),
    _chart(
        "load-served", "requests/s by requests/s",
        "Ok answers a second at each offered rate.",
        "Below the diagonal requests are refused, fail, or wait too long: it does not say which.",
        "search.steps[]",
    ),
    _chart(
        "cost", "$ for each million",
        "Of a tuning: the cost of a million invocations against memory, measured and fitted. Of a "
        "load run: what a million requests cost, part by part.",
        "List prices: free tier and savings plans are left out.",
        "sizes[].cost_usd_per_million, model.curve; spent, cost parts",
    ),
    _chart(
        "duration", "ms by memory",
        "How long a warm invocation typically takes against memory.",
        "Above a range of ten the axis is logarithmic: equal steps are equal factors.",
        "sizes[].duration_typical_ms, model.curve",
    ),
    _chart(
        "pareto", "$ by ms",
        "What a million invocations cost against how long one takes, a point for each size.",
        "Both intervals of a point come from the same durations, so that they are not independent.",
        "sizes[], arch.sizes[]",
    ),
    _chart(
        "cold", "ms by memory",
        "What the first call of a new environment takes, and INIT alone, against memory.",
        "Medians of few cold starts differ by chance: read the trend.",
        "sizes[].cold_p50_ms, .init_p50_ms",
    ),
    _chart(
        "split", "$ for each million",
        "What a million invocations are made of, now and at the recommended size.",
        "The request fee is the same at every size: memory changes the rest alone.",
        "sizes[], prices",
    ),
    _chart(
        "residuals", "factor, or requests",
        "Of a tuning: measured over fitted at each size. Of a probe: admitted less what the limit "
        "that was found would admit, added up.",
        "A pattern means that the model is wrong there, however small it is.",
        "model, bins[]",
    ),
    _chart(
        "admitted", "requests/s over time",
        "What a probe sent and what was admitted, beside what the limit that was found would "
        "admit.",
        "Bins are short, so that single ones differ by chance.",
        "bins[]",
    ),
    _chart(
        "frontier", "requests by requests/s",
        "Of a probe that was not refused: for each rate the least burst that a limit must have "
        "to let all through that was sent.",
        "It bounds what a limit may be. It does not find one.",
        "finding.frontier",
    ),
    _chart(
        "init", "cold starts by ms",
        "How many cold starts took how long to INIT (or restore), on a logarithmic axis.",
        "Environments that AWS made ahead of requests have none that anybody waits for.",
        "cold_starts",
    ),
    _chart(
        "blocks", "ms over time",
        "Of a comparison of load runs: a percentile in equal blocks of time, of both runs.",
        "Blocks are the unit of chance here: two that differ say nothing of the runs.",
        "histograms.blocks",
    ),
)  # fmt: skip
