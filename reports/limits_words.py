"""What a probe of limits found, in sentences: for the terminal, the page and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, log

from reports.figures import closed, listed, percent, significant
from reports.limits_document import LayerComparison, LimitsDocument, Quantity
from reports.limits_drift import unexplained_words
from reports.load_words import plain

KINDS = {
    "token_bucket": "a token bucket",
    "sharded": "a token bucket in several equal parts",
    "other_traffic": "a token bucket that others use too",
    "delayed_synchronisation": "a limit whose machines learn of each other late",
    "fixed_window": "so many requests in each window of time",
    "concurrency": "so many requests under way at once",
    "quota": "a quota that is used up",
    "block": "a block for a while, as a rate rule of a firewall",
    "adaptive": "a limit that changes while it is met",
    "poorly_kept": "a limit that is kept too loosely to be told",
    "no_refusal": "no limit was met",
    "unknown": "nothing is known",
}
_LAYERS = {
    "account": "the account",
    "stage": "the stage",
    "method": "the method on its stage",
    "usage_plan": "the usage plan of the key",
    "usage_plan_method": "the method in the usage plan of the key",
    "application": "the application itself",
    "lambda_concurrency": "Lambda, by the concurrency of the function or the account",
}
_OF_GATEWAY = 5  # of them are layers of API Gateway
_EVIDENCE = {
    "configuration": ", by its configuration",
    "answers": ", by what the refusals say",
}
_VERDICTS = {
    "pass": "Found",
    "failed": "Disagrees",
    "inconclusive": "Not found",
    "invalid": "Invalid",
    "refused": "Stopped",
    "interrupted": "Interrupted",
    "error": "Error",
}


# Verdicts of a probe that did not go to its end: what it found may look different then.
_EARLY = ("refused", "interrupted", "error")


def verdict_word(document: LimitsDocument) -> str:
    """The verdict as a word."""
    return _VERDICTS[document.verdict]


def layer_words(layer: str) -> str:
    """A layer in words: the usage plan of the key."""
    return _LAYERS.get(layer, plain(layer))


def quantity_words(quantity: Quantity | None, unit: str) -> str:
    """`81.2 requests/s (80.1 to 82.4)`, `40 to 60 requests`, `at least 200 requests/s`."""
    if quantity is None:
        return "not told"
    low = significant(quantity.low)
    if quantity.value is None:
        if quantity.high is None:
            return f"at least {low} {unit}"
        return f"{low} to {significant(quantity.high)} {unit}"
    high = "more" if quantity.high is None else significant(quantity.high, 4)
    return f"{significant(quantity.value, 4)} {unit} ({significant(quantity.low, 4)} to {high})"


def headline(document: LimitsDocument) -> str:
    """What was found, in a sentence."""
    found = document.finding
    what = KINDS[found.kind]
    if found.kind == "no_refusal" and document.counts.refused:
        return "A limit was met, but too little of it to tell which."
    if found.kind in ("no_refusal", "unknown"):
        return closed(what)
    parts = []
    if found.rate_rps is not None:
        parts.append(f"rate {quantity_words(found.rate_rps, 'requests/s')}")
    if found.burst is not None:
        parts.append(f"burst {quantity_words(found.burst, 'requests')}")
    if found.limit is not None:
        within = f" in {found.window_s:g} s" if found.window_s else ""
        parts.append(f"limit {significant(found.limit)} requests{within}")
    figures = f": {', '.join(parts)}" if parts else ""
    told = f"{what}{_whose(document)}{figures}"
    if document.verdict in _EARLY:
        return closed(f"the probe ended early; so far it looks like {told}")
    return closed(told)


def _whose(document: LimitsDocument) -> str:
    binding = document.binding
    if binding.layer in _LAYERS:
        told = _EVIDENCE.get(binding.evidence, "")
        return f", that of {layer_words(binding.layer)}{told}"
    if binding.candidates and len(binding.candidates) < _OF_GATEWAY:
        return f", that of {listed([layer_words(one) for one in binding.candidates], 'or')}"
    return ""


def support(document: LimitsDocument) -> Iterator[str]:
    """What supports the finding, and what keeps it from being more."""
    found = document.finding
    if found.kind == "no_refusal" and found.frontier:
        yield closed(_frontier_words(document))
    elif found.kind == "no_refusal":
        pass
    elif found.rate_rps is not None and not found.rate_rps.calibrated:
        yield "The ranges are what the data allow: they are no 90 % intervals."
    elif found.rate_rps is not None:
        yield "In parentheses: 90 % intervals."
    # That nothing was refused is told by the verdict.
    reasons = [] if found.kind == "no_refusal" and not document.counts.refused else found.reasons
    yield from (closed(reason[:1].upper() + reason[1:]) for reason in reasons)
    unexplained = unexplained_words(document.bins)
    if unexplained is not None:
        yield unexplained
    if found.shards > 1:
        yield f"It is as if {found.shards} equal parts were kept apart."
    if found.other_share > 0:
        yield f"Others use about {percent(found.other_share)} of the rate."
    yield from _binding_words(document)


def _frontier_words(document: LimitsDocument) -> str:
    points = [one for one in document.finding.frontier if one.rate_rps > 0]
    if not points:
        return "Nothing is known of the burst"
    some = [points[0], points[len(points) // 2], points[-1]]
    told = [
        f"{one.burst:,.0f} if the rate is {significant(one.rate_rps)} requests/s" for one in some
    ]
    return f"The burst is at least {listed(told, 'and')}"


def _binding_words(document: LimitsDocument) -> Iterator[str]:
    for test in document.binding.tests:
        pulses = (
            f"{test.admitted:,} of {test.sent:,} requests with another {test.factor} came "
            f"through beside {test.base_admitted:,} of {test.base_sent:,}"
        )
        if test.shared is None:
            yield f"{pulses}: it stayed open whether they share the limit."
        elif test.shared:
            yield f"{pulses}: they share the limit ({_odds(test.llr)})."
        else:
            yield f"{pulses}: they do not share it ({_odds(test.llr)})."


def _odds(llr: float) -> str:
    """The odds that a log likelihood ratio stands for: 20 to 1."""
    size = abs(llr)
    return "over 1,000 to 1" if size > log(1000) else f"{exp(size):,.0f} to 1"


def range_words(quantity: Quantity | None) -> str:
    """`81.2 (80.1 to 82.4)`, `40 to 60` or `200 or more`, without the unit."""
    if quantity is None:
        return "not told"
    low, high = significant(quantity.low, 4), quantity.high
    if quantity.value is None:
        return f"{low} or more" if high is None else f"{low} to {significant(high, 4)}"
    ends = f"{low} or more" if high is None else f"{low} to {significant(high, 4)}"
    return f"{significant(quantity.value, 4)} ({ends})"


def configured_rate(entry: LayerComparison) -> str:
    """`80`, or that it is not known, without the unit."""
    if entry.rate_rps is None:
        return "none" if entry.answer == "disagrees" else "unknown"
    return f"{entry.rate_rps:,.10g}"


def configured_words(entry: LayerComparison) -> str:
    """`80/s, burst 40`, or that it is not known."""
    if entry.rate_rps is None:
        return configured_rate(entry)
    burst = "" if entry.burst is None else f", burst {entry.burst:,}"
    return f"{configured_rate(entry)}/s{burst}"


def answer_words(entry: LayerComparison) -> str:
    """What the probe says of a configured limit."""
    if entry.answer == "unknown":
        return f"cannot tell: {entry.why}" if entry.binds else entry.why
    return f"{entry.answer}: {entry.why}"


def took_words(document: LimitsDocument) -> str:
    """What the probe took, in a sentence."""
    counts = document.counts
    words = (
        f"{counts.admitted:,} of {counts.sent:,} requests were admitted in "
        f"{document.length_s:,.0f} s: {counts.base_admitted:,} to measure"
    )
    if counts.allowed is not None:
        words += f" (7 x burst + 15 s x rate: {counts.allowed:,.0f})"
    words += f", {counts.layer_admitted:,} in the layer test"
    if document.probed.canary is not None:
        words += f", {counts.canary_admitted:,} of the canary"
    return closed(words)
