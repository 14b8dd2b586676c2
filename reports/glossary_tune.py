"""Entries about tunings, and about the statistics that all reports use."""

from __future__ import annotations

from reports.glossary_term import Term

_REPORT = "The REPORT line that Lambda writes for each invocation."
_PRICES = "The price list of AWS for the region, at its date."

TUNE_TERMS = (
    Term(
        "warm duration", "tuning", "ms",
        "How long the handler ran in an environment that had run before, as REPORT states it "
        "(Duration). It begins when the handler is called.",
        "It is no latency of a caller: network, gateway and cold starts are not in it.",
        "", _REPORT, "sizes[].duration_ms", ("duration_ms", "duration warm"),
    ),
    Term(
        "typical duration", "tuning", "ms",
        "One figure for the warm durations of a size. Fixed plan: their mean without the "
        "fastest and the slowest tenth. Adaptive plan: the median of what is believed of it "
        "after all calls.",
        "Costs follow the mean and callers feel the tail: this is neither. See slo for "
        "percentiles.",
        "trimmed mean, 10 % at each end", _REPORT,
        "sizes[].duration_typical_ms, .duration_interval_ms", ("duration_typical_ms", "typical"),
    ),
    Term(
        "billed duration", "tuning", "ms",
        "What AWS bills for: duration rounded up to a whole millisecond; for a cold call INIT "
        "is in it.",
        "Since August 2025 INIT of managed runtimes with ZIP code is billed as well.",
        "ceil(duration in ms), INIT included where cold", _REPORT, "sizes[].billed_typical_ms",
        ("billed", "billed_typical_ms"),
    ),
    Term(
        "cost per million", "tuning", "$ for each million invocations",
        "List price of a million warm invocations: the request fee, and memory times billed time.",
        "API Gateway, logs, data transfer and cold starts are not in it. Free tier and savings "
        "plans are left out.",
        "1e6 x (request price + GB x billed s x GB-second price)", _PRICES,
        "sizes[].cost_usd_per_million, .cost_interval",
        ("cost", "cost_usd_per_million", "usd per million"),
    ),
    Term(
        "gb-second", "tuning", "GB-s", "A gigabyte of memory for a second: what Lambda bills.",
        "GB is 1,024 MB here.", "memory in MB / 1024 x billed s", _PRICES, "spent.gb_seconds",
        ("gb_seconds", "gb s"),
    ),
    Term(
        "vcpu", "tuning", "share of a vCPU",
        "CPU that a memory size buys: one vCPU at 1,769 MB, in proportion below and above.",
        "Code with one thread gains next to nothing above 1,769 MB.",
        "memory in MB / 1769", "AWS Lambda, Configure Lambda function memory", "sizes[].vcpu_share",
        ("vcpu_share",),
    ),
    Term(
        "cold start", "tuning", "ms",
        "The first call of a new environment: INIT (or restore) and the handler.",
        "Medians of a few cold starts differ by chance. What it costs depends on their share of "
        "the calls (--cold-share), not on their length alone.",
        "INIT + duration of the first call", _REPORT,
        "sizes[].cold_p50_ms, .init_p50_ms, cold", ("cold", "init", "cold_share", "cold_p50_ms"),
    ),
    Term(
        "saving", "tuning", "share of 1, shown in %",
        "By how much the recommended size costs less, or takes less time, than the current one.",
        "It is of this function's Lambda bill and not of the whole one.",
        "1 - recommended / current", "", "recommendation.saving",
        ("cost_share", "duration_share"),
    ),
    Term(
        "regret", "tuning", "share of 1, shown in %",
        "By how much the recommended size is expected to be worse than the unknown best.",
        "It is about the candidates: a size that was no candidate may be better still.",
        "mean over beliefs of (chosen / best - 1); its 90 % bound beside it", "",
        "recommendation.regret_share, .regret_bound_share", ("regret_share",),
    ),
    Term(
        "tie", "tuning", "",
        "Sizes that the data do not show to be over 1 % worse than the best.",
        "Tied does not mean equal: more samples may part them.", "", "", "recommendation.tied_mb",
        ("tied", "tied_mb"),
    ),
    Term(
        "slo", "tuning", "",
        "A limit on a percentile of warm durations, or of response times in a load run. A tuning "
        "names the cheapest size whose samples show it to keep the limit.",
        "59 samples of a size are the fewest that can show a p95; a few fast ones show nothing.",
        "upper bound of the percentile < limit, with 95 %",
        "Order statistics: no distribution is assumed.", "slo, sizes[].slo, thresholds[]",
        ("objective", "limit"),
    ),
    Term(
        "pareto", "tuning", "",
        "The sizes that no other size undercuts in both cost and duration.",
        "By measured means: where intervals overlap, a size may belong to it by chance.", "", "",
        "arch.sizes[].pareto", ("pareto front", "frontier"),
    ),
    Term(
        "leave-one-out error", "tuning", "factor",
        "How far the fitted curve misses a size that it has not seen, over all sizes but the ends.",
        "It is about sizes between those that were measured, not beyond them.",
        "root mean square of log(predicted / measured)", "", "model.loo_error, model.unseen",
        ("loo", "loo_error"),
    ),
    Term(
        "break-even", "tuning", "requests, or days",
        "After so many requests the saving has paid for the tuning.",
        "It counts what the run cost AWS bills, not anybody's time.",
        "cost of the run / saving for each request", "", "monthly.break_even_requests",
        ("break_even", "break_even_requests"),
    ),
    # -- statistics -------------------------------------------------------------------------------
    Term(
        "interval", "statistics", "as the figure",
        "Where the true value is expected: 90 % intervals in tunings and probes, 95 % for "
        "percentiles of load runs.",
        "It covers chance within the run: not what changes from day to day, or from account to "
        "account.",
        "tunings: bootstrap or beliefs; percentiles: order statistics over blocks of time", "",
        "*_interval, *_interval_ms", ("confidence interval", "ci", "90 % interval", "band"),
    ),
    Term(
        "n", "statistics", "samples or requests", "How many values a figure rests on.",
        "Requests of one moment are slow together: a thousand of them tell less than n says.",
        "", "",
        "*.n", ("samples", "sample size"),
    ),
    Term(
        "residual", "statistics", "as the figure, or a factor",
        "What is left between what was measured and what a model says.",
        "Residuals with a pattern mean a wrong model, however small they are.",
        "measured / fitted, or measured - modelled", "", "model, bins[].model", ("residuals",),
    ),
)  # fmt: skip
