"""Whether a version does worse than the one beside it, by what CloudWatch counted of both. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma

from core.aws.version_metrics import CallMetrics
from reports.figures import milliseconds

# With no error in 30 calls the share of errors is below 10 % with 95 % (rule of three).
LEAST_CALLS = 30
# It is looked at every half minute: one in a hundred at each look would end good shifts too often.
_WORSE_BY_CHANCE = 0.001
# Medians of some thirty calls differ by a few per cent; payloads are others than in the run.
_SLOWER_SHARE = 0.25
# What a few refusals are: below it nobody has to hurry.
_THROTTLED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Look:
    """What was counted since the shift began: of both versions, of the alias, and before it."""

    new: CallMetrics
    old: CallMetrics
    alias: CallMetrics
    before: CallMetrics

    @property
    def enough(self) -> bool:
        """Whether both versions had the calls to compare them."""
        return min(self.new.calls, self.old.calls) >= LEAST_CALLS


def problem_of(look: Look, slower_at_most: float | None) -> str | None:
    """What is worse with the new version, in words; None when nothing is.

    `slower_at_most` is new duration over old as the run expects it at most; None where it expects
    nothing, and then times are not judged.
    """
    return _failing(look) or _throttled(look) or _slow(look, slower_at_most)


def _failing(look: Look) -> str | None:
    new, old = look.new, look.old
    if not _more_often(new.errors, new.calls, old.errors, old.calls):
        return None
    return (
        f"{new.errors} of {new.calls} calls of the new version failed, "
        f"and {old.errors} of {old.calls} of the old one"
    )


def _throttled(look: Look) -> str | None:
    """More refusals than before: of the new version where they are told apart, or of the alias."""
    new, old = look.new, look.old
    if _more_often(
        new.throttles, new.calls + new.throttles, old.throttles, old.calls + old.throttles
    ):
        return f"{new.throttles} calls of the new version were throttled"
    now, before = look.alias, look.before
    asked, asked_before = now.calls + now.throttles, before.calls + before.throttles
    if now.throttles <= _THROTTLED_SHARE * asked:
        return None
    if asked_before and not _more_often(now.throttles, asked, before.throttles, asked_before):
        return None
    return f"{now.throttles} of {asked} calls of the alias were throttled"


def _slow(look: Look, slower_at_most: float | None) -> str | None:
    new_ms, old_ms = look.new.median_ms, look.old.median_ms
    if not look.enough or slower_at_most is None or new_ms is None or old_ms is None:
        return None
    most_ms = old_ms * max(slower_at_most, 1.0) * (1 + _SLOWER_SHARE)
    if new_ms <= most_ms:
        return None
    return (
        f"the new version takes {milliseconds(new_ms)} in the median and the old one "
        f"{milliseconds(old_ms)}: by the run at most {milliseconds(most_ms)} was to be expected"
    )


def _more_often(hits: int, tries: int, other_hits: int, other_tries: int) -> bool:
    """Whether something happens more often than elsewhere, beyond chance (Fisher's exact test)."""
    # Minutes arrive one by one: for a moment there may be more errors than calls.
    tries, other_tries = max(tries, hits), max(other_tries, other_hits)
    return chance_of_so_many(hits, tries, other_hits, other_tries) < _WORSE_BY_CHANCE


def chance_of_so_many(hits: int, tries: int, other_hits: int, other_tries: int) -> float:
    """The chance of `hits` or more in `tries`, if both groups had the same rate.

    The upper tail of the hypergeometric distribution, given all hits of both groups.
    """
    total, all_hits = tries + other_tries, hits + other_hits
    if hits == 0 or other_tries == 0:
        return 1.0
    chance = 0.0
    for count in range(hits, min(tries, all_hits) + 1):
        part = exp(
            _log_choose(tries, count)
            + _log_choose(other_tries, all_hits - count)
            - _log_choose(total, all_hits)
        )
        chance += part
        # Beyond the mode each is less than the one before: what follows adds nothing.
        if part < 1e-9 * chance and count * total > tries * all_hits:
            break
    return min(chance, 1.0)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
