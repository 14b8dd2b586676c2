"""Entries about load runs and probes: latencies, measures, outcomes, causes, validity, limits."""

from __future__ import annotations

from reports.glossary_term import Term

_HISTOGRAMS = (
    "The injectors' clocks (perf_counter_ns), in HDR histograms of three digits that are merged."
)
_BOOKS = "The books of the run: each request has one outcome, counted in the measured phases."
_REFUSAL = "A share of refusals says how much was offered above the limit, not that the API is bad."

LOAD_TERMS = (
    # -- latencies --------------------------------------------------------------------------------
    Term(
        "response time", "latency", "ms",
        "From when a request was due by the schedule to the last byte of its answer: what a caller "
        "waits. A request that began late because the server stalled counts from when it should "
        "have begun. Of all completed requests, refused and failed ones too.",
        "Refusals take a millisecond: where many are refused, the percentiles of all fall. Read "
        "ok_response beside it.",
        "end of the answer - intended start", _HISTOGRAMS, "response_ms, seconds[].response_p95_ms",
        ("response", "response_ms", "latency", "duration"),
    ),
    Term(
        "service time", "latency", "ms",
        "From when a request was sent to the last byte of its answer: what the API did with it, "
        "without the wait before it was sent.",
        "It hides stalls: while a server stands still, requests that could not be sent have no "
        "service time. Where it leaves response time, requests waited.",
        "end of the answer - actual start", _HISTOGRAMS, "service_ms, seconds[].service_p95_ms",
        ("service", "service_ms"),
    ),
    Term(
        "ok_response", "latency", "ms",
        "Response time of the requests with outcome ok alone, from their intended start.",
        "It says nothing of those that failed: an API that answers the easy half quickly looks "
        "good. Read it with the share of ok requests.",
        "end of the answer - intended start", _HISTOGRAMS, "ok_response_ms, histograms.ok_response",
        ("ok_response_ms", "ok response"),
    ),
    Term(
        "first_byte", "latency", "ms",
        "From when a request was sent to the first byte of its answer.",
        "A Lambda behind a REST API answers whole, so that this is nearly the service time; only "
        "large or streamed answers part them.",
        "first byte of the answer - actual start", _HISTOGRAMS, "first_byte_ms",
        ("first_byte_ms", "ttfb", "time to first byte"),
    ),
    Term(
        "connect", "latency", "ms",
        "Looking up the name and making the TCP connection; only of requests that made one.",
        "n is the number of new connections and not of requests: with keep-alive it is small.",
        "connected - lookup begun", _HISTOGRAMS, "connect_ms", ("connect_ms", "tcp"),
    ),
    Term(
        "tls", "latency", "ms", "The TLS handshake; only of requests that made a connection.",
        "A pool of warm connections has none: a caller that connects anew pays it each time.",
        "handshake ended - connected", _HISTOGRAMS, "tls_ms", ("tls_ms", "handshake"),
    ),
    Term(
        "coordinated omission", "latency", "",
        "A client that waits for an answer before it asks again sends less while the server is "
        "slow, and so measures mostly the good times. Response time from the intended start, and "
        "arrivals on schedule, do not have this fault.",
        "Percentiles of tools that loop (users without a schedule) are not comparable with those "
        "of an open model: theirs are lower.",
        also=("omission",),
    ),
    # -- measures ---------------------------------------------------------------------------------
    Term(
        "percentile", "measure", "ms",
        "pQ is the time that Q % of the requests took at most.",
        "Percentiles cannot be averaged, over seconds, steps or machines: merge histograms. A "
        "p99.9 of 500 requests is their maximum.",
        "value at rank ceil(Q / 100 x n), at most 0.1 % above the measured one",
        _HISTOGRAMS, "*_ms.p50, .p90, .p95, .p99, .p999",
        ("p50", "p90", "p95", "p99", "p99.9", "p999", "median", "quantile"),
    ),
    Term(
        "max", "measure", "ms", "The slowest request, exactly.",
        "It grows with the length of a run, so that maxima of runs of different length are not "
        "comparable.", "", _HISTOGRAMS, "*_ms.max", ("maximum",),
    ),
    Term(
        "mean", "measure", "ms", "The sum of the times over their number, exactly.",
        "A few slow requests move it, and nobody experiences it. Use it with Little's law, not for "
        "what callers wait.", "sum / n", _HISTOGRAMS, "*_ms.mean", ("average", "avg"),
    ),
    Term(
        "rate", "measure", "share of 1, shown in %",
        "In a threshold: how many requests had an outcome, of those completed; of dropped, of "
        "those offered.",
        "It is no requests a second: that is rps. The chart `rate` shows requests a second.",
        "count of the outcome / completed", _BOOKS, "thresholds[].value", ("share",),
    ),
    Term(
        "count", "measure", "requests", "How many requests had an outcome.",
        "It grows with the length of a run; for a limit that means the same next time, use rate.",
        "", _BOOKS, "outcomes, requests",
    ),
    Term(
        "rps", "measure", "requests/s",
        "Requests a second with an outcome, over the length of the measured phases.",
        "A burst adds to the first seconds: short phases come out above the limit that holds for "
        "long.", "count / measured_s", _BOOKS, "rates.offered_rps, .admitted_rps, .throttled_rps",
        ("throughput", "requests per second"),
    ),
    # -- outcomes ---------------------------------------------------------------------------------
    Term(
        "offered", "outcome", "requests",
        "Requests that were due by the schedule: those sent, and those of arrivals that the "
        "generator dropped.",
        "It is what was asked of the generator; compare with sent before blaming the API.",
        "sent + requests of dropped arrivals", _BOOKS, "requests.offered",
    ),
    Term(
        "completed", "outcome", "requests", "Requests with an outcome, whatever it was.",
        "Refused and failed requests are completed too: it is no measure of success.",
        "sent - cut", _BOOKS, "requests.completed", ("requests",),
    ),
    Term(
        "admitted", "outcome", "requests",
        "Completed requests that were not throttled: what limits let through.",
        "Errors are among them: a 500 was admitted and failed.",
        "completed - throttled", _BOOKS, "rates.admitted_rps, seconds[].admitted",
    ),
    Term(
        "ok", "outcome", "requests",
        "Answers that are neither a refusal nor an error, and that pass all checks of their step.",
        "Without checks, a 200 with an error in its body is ok.", "", _BOOKS, "outcomes.ok",
        ("success", "goodput"),
    ),
    Term(
        "throttled", "outcome", "requests",
        "Refused because of a limit: an outcome of its own, neither success nor failure of the "
        "API. Its cause says whose limit.",
        _REFUSAL, "", _BOOKS, "outcomes.throttled, throttled_by_cause", ("429", "throttle",
        "refused"),
    ),
    Term(
        "failed", "outcome", "requests", "Completed, but neither ok nor throttled.",
        "Refusals are not in it. An API that refuses everything has no failed request.",
        "completed - ok - throttled", _BOOKS, "outcomes", ("errors", "error"),
    ),
    Term(
        "client_error", "outcome", "requests", "Answers with a 4xx that is no refusal by a limit.",
        "A 403 may be an expired credential of the test and not of the API.", "", _BOOKS,
        "outcomes.client_error", ("4xx",),
    ),
    Term(
        "server_error", "outcome", "requests", "Answers with a 5xx that is no refusal by a limit.",
        "Lambda's own throttle comes as 500 behind a REST API and as 503 behind an HTTP API, "
        "and is throttled where the evidence says so.", "", _BOOKS, "outcomes.server_error",
        ("5xx", "500"),
    ),
    Term(
        "timeout", "outcome", "requests", "No answer, or no whole one, within the request's "
        "timeout.",
        "Its response time is the timeout: the true one is longer, or never.", "", _BOOKS,
        "outcomes.timeout", ("timeouts",),
    ),
    Term(
        "connection_error", "outcome", "requests",
        "No answer, because the connection could not be made or broke.",
        "Machines that run out of ports or descriptors cause it themselves: see no_connection.",
        "", _BOOKS, "outcomes.connection_error",
    ),
    Term(
        "check_failed", "outcome", "requests",
        "The answer came, but a check of the step did not hold, or there was nothing to capture.",
        "Later steps of the flow are not sent then, so that their counts fall too.", "", _BOOKS,
        "outcomes.check_failed, failures", ("checks",),
    ),
    Term(
        "dropped", "outcome", "arrivals",
        "Arrivals that the generator did not begin, because max_in_flight was reached.",
        "They have no latency. More than 0.1 % of them make the measurement invalid.",
        "offered arrivals - begun", _BOOKS, "requests.dropped, validity.dropped_share",
    ),
    Term(
        "cut", "outcome", "requests", "In flight when the drain at the end of a run was over.",
        "They were slow and have no latency, so that percentiles without them are too good.",
        "sent - completed", _BOOKS, "requests.cut",
    ),
    Term(
        "lost", "outcome", "requests",
        "Requests of an injector that ended early: what became of them is not known.",
        "One is enough to make a measurement invalid.", "", _BOOKS, "requests.lost",
    ),
    # -- causes -----------------------------------------------------------------------------------
    Term(
        "cause", "cause", "",
        "Whose limit refused a request, or what broke it: account, stage, method, usage_plan, "
        "usage_plan_method, quota, lambda_concurrency, throttle (some of these), waf, authorizer, "
        "application, integration_timeout; of connections dns, refused, connect_timeout, tls, "
        "reset, closed_early, malformed, response_timeout, no_connection; or unknown.",
        "What a cause rests on stands beside it. `the configuration implies` is a replay "
        "through the limits that were configured: others may have taken tokens unseen.",
        "", "The answer, rules of the profile, configuration, access log and metrics.",
        "throttled_by_cause[], errors_by_cause[]",
        (
            "account", "stage", "method", "usage_plan", "usage_plan_method", "quota",
            "lambda_concurrency", "waf", "authorizer", "application", "unknown",
            "integration_timeout", "dns", "connect_timeout", "reset", "closed_early", "malformed",
            "response_timeout", "no_connection",
        ),
    ),
    Term(
        "evidence", "cause", "",
        "How a cause is known, from weak to strong: wire (the answer says), rule (a rule of the "
        "profile), configuration (a replay implies it), access_log, metrics.",
        "A cause with evidence `wire` may say only that something throttled, not what.", "", "",
        "throttled_by_cause[].evidence",
    ),
    # -- validity ---------------------------------------------------------------------------------
    Term(
        "start lag", "validity", "ms",
        "How much later than due the first requests of arrivals began: the generator's own fault.",
        "It is in response time. A p99 above 10 ms makes the measurement invalid: use more "
        "processes or a larger machine.",
        "actual start - intended start", "All arrivals, warm-up included.",
        "validity.start_lag_p99_ms", ("start_lag", "lag", "schedule lag"),
    ),
    Term(
        "valid", "validity", "",
        "Whether the figures are those of the API: start lag, CPU, dropped, cut and lost "
        "requests of the generator within their limits.",
        "Validity says nothing of the API. An invalid run that meets its thresholds is invalid.",
        "", "", "validity", ("validity", "invalid"),
    ),
    Term(
        "error budget", "validity", "share of 1, shown in %",
        "How much of the errors that an objective allows the run has used up.",
        "The budget of a test is that of its own requests; that of a month is larger.",
        "errors / (allowed share x completed)", _BOOKS, "thresholds[], seconds[].errors",
        ("budget",),
    ),
    # -- limits -----------------------------------------------------------------------------------
    Term(
        "token bucket", "limit", "",
        "How API Gateway limits: a bucket holds `burst` tokens and gains `rate` tokens a "
        "second; each request takes one, and is refused where there is none.",
        "AWS keeps limits as best effort, on many machines: some requests above it come through.",
        "admitted in t seconds <= burst + rate x t",
        "AWS: Throttle requests to your REST APIs for better throughput in API Gateway",
        "limits[].rate_rps, .burst; finding",
        ("bucket", "burst", "rate limit"),
    ),
    Term(
        "concurrency", "limit", "calls at once",
        "How many calls of a function run at the same time, by Little's law.",
        "It grows with duration as well as with rate: a slow dependency can use up a quota at the "
        "same rate.",
        "arrivals a second x mean duration in s", "J. D. C. Little, 1961",
        "limits[].concurrency, prediction", ("littles law", "in flight"),
    ),
    Term(
        "knee", "limit", "requests/s",
        "The rate from which latency grows faster than the rate.",
        "The highest rate that holds an SLO may be below or above it.",
        "where rate / p95 is greatest", "L. Kleinrock's power of a queue, 1979", "search.knee",
    ),
    Term(
        "max_rate", "limit", "requests/s",
        "The highest rate that holds the SLO: between the highest that was seen to hold it and the "
        "lowest that was seen to break it, by a sequential test.",
        "No rate was held for longer than its step: a larger burst or slow leaks show later.",
        "", "", "search.rate_rps, .low_rps, .high_rps", ("maximum rate", "search"),
    ),
    Term(
        "amplification", "limit", "requests for each operation",
        "How many requests clients that retry send for each operation.",
        "Retries load an API that is overloaded already, and are in offered.",
        "requests / operations", "", "retries", ("retries", "retry"),
    ),
)  # fmt: skip
