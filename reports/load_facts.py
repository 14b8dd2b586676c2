"""The small print of a load run: the generator's health, what it cost, how to repeat it."""

from __future__ import annotations

import shlex

from reports.figures import (
    bytes_of,
    closed,
    megabytes,
    moment,
    part_of,
    percent,
    rate_number,
    seconds,
    short_time,
    usd,
)
from reports.load_document import LoadDocument
from reports.load_telemetry import CoverageState
from reports.raw_files import file_facts

_COVERAGE: dict[CoverageState, str] = {
    "covered": "the counts agree",
    "late": "more may come",
    "fewer": "CloudWatch lacks some, so that its figures are not used",
    "shared": "others called too, so that its figures are not used",
    "none": "CloudWatch counts no request of the stage",
    "unknown": "CloudWatch is not known",
}

TWO_CLOCKS = (
    "Response time counts from the moment when a request was due (its intended start), so that "
    "waiting behind a stalled server or a late generator is in it. Service time counts from the "
    "moment when the request was really sent. Percentiles come from merged histograms, never from "
    "averages."
)


def validity_sentence(document: LoadDocument) -> str:
    """Whether the load generator itself can be trusted."""
    if document.validity.verdict == "invalid":
        return "The measurement is not valid."
    warnings = len(document.validity.warnings)
    if warnings:
        return f"The measurement is valid, with {'a warning' if warnings == 1 else 'warnings'}."
    return "The measurement is valid: the load generator did what the schedule asked of it."


def health_of(document: LoadDocument) -> list[tuple[str, str]]:
    """What the load generator did to the measurement, by name and value."""
    health, requests = document.validity, document.requests
    facts = [
        ("Start lag", _lag(document)),
        ("CPU of the busiest injector", _share(health.cpu_share_max)),
        ("Rate, achieved of asked", _achieved(document)),
        ("Dropped", f"{requests.dropped:,} ({part_of(health.dropped_share, 1)} of arrivals)"),
        ("Cut at the end", f"{requests.cut:,} ({part_of(requests.cut, requests.sent)} of sent)"),
        ("Injectors", f"{health.injectors:,}"),
        ("Requests, client and CloudWatch", _counts_beside(document)),
        ("Clock skew", "none between injectors, which share a clock; that of AWS is not measured"),
    ]
    if health.injectors_ended_early:
        facts.append(("Injectors that ended early", f"{health.injectors_ended_early:,}"))
    if requests.lost:
        facts.append(("Lost with them", f"{requests.lost:,} requests, outcome unknown"))
    return facts


def _achieved(document: LoadDocument) -> str:
    """Sent of due; a closed model asks for as much as its users send."""
    requests, length_s = document.requests, document.measured_s
    if not length_s or not requests.offered:
        return "nothing was due"
    sent, due = (rate_number(count / length_s) for count in (requests.sent, requests.offered))
    return f"{sent} of {due}/s ({part_of(requests.sent, requests.offered)})"


def _counts_beside(document: LoadDocument) -> str:
    """What the client counted beside what AWS published, and what that means."""
    if document.telemetry is None:
        return "CloudWatch was not asked"
    coverage = document.telemetry.coverage
    if coverage.counted is None:
        return f"{coverage.answered:,} answered; {_COVERAGE[coverage.state]}"
    return (
        f"{coverage.answered:,} answered, {coverage.counted:,} counted: {_COVERAGE[coverage.state]}"
    )


def _lag(document: LoadDocument) -> str:
    p50, p99 = document.validity.start_lag_p50_ms, document.validity.start_lag_p99_ms
    if p50 is None or p99 is None:
        return "not measured"
    return f"{short_time(p50)} at p50, {short_time(p99)} at p99"


def _share(share: float | None) -> str:
    return "not measured" if share is None else f"at most {percent(share)} of a core"


def books_of(document: LoadDocument) -> list[tuple[str, str]]:
    """Where every request of the measured phases went."""
    requests, outcomes = document.requests, document.outcomes
    return [
        ("Offered", f"{requests.offered:,}"),
        ("Sent", f"{requests.sent:,}"),
        ("Completed", f"{requests.completed:,}"),
        ("Ok", f"{outcomes.ok:,}"),
        ("Throttled", f"{outcomes.throttled:,}"),
        ("Received", bytes_of(document.bytes_in)),
    ]


def spent_sentences(document: LoadDocument) -> list[str]:
    """What the run cost at list prices, and how that came about."""
    spent = document.spent
    if spent.usd is None:
        first = "What this run cost is not known."
    else:
        first = f"{usd(spent.usd)} at list prices."
    if spent.estimated_usd is not None:
        first += f" The estimate before the run was {usd(spent.estimated_usd)}."
    return [first, *(closed(sentence) for sentence in spent.detail)]


def facts_of(document: LoadDocument) -> list[tuple[str, str]]:
    """Names and values of all that somebody needs to repeat the run."""
    run = document.provenance
    return [
        ("Run", run.run_id),
        ("Started", moment(run.started_utc)),
        ("Finished", moment(run.finished_utc)),
        ("Command", shlex.join(run.command)),
        ("Tool version", run.tool_version),
        ("Profile", run.profile_file),
        ("Profile SHA-256", run.profile_sha256),
        ("Environment", run.environment or "none chosen"),
        ("Seed", str(run.seed)),
        ("Model", f"open, {run.arrivals}" if run.model == "open" else run.model),
        ("Processes", f"{run.processes:,}"),
        *_target_facts(document),
        ("Endpoint", run.endpoint or "AWS"),
        *_function_facts(document),
        *_source_facts(document),
    ]


def _function_facts(document: LoadDocument) -> list[tuple[str, str]]:
    """The functions behind the steps, as they were configured, with the versions that answered."""
    versions: dict[str, set[str]] = {}
    for seen in document.telemetry.functions if document.telemetry else ():
        found = versions.setdefault(seen.function, set())
        found.update(one.version for one in seen.versions)
        if seen.qualifier:
            found.add(seen.qualifier)
    facts = []
    for one in document.functions:
        words = f"{one.name}, {megabytes(one.memory_mb)}, {one.arch}, times out after "
        words += seconds(one.timeout_s)
        known = sorted(versions.get(one.name, ()))
        facts.append(("Function", f"{words}, version {', '.join(known)}" if known else words))
    return facts


def _source_facts(document: LoadDocument) -> list[tuple[str, str]]:
    """How much was measured, by which prices, and the raw data with their digests."""
    facts = [("Requests measured", f"{document.requests.completed:,}")]
    if document.spent.prices_date:
        facts.append(("Prices of", document.spent.prices_date))
    return [*facts, *file_facts(document.raw_files)]


def _target_facts(document: LoadDocument) -> list[tuple[str, str]]:
    target = document.target
    facts = [("Target", target.url)]
    if target.api_id or target.api_name:
        kind = f"{target.api_kind.upper()} API " if target.api_kind else ""
        names = " ".join(name for name in (target.api_name, _bracketed(target.api_id)) if name)
        facts.append(("API", f"{kind}{names}"))
    known = (
        ("Stage", target.stage),
        ("Region", target.region),
        ("Account", target.account),
        ("Auth", ", ".join(target.auth) or "none"),
    )
    return facts + [(name, value) for name, value in known if value]


def _bracketed(identifier: str | None) -> str | None:
    return None if identifier is None else f"({identifier})"
