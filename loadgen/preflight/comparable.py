"""Whether a phase was what was predicted: where another load was sent, nothing is compared."""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.retry.timely import window_of
from loadgen.tally import Tally
from reports.figures import part_of
from reports.load_document import PhaseSlice
from reports.load_prediction import PhasePrediction

# So much less or more may be sent than was planned; and so many requests in any case.
_NEAR_SHARE = 0.05
_NEAR_COUNT = 3
# A measured share that is lower by more may be so because of what nothing explains.
_CLOSE = 0.03

SENT_AGAIN = "clients send again"
STOPPED = "the run ended within it"


def reasons(tally: Tally) -> Mapping[int, str]:
    """By phase, why what was sent is not what was predicted, as far as the books tell it."""
    found: dict[int, str] = {}
    until_us = tally.until_us
    again = {second for second, sums in tally.retries.seconds().items() if sums.retries}
    for plan in tally.phases:
        if until_us is not None and until_us < plan.to_s * 1e6:
            found[plan.index] = STOPPED
        elif not again.isdisjoint(window_of(tally, plan.index)) or _reacted(tally, plan.index):
            found[plan.index] = SENT_AGAIN
    return found


def _reacted(tally: Tally, phase: int) -> bool:
    """Whether clients sent requests of a phase again, later than that, or held them back."""
    attempts = tally.retries.attempts((phase,))
    return any(sums.held for sums in attempts.values()) or any(
        sums.sent for attempt, sums in attempts.items() if attempt > 1
    )


def why_not(phase: PhasePrediction, measured: PhaseSlice) -> str:
    """Why a phase was not what was predicted, or is not known well enough; or nothing."""
    planned, sent = phase.requests, measured.requests.sent
    if planned is not None and abs(sent - planned) > max(_NEAR_COUNT, _NEAR_SHARE * planned):
        return f"{sent:,} requests were sent, {planned:,} were planned"
    predicted, completed = phase.throttled_share, measured.requests.completed
    unexplained = sum(
        cause.count
        for cause in measured.errors_by_cause
        if cause.cause in ("none", "unknown") and cause.outcome in ("client_error", "server_error")
    )
    missing = 0.0 if predicted is None else predicted - measured.outcomes.throttled / completed
    if unexplained and _CLOSE < missing <= unexplained / completed + _CLOSE:
        return (
            f"{part_of(unexplained, completed)} failed and nothing tells why: they may be refusals"
        )
    return ""
