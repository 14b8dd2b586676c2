"""What a search for the highest rate found, in sentences."""

from __future__ import annotations

from reports.figures import listed, percent, seconds, significant
from reports.load_search import SearchPart, SearchStep

_VERDICTS = {
    "holds": "holds",
    "breaks": "breaks",
    "undecided": "not decided",
    "unusable": "not usable",
}
_ROLES = {"bracket": "", "narrow": "", "again": "again", "from_above": "from above"}


def search_answer(search: SearchPart) -> str:
    """The answer in one sentence."""
    low, high, unit = search.low_rps, search.high_rps, f"{search.unit}/s"
    match search.ended:
        case "holds_everywhere" if low is not None:
            held = seconds(max(s.length_s for s in search.steps if s.rate_rps == low))
            return f"The SLO holds up to {_rate(low)} {unit}, held for {held}; no more was tried."
        case "breaks_everywhere" if high is not None:
            return f"The SLO does not hold at {_rate(high)} {unit}, the lowest rate of the search."
        case "unstable":
            return f"No single rate holds the SLO, because the API changes: {search.detail}."
    if search.rate_rps is not None and low is not None and high is not None:
        return (
            f"The SLO holds up to about {_rate(search.rate_rps)} {unit}: it holds at {_rate(low)} "
            f"and breaks at {_rate(high)} ({percent(search.confidence)} confidence)."
        )
    if low is not None:
        return f"The SLO holds at {_rate(low)} {unit}; what is above it is not known."
    if high is not None:
        return f"The SLO breaks at {_rate(high)} {unit}; no lower rate was seen to hold it."
    return "The search could not say which rate holds the SLO."


def search_support(search: SearchPart) -> list[str]:
    """What a reader should know besides the answer."""
    found = []
    if search.limited_by is not None:
        found.append(f"What breaks there: {search.limited_by}.")
    if search.detail and search.ended != "unstable":
        found.append(f"{search.detail[0].upper()}{search.detail[1:]}.")
    if search.refill_rps is not None and search.burst is not None:
        found.append(
            f"While requests were refused, {_rate(search.refill_rps)} {search.unit}/s were "
            f"admitted; a burst of at least {search.burst:,.0f} came through before."
        )
    longest_s = max((step.length_s for step in search.steps), default=0.0)
    if longest_s:
        found.append(
            f"No rate was held for more than {seconds(longest_s)}: what shows later, such as a "
            "larger burst, is not in this."
        )
    found.append(knee_words(search))
    found.append(_hysteresis(search))
    if search.assumed:
        names = listed(search.assumed)
        found.append(f"The SLO says nothing of this, so it was tested as well: {names}.")
    found.append(
        f"The search sent {search.requests:,} requests at {rates_words(search)} in "
        f"{seconds(round(search.took_s))}."
    )
    return found


def rates_words(search: SearchPart) -> str:
    """How many rates were tried; one may be tried again: 3 rates (5 tries)."""
    tries, rates = len(search.steps), len({step.rate_rps for step in search.steps})
    words = f"{rates:,} rate{'' if rates == 1 else 's'}"
    return words if tries == rates else f"{words} ({tries:,} tries)"


def knee_words(search: SearchPart) -> str:
    """Where the knee is, or why there is none."""
    knee = search.knee
    if knee.rate_rps is None or knee.low_rps is None or knee.high_rps is None:
        return f"Knee of the latency curve: {knee.reason}."
    return (
        f"The knee of the latency curve is at {_rate(knee.rate_rps)} {search.unit}/s "
        f"(90 % interval {_rate(knee.low_rps)} to {_rate(knee.high_rps)}): above it, latency grows "
        "faster than the rate."
    )


def _hysteresis(search: SearchPart) -> str:
    match search.hysteresis:
        case "none":
            return f"No hysteresis: {search.hysteresis_detail}."
        case "seen":
            return f"Hysteresis: {search.hysteresis_detail}."
        case _:
            return f"Hysteresis is unknown: {search.hysteresis_detail}."


def verdict_words(step: SearchStep) -> str:
    """The verdict on a rate, and in which way it was tried."""
    role = _ROLES[step.role]
    return f"{_VERDICTS[step.verdict]}, {role}" if role else _VERDICTS[step.verdict]


def _rate(rate_rps: float) -> str:
    return significant(rate_rps)
