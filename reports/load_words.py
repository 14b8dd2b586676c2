"""Names of outcomes, causes, evidence and limits, as people read them.

A document may carry a name that is not known here, from a later version: it is shown as it is,
with spaces for underscores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.figures import ABSENT, listed, rate_number
from reports.load_document import CauseCount, ConfiguredLimit, Outcomes

ERROR_CLASSES = (
    "client_error",
    "server_error",
    "timeout",
    "connection_error",
    "check_failed",
)
_CLASS_WORDS = {
    "ok": ("ok", "ok"),
    "throttled": ("throttled", "throttled"),
    "client_error": ("client error (4xx)", "client errors (4xx)"),
    "server_error": ("server error (5xx)", "server errors (5xx)"),
    "timeout": ("timeout", "timeouts"),
    "connection_error": ("connection error", "connection errors"),
    "check_failed": ("failed check", "failed checks"),
}

_SLOW = ("connect_timeout", "response_timeout")
_ENDINGS = {
    "throttled": "were refused",
    "connection_error": "had connection errors",
    "check_failed": "failed a check",
}

# Short, for legends and cells; and what a request was refused by.
_CAUSES = {
    "account": ("account throttle", "the account's throttle"),
    "stage": ("stage throttle", "the stage's throttle"),
    "method": ("method throttle", "a method's or route's throttle"),
    "usage_plan": ("usage-plan throttle", "the usage plan's throttle"),
    "usage_plan_method": ("plan's method throttle", "a method's throttle in the usage plan"),
    "quota": ("quota", "the usage plan's quota"),
    "lambda_concurrency": ("Lambda concurrency", "Lambda's concurrency limit"),
    "throttle": ("some throttle", "a throttle that nothing names"),
    "authorizer": (
        "authorizer, signature or API key",
        "the check of authorizer, signature or API key",
    ),
    "waf": ("WAF", "AWS WAF"),
    "application": ("application", "the application itself"),
    "unknown": ("unknown", "an unknown cause"),
    "none": ("unknown", "an unknown cause"),
    "dns": ("name not resolved", "a name that was not resolved"),
    "refused": ("connection refused", "a refused connection"),
    "connect_timeout": ("no connection in time", "a connection that took too long"),
    "tls": ("TLS handshake", "the TLS handshake"),
    "reset": ("connection reset", "a reset connection"),
    "closed_early": ("closed early", "a connection that closed before the whole response"),
    "malformed": ("not HTTP", "a response that is not HTTP"),
    "response_timeout": ("no response in time", "a response that took too long"),
    "no_connection": ("no connection free", "no free connection in the load generator"),
    "integration_timeout": ("integration timeout", "the integration's timeout"),
}

_EVIDENCE = {
    "none": "nothing says so",
    "wire": "the response says",
    "rule": "a rule of the profile says",
    "configuration": "the configuration implies",
    "access_log": "the access log says",
    "metrics": "the metrics count",
}

_LAYERS = {
    "account": "Account",
    "stage": "Stage",
    "method": "Method",
    "usage_plan": "Usage plan",
    "usage_plan_method": "Usage plan, method",
    "quota": "Quota",
    "lambda_concurrency": "Lambda concurrency",
}


@dataclass(frozen=True, slots=True)
class CauseTotal:
    """All refused or broken requests of one cause, whatever the evidence."""

    cause: str
    count: int
    by_evidence: Mapping[str, int]


def plain(name: str) -> str:
    """A name of a document as words."""
    return name.replace("_", " ")


def cause_word(cause: str) -> str:
    """A cause for a legend or a cell: stage throttle."""
    return _CAUSES[cause][0] if cause in _CAUSES else plain(cause)


def cause_phrase(cause: str) -> str:
    """A cause after "by": the stage's throttle."""
    return _CAUSES[cause][1] if cause in _CAUSES else plain(cause)


def class_word(outcome: str, count: int = 2) -> str:
    """A class of outcomes, singular for a count of one: server errors (5xx)."""
    if outcome not in _CLASS_WORDS:
        return plain(outcome)
    one, many = _CLASS_WORDS[outcome]
    return one if count == 1 else many


def totals_of(counts: Sequence[CauseCount]) -> list[CauseTotal]:
    """One total for each cause, the most frequent first."""
    known: dict[str, dict[str, int]] = {}
    numbers: dict[str, int] = {}
    for entry in counts:
        numbers[entry.cause] = numbers.get(entry.cause, 0) + entry.count
        found = known.setdefault(entry.cause, {})
        for evidence, count in (entry.by_evidence or {entry.evidence: entry.count}).items():
            found[evidence] = found.get(evidence, 0) + count
    merged = [CauseTotal(cause, numbers[cause], found) for cause, found in known.items()]
    return sorted(merged, key=lambda total: (-total.count, total.cause))


def evidence_words(by_evidence: Mapping[str, int]) -> str:
    """How a cause is known; with counts where not all of it is known in one way."""
    ranked = sorted(by_evidence.items(), key=lambda item: (-item[1], item[0]))
    if len(ranked) == 1:
        return _EVIDENCE.get(ranked[0][0], plain(ranked[0][0]))
    return listed([f"{_EVIDENCE.get(name, plain(name))} ({count:,})" for name, count in ranked])


def known_words(entry: CauseCount) -> str:
    """How the cause of an entry is known; empty where no cause is claimed."""
    by_evidence = dict(entry.by_evidence or {entry.evidence: entry.count})
    if set(by_evidence) == {"none"}:
        return ""
    if entry.outcome in ("connection_error", "timeout") and set(by_evidence) == {"wire"}:
        return "the load generator saw it"  # there is no response, or no whole one
    return cause_evidence_words(entry.cause, by_evidence)


def cause_evidence_words(cause: str, by_evidence: Mapping[str, int]) -> str:
    """How a cause is known; of an unknown one, that the response does not tell it."""
    if cause == "unknown" and set(by_evidence) == {"wire"}:
        return "the response does not tell"
    return evidence_words(by_evidence)


def failed_count(outcomes: Outcomes) -> int:
    """Requests that neither succeeded nor were throttled."""
    return sum(getattr(outcomes, name) for name in ERROR_CLASSES)


def ranked_outcomes(outcomes: Outcomes) -> list[tuple[str, int]]:
    """The classes that requests have which are not ok, with counts, the most frequent first."""
    counts = [(name, getattr(outcomes, name)) for name in ("throttled", *ERROR_CLASSES)]
    return sorted((pair for pair in counts if pair[1]), key=lambda pair: -pair[1])


def failures_in_words(outcomes: Outcomes) -> str:
    """The failed requests by class, the most frequent first: 12 timeouts and 3 failed checks."""
    ranked = [(name, count) for name, count in ranked_outcomes(outcomes) if name != "throttled"]
    return listed([f"{count:,} {class_word(name, count)}" for name, count in ranked])


def ending_words(outcome: str, cause: str | None = None) -> str:
    """What happened to requests: got client errors (4xx), caused by AWS WAF."""
    if outcome == "timeout":
        return f"got {cause_word(cause)}" if cause in _SLOW else "timed out"
    words = _ENDINGS.get(outcome) or f"got {class_word(outcome)}"
    if cause is None or cause in ("none", "unknown"):
        return words
    return f"{words}, caused by {cause_phrase(cause)}"


def layer_word(layer: str) -> str:
    """The layer of a limit: Usage plan."""
    return _LAYERS.get(layer, plain(layer).capitalize())


def quota_words(limit: ConfiguredLimit) -> str:
    """A quota with its period and what of it was used before: 200 a day, 30 used before."""
    if limit.quota is None:
        return ABSENT
    amount = f"{limit.quota:,} a {limit.period.lower()}" if limit.period else f"{limit.quota:,}"
    return f"{amount}, {limit.used:,} used before" if limit.used else amount


def limit_words(limit: ConfiguredLimit) -> str:
    """A limit in one line: stage prod: 80/s, burst 40."""
    parts = []
    if limit.rate_rps is not None:
        parts.append(f"{rate_number(limit.rate_rps)}/s")
    if limit.burst is not None:
        parts.append(f"burst {limit.burst:,}")
    if limit.quota is not None:
        parts.append(quota_words(limit))
    if limit.concurrency is not None:
        parts.append(f"{limit.concurrency:,} at once")
    return f"{limit.name}: {', '.join(parts)}" if parts else limit.name


def limits_for(cause: str, limits: Sequence[ConfiguredLimit]) -> list[ConfiguredLimit]:
    """The configured limits that can refuse a request for this cause."""
    if cause == "quota":
        return [limit for limit in limits if limit.quota is not None]
    if cause == "throttle":
        return [limit for limit in limits if limit.rate_rps is not None]
    return [limit for limit in limits if limit.layer == cause and not _is_quota_alone(limit)]


def _is_quota_alone(limit: ConfiguredLimit) -> bool:
    return limit.quota is not None and limit.rate_rps is None and limit.concurrency is None
