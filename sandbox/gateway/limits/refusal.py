"""Why a request was refused: which limit, and what the logs say."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.gateway.limits.levels import Level, LimitKey
from sandbox.gateway.snapshot import Limit, Quota, Route, Stage


@dataclass(frozen=True, slots=True)
class Refusal:
    """A limit that refused a request; exactly one of `limit` and `quota` is there.

    `limit_id` names the limit as the ledger's document does.
    """

    level: Level
    limit_id: str
    limit: Limit | None
    quota: Quota | None
    log_text: str

    @property
    def quota_exceeded(self) -> bool:
        """Whether AWS answers "Limit Exceeded" (QUOTA_EXCEEDED), not "Too Many Requests"."""
        return self.quota is not None


def throttled(key: LimitKey, limit: Limit, stage: Stage, route: Route) -> Refusal:
    """The refusal by a throttle.

    The text of a usage plan's throttle is AWS's in execution logs, as support articles quote it.
    AWS writes nothing of the others; their texts are the sandbox's own.
    """
    figures = f"Limit: {limit.rate_rps:.2f} Burst: {limit.burst:.0f}"
    if key.plan_id:
        text = (
            f"Key throttle limit exceeded for Usage Plan ID {key.plan_id}, {_where(stage, route)}"
        )
    elif key.level == "account":
        text = "Account throttle limit exceeded"
    elif key.level == "stage":
        text = f"Stage throttle limit exceeded for {_where(stage, route)}"
    else:
        text = f"Method throttle limit exceeded for {_where(stage, route)}"
    return Refusal(key.level, key.id, limit, None, f"{text}. {figures}")


def quota_exhausted(key: LimitKey, quota: Quota, stage: Stage, route: Route) -> Refusal:
    """The refusal by a quota, with AWS's text."""
    text = (
        f"Key quota exhausted for Usage Plan ID {key.plan_id}, {_where(stage, route)}. "
        f"Limit: {quota.limit} Period: {quota.period}"
    )
    return Refusal("quota", key.id, None, quota, text)


def _where(stage: Stage, route: Route) -> str:
    return f"Stage {stage.name}, Resource {route.path}, HttpMethod {route.method}"
