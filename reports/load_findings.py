"""What a load run found, in sentences: the verdict line, and what supports it.

Every sentence is made from the document alone. A run that is not to be trusted says so before any
number.
"""

from __future__ import annotations

from reports.endpoint import custom_endpoint, is_loopback
from reports.figures import closed, listed, part_of, rate_number, seconds
from reports.load_document import LoadDocument, ThresholdResult
from reports.load_latency import MANY_NOT_OK_SHARE, percentiles_in_words, stands_apart
from reports.load_words import (
    cause_phrase,
    ending_words,
    failed_count,
    failures_in_words,
    ranked_outcomes,
    totals_of,
)
from reports.search_words import search_answer, search_support

_VERDICT_WORDS = {
    "pass": "Passed",
    "failed": "Threshold failed",
    "inconclusive": "Inconclusive",
    "invalid": "Invalid measurement",
    "refused": "Stopped by a guard",
    "interrupted": "Interrupted",
    "error": "Error",
}
_CAUTIONS = {
    "inconclusive": "A threshold could not be judged.",
    "invalid": "Do not act on the figures below: the measurement cannot be trusted.",
    "refused": "A guard of the profile did not let the run go on.",
    "interrupted": "The run was stopped: the figures below are partial.",
    "error": "The run ended with an error: the figures below may be partial.",
}
_ALL_HELD = {1: "The threshold holds", 2: "Both thresholds hold"}
_MOST_NAMED_CAUSES = 3
# How the error begins that a run has in which nothing was ok.
_NOTHING_OK = "none of "

LOCAL_SANDBOX = (
    "The requests went to the local sandbox, not to AWS. It limits and refuses as API Gateway and "
    "Lambda do; its latencies are those of this machine."
)
LOCAL_TARGET = (
    "The target is on this machine: the network and AWS itself have no part in these latencies."
)


def verdict_word(document: LoadDocument) -> str:
    """The verdict in a word or two; without a threshold there is nothing to pass."""
    if document.verdict == "pass" and not document.thresholds:
        return "Completed"
    return "Failed" if _nothing_was_ok(document) else _VERDICT_WORDS[document.verdict]


def _nothing_was_ok(document: LoadDocument) -> bool:
    """Whether a run failed by itself, and not by a threshold."""
    return document.verdict == "failed" and not document.thresholds


def headline(document: LoadDocument) -> str:
    """The verdict in one sentence, or a caution and then the sentence."""
    answer = search_answer(document.search) if document.search else _answer(document)
    if any(threshold.ok is False for threshold in document.thresholds):
        answer = f"{_broken(document.thresholds)} {answer}"
    caution = _CAUTIONS.get(document.verdict)
    if document.search is not None and document.verdict == "inconclusive":
        caution = None  # the answer says itself how far it goes
    return f"{caution} {answer}" if caution else answer


def _broken(thresholds: list[ThresholdResult]) -> str:
    broken = [threshold for threshold in thresholds if threshold.ok is False]
    if len(broken) == 1:
        return f"{threshold_words(broken[0])} does not hold."
    return f"{len(broken)} of {len(thresholds)} thresholds do not hold."


def threshold_words(threshold: ThresholdResult) -> str:
    """A threshold and where it must hold: p95(response) < 300ms (phase hold)."""
    everywhere = threshold.scope in ("", "run", "the run", "whole run")
    return threshold.that if everywhere else f"{threshold.that} ({threshold.scope})"


def _answer(document: LoadDocument) -> str:
    requests, rates = document.requests, document.rates
    if not requests.sent:
        return "No request was sent in the measured time."
    if not requests.completed:
        return f"None of {requests.sent:,} requests was completed."
    offered = rate_number(rates.offered_rps)
    if not document.outcomes.ok:
        return _unserved(document, _asked(document, f"the {offered}"))
    outcomes = document.outcomes
    unanswered = outcomes.connection_error + outcomes.timeout
    admitted = rate_number(admitted_rps(document))
    amount = f"all {offered}" if admitted == offered else f"{admitted} of {offered}"
    words = f"The API admitted {_asked(document, amount)}; {_refused_and_failed(document)}"
    if unanswered:
        words += f"; {part_of(unanswered, requests.completed)} got no whole response"
    return f"{words}."


def admitted_rps(document: LoadDocument) -> float:
    """Requests a second that the API let in, as far as a response shows it."""
    unanswered = document.outcomes.connection_error + document.outcomes.timeout
    unanswered_rps = unanswered / document.measured_s if document.measured_s else 0.0
    # Both are quotients: where nothing was answered, their difference may be a tiny rest.
    return max(round(document.rates.admitted_rps - unanswered_rps, 9), 0.0)


def _asked(document: LoadDocument, amount: str) -> str:
    if document.provenance.model == "open":
        return f"{amount} offered requests/s"
    return f"{amount} requests/s that users sent"


def _refused_and_failed(document: LoadDocument) -> str:
    outcomes, completed = document.outcomes, document.requests.completed
    answered = failed_count(outcomes) - outcomes.connection_error - outcomes.timeout
    if answered <= MANY_NOT_OK_SHARE * completed:
        return refused_words(document)
    failed = f"{part_of(answered, completed)} failed"
    # A 403 is a failure here, and a refusal to many who read of it.
    if not outcomes.throttled:
        return f"none was throttled, but {failed}"
    return f"{refused_words(document)}; {failed}"


def _unserved(document: LoadDocument, offered: str) -> str:
    """What became of the requests of a run in which none was ok."""
    # What fails a check was served, but not as it should be.
    served = "ok" if document.outcomes.check_failed else "served"
    endings = ranked_outcomes(document.outcomes)
    if endings == [("throttled", document.requests.completed)]:
        words = refused_words(document)
    else:
        words = listed(_ended(document, endings))
    return f"None of {offered} was {served}: {words}."


def _ended(document: LoadDocument, endings: list[tuple[str, int]]) -> list[str]:
    requests = document.requests
    if len(endings) == 1:
        [(outcome, _)] = endings
        parts = [("all", ending_words(outcome, _only_cause(document)))]
    else:
        parts = [
            (part_of(count, requests.completed), ending_words(outcome))
            for outcome, count in endings
        ]
    of_those = " of those completed" if requests.completed < requests.offered else ""
    return [
        f"{share}{'' if index else of_those} {words}" for index, (share, words) in enumerate(parts)
    ]


def _only_cause(document: LoadDocument) -> str | None:
    totals = totals_of(document.errors_by_cause)
    return totals[0].cause if len(totals) == 1 else None


def refused_words(document: LoadDocument) -> str:
    """The refused share and by what: 34 % were refused, of them 62 % by the stage's throttle."""
    throttled = document.outcomes.throttled
    if not throttled:
        return "none was refused"
    share = part_of(throttled, document.requests.completed)
    # Dropped and cut requests have no outcome: they are in what was offered, but not in shares.
    if document.requests.completed < document.requests.offered:
        share += " of those completed"
    totals = totals_of(document.throttled_by_cause)
    if not totals:
        return f"{share} were refused"
    if len(totals) == 1:
        return f"{share} were refused, all by {cause_phrase(totals[0].cause)}"
    # "1 other cause" is no shorter than its name.
    named = totals if len(totals) == _MOST_NAMED_CAUSES + 1 else totals[:_MOST_NAMED_CAUSES]
    parts = [f"{part_of(t.count, throttled)} by {cause_phrase(t.cause)}" for t in named]
    rest = totals[len(named) :]
    if rest:
        count = sum(total.count for total in rest)
        parts.append(f"{part_of(count, throttled)} by {len(rest)} other causes")
    return f"{share} were refused, of them {listed(parts)}"


def support(document: LoadDocument) -> list[str]:
    """The sentences under the verdict: what went wrong, what to do, and what else was found."""
    if document.verdict == "invalid":
        # Each reason says what was measured, what the limit is and what to do about it.
        reasons = [*document.errors, *document.validity.reasons]
        found = reasons or ["Remove the cause, then measure again"]
        return [closed(sentence) for sentence in dict.fromkeys(found)]
    if document.search is not None:
        # What fails and how long it takes is of rates that were too high on purpose.
        of_search = search_support(document.search)
        # Why it ended is one of its sentences already.
        said = f"search: {document.search.detail}"
        errors = [error for error in _errors(document) if error != said]
        others = [*errors, *_not_completed(document), *_judged(document)]
        return [closed(sentence) for sentence in [*of_search, *others]]
    found = [
        *_errors(document),
        *_not_completed(document),
        *_failures(document),
        *_latency(document),
        *_judged(document),
    ]
    return [closed(sentence) for sentence in found]


def _errors(document: LoadDocument) -> list[str]:
    """The errors, without one that only repeats the headline."""
    outcomes = document.outcomes
    several = len(ranked_outcomes(outcomes)) > 1 or len(totals_of(document.errors_by_cause)) > 1
    if outcomes.ok or several:
        return document.errors
    return [error for error in document.errors if not error.startswith(_NOTHING_OK)]


def _not_completed(document: LoadDocument) -> list[str]:
    """What of the offered requests has no outcome, and why."""
    requests = document.requests
    parts = [
        (requests.dropped, "dropped because too many were in flight"),
        (requests.cut, "cut when the drain ended"),
        (requests.lost, "lost with an injector"),
    ]
    words = [f"{count:,} {why}" for count, why in parts if count]
    return [f"Without an outcome: {listed(words)}"] if words else []


def _failures(document: LoadDocument) -> list[str]:
    failed, completed = failed_count(document.outcomes), document.requests.completed
    if not document.outcomes.ok:
        return []  # the headline says what happened to all of them
    if not failed:
        return ["No request failed"]
    words = failures_in_words(document.outcomes)
    return [f"{part_of(failed, completed)} of completed requests failed: {words}"]


def _latency(document: LoadDocument) -> list[str]:
    response, ok = document.response_ms, document.ok_response_ms
    if not stands_apart(document):
        return [] if response is None else [f"Responses took {percentiles_in_words(response)}"]
    if ok is None:
        return []  # how soon the others ended is no latency of the API
    words = percentiles_in_words(ok)
    return [f"Responses that were ok took {words}; {_not_counted(document)} do not count there"]


def _not_counted(document: LoadDocument) -> str:
    if not failed_count(document.outcomes):
        return "refusals are quick and"
    return "refusals and failures" if document.outcomes.throttled else "failures"


def _judged(document: LoadDocument) -> list[str]:
    thresholds = document.thresholds
    if not thresholds and document.search is not None:
        return []  # the SLO of the search is what was asked
    if not thresholds:
        if _nothing_was_ok(document):
            return ["The profile sets no threshold, but a run in which no request is ok fails"]
        return ["The profile sets no threshold, so there was nothing to pass or fail"]
    held = sum(threshold.ok is True for threshold in thresholds)
    if held == len(thresholds):
        return [_ALL_HELD.get(held, f"All {held} thresholds hold")]
    broken = [threshold for threshold in thresholds if threshold.ok is False]
    unknown = len(thresholds) - held - len(broken)
    sentences = []
    # One broken threshold stands in the headline already.
    if len(broken) > 1:
        sentences.append(f"Does not hold: {listed([threshold_words(t) for t in broken])}")
    if unknown:
        sentences.append(f"{unknown} of {len(thresholds)} thresholds could not be judged")
    return sentences


def cautions(document: LoadDocument) -> list[str]:
    """What a reader must know before any number: where the figures come from."""
    endpoint = document.provenance.endpoint
    if endpoint is not None:
        return [LOCAL_SANDBOX if is_loopback(endpoint) else custom_endpoint(endpoint)]
    return [LOCAL_TARGET] if is_loopback(document.target.url) else []


def subtitle(document: LoadDocument, started: str) -> str:
    """What was loaded, for how long, and when."""
    target = document.target
    what = target.api_name or target.api_id
    where = f"{what}, stage {target.stage}" if what and target.stage else what or target.url
    return f"{where}, {seconds(document.measured_s)} measured, started {started}"
