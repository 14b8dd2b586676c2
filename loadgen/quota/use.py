"""Which steps of a profile use which quota, and how much of it a run may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import Refused
from loadgen.limits import Limits, QuotaLimit
from loadgen.outcome import Cause, Kind, Outcome
from reports.figures import SPACE

# A quota is asked before the stage's throttle and counts what all throttles let through.
_NOT_COUNTED = frozenset(
    {
        Cause.THROTTLE,
        Cause.ACCOUNT,
        Cause.STAGE,
        Cause.METHOD,
        Cause.USAGE_PLAN,
        Cause.USAGE_PLAN_METHOD,
        Cause.QUOTA,
        Cause.AUTHORIZER,
        Cause.WAF,
        Cause.DNS,
        Cause.REFUSED,
        Cause.CONNECT_TIMEOUT,
        Cause.TLS,
        Cause.NO_CONNECTION,
    }
)


@dataclass(frozen=True, slots=True)
class UsedQuota:
    """A quota and the steps whose requests count against it."""

    quota: QuotaLimit
    steps: tuple[int, ...]

    def share_of(self, count: float) -> float:
        """`count` requests as a share of the whole quota."""
        return count / self.quota.limit if self.quota.limit else 1.0


def used_quotas(limits: Limits) -> tuple[UsedQuota, ...]:
    """The quotas on the paths of the steps, each once."""
    quotas: dict[str, QuotaLimit] = {}
    steps: dict[str, list[int]] = {}
    for path in limits.steps:
        if path.quota is not None:
            quotas.setdefault(path.quota.shared_key, path.quota)
            steps.setdefault(path.quota.shared_key, []).append(path.step)
    return tuple(UsedQuota(quota, tuple(steps[key])) for key, quota in quotas.items())


def check_quota_share(
    quotas: Sequence[UsedQuota], by_step: Sequence[float] | None, most: float | None
) -> None:
    """Makes sure, before a run, that its requests stay within `guards.max_quota_share`.

    `by_step` are the requests of the plan; None where users decide, whom only `quota_stop` stops.

    Raises:
        Refused: they do not.
    """
    if most is None or by_step is None:
        return
    for used in quotas:
        requests = sum(by_step[step] for step in used.steps)
        if used.share_of(requests) > most * (1 + 1e-9):
            raise Refused(
                f"the plan has about {requests:,.0f} requests of the {used.quota.limit:,} that the "
                f"quota of {used.quota.name} has: guards.max_quota_share is {_share_words(most)}",
                hint="raise guards.max_quota_share, or shorten the phases",
            )


def quota_stop(
    quotas: Sequence[UsedQuota], counts: Mapping[int, Mapping[int, int]], most: float | None
) -> str | None:
    """Why a run has to stop: `counts` are of kinds by step, as far as requests have ended."""
    if most is None:
        return None
    for used in quotas:
        count = sum(counted(counts.get(step, {})) for step in used.steps)
        if used.share_of(count) > most:
            return (
                f"{count:,} requests of the {used.quota.limit:,} that the quota of "
                f"{used.quota.name} has were let through: guards.max_quota_share is "
                f"{_share_words(most)}"
            )
    return None


def counted(kinds: Mapping[int, int]) -> int:
    """Of requests by kind code, those that a quota counts: what API Gateway let through."""
    return sum(count for code, count in kinds.items() if _counts(code))


def refused_by_quota(kinds: Mapping[int, int]) -> int:
    """Of requests by kind code, those that a quota refused."""
    return sum(count for code, count in kinds.items() if Kind.of(code).cause is Cause.QUOTA)


def _counts(code: int) -> bool:
    kind = Kind.of(code)
    return kind.outcome is Outcome.OK or kind.cause not in _NOT_COUNTED


def _share_words(share: float) -> str:
    """A share as the profile has it, with all its digits: 0.005 %."""
    return f"{share * 100:.6g}{SPACE}%"
