"""What a modelled client sends again, and after how long: the rules of botocore 1.44.5.

`standard` is the mode of all AWS SDKs of that name (SDKs and Tools reference guide, "Retry
behavior", read 2026-09); constants are those of botocore/retries/standard.py 1.44.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from loadgen.answer import Answer
from loadgen.profile.model import Profile, RetryModel, Scenario
from loadgen.steps import method_and_path

# A header may make a backoff longer by so much at most (standard.py: _RETRY_AFTER_MAX_ADDITIONAL).
_RETRY_AFTER_MOST_S: Final = 5.0
# Error codes that are throttles whatever the status (standard.py: _THROTTLED_ERROR_CODES).
_THROTTLED_CODES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_TRANSIENT_CODES: Final = frozenset({"RequestTimeout", "RequestTimeoutException"})


class Fault(IntEnum):
    """Why a client would send again."""

    NONE = 0
    TRANSIENT = 1
    THROTTLE = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a modelled client; `quota` is None where nothing bounds its retries."""

    mode: Literal["none", "standard", "adaptive"]
    max_attempts: int
    base_s: float
    throttle_base_s: float
    cap_s: float
    has_jitter: bool
    quota: int | None
    retry_cost: int
    throttle_cost: int
    retry_after: Literal["aws", "any", "none"]
    statuses: frozenset[int]
    throttle_statuses: frozenset[int]
    clients: int | None

    def fault(self, answer: Answer) -> Fault:
        """What a client sees in an answer: an error code, else the status, else what broke."""
        status = answer.status
        if answer.cause or not status:
            return Fault.TRANSIENT
        if 200 <= status < 300:
            return Fault.NONE
        code = error_code(answer) if status >= 300 else ""
        if code in _THROTTLED_CODES or status in self.throttle_statuses:
            return Fault.THROTTLE
        transient = code in _TRANSIENT_CODES or status in self.statuses
        return Fault.TRANSIENT if transient else Fault.NONE

    def backoff_s(
        self, attempt: int, fault: Fault, draw: float, retry_after_s: float | None
    ) -> float:
        """How long to wait after `attempt` (from 1); `draw` is evenly from 0 to 1.

        t = draw x min(base x 2^(attempt - 1), cap); a header raises it, to t + 5 s at most.
        """
        base_s = self.throttle_base_s if fault is Fault.THROTTLE else self.base_s
        longest_s = min(base_s * 2.0 ** (attempt - 1), self.cap_s)
        wait_s = draw * longest_s if self.has_jitter else longest_s
        if retry_after_s is None:
            return wait_s
        return max(wait_s, min(retry_after_s, _RETRY_AFTER_MOST_S + wait_s))

    def retry_after_s(self, answer: Answer) -> float | None:
        """What the answer asks a client to wait, where this client looks at that.

        `x-amz-retry-after` has milliseconds, `Retry-After` (RFC 9110) seconds; its form with a
        date is not looked at.
        """
        if self.retry_after == "none" or not answer.status:
            return None
        asked = _whole(answer.header("x-amz-retry-after"))
        if asked is not None:
            return asked / 1000.0
        asked = _whole(answer.header("retry-after")) if self.retry_after == "any" else None
        return None if asked is None else float(asked)

    def cost(self, fault: Fault) -> int:
        """The tokens of the retry quota that a retry takes."""
        return self.throttle_cost if fault is Fault.THROTTLE else self.retry_cost


def error_code(answer: Answer) -> str:
    """The error code as the rest-json protocol has it: a header, else in the body."""
    said: object = answer.header("x-amzn-errortype")
    if said is None:
        try:
            body = answer.json()
        except ValueError:
            return ""
        if not isinstance(body, dict):
            return ""
        said = body.get("code", body.get("Code", body.get("__type")))
    if not isinstance(said, str):
        return ""
    return said.partition(":")[0].rpartition("#")[2].strip()


@dataclass(frozen=True, slots=True)
class Fleet:
    """The modelled clients of one scenario in one injector."""

    policy: Policy
    clients: int


def policy_of(profile: Profile, scenario: Scenario) -> Policy | None:
    """How the clients of a scenario retry; None where nobody models any."""
    if not models_clients(profile):
        return None
    given = scenario.retry if scenario.retry is not None else profile.retry
    if given is None:
        given = "none"
    return _policy(given if isinstance(given, RetryModel) else RetryModel(mode=given))


def models_clients(profile: Profile) -> bool:
    """Whether a profile has modelled clients; then those of all scenarios are reported."""
    return profile.retry is not None or any(one.retry is not None for one in profile.scenarios)


def reacts_to_refusals(profile: Profile, scenario: Scenario) -> bool:
    """Whether clients of a scenario send something else once they are refused."""
    policy = policy_of(profile, scenario)
    return policy is not None and (policy.max_attempts > 1 or policy.mode == "adaptive")


def longest_wait_s(policy: Policy) -> float:
    """How long an operation waits in all at most, without what answers ask for.

    What an own rate limiter holds back may wait for ever.
    """
    if policy.mode == "adaptive":
        return math.inf
    attempts = range(1, policy.max_attempts)
    return sum(
        max(policy.backoff_s(attempt, fault, 1.0, None) for fault in (*Fault,)[1:])
        for attempt in attempts
    )


def fleets_of(profile: Profile, injector: int, injectors: int) -> dict[str, Fleet]:
    """The clients of each scenario in one injector: its part of `clients`, at least one."""
    found: dict[str, Fleet] = {}
    for scenario in profile.scenarios:
        policy = policy_of(profile, scenario)
        if policy is not None:
            each, rest = divmod(policy.clients or injectors, injectors)
            found[scenario.name] = Fleet(policy, max(1, each + (injector < rest)))
    return found


def most_attempts(profile: Profile) -> int:
    """The most requests that one operation of a profile may become."""
    return max(attempts_by_step(profile), default=1)


def attempts_by_step(profile: Profile) -> list[int]:
    """The most requests that an operation of each step may become."""
    found: list[int] = []
    for scenario in profile.scenarios:
        policy = policy_of(profile, scenario)
        steps = sum(method_and_path(step) is not None for step in scenario.flow)
        found += [1 if policy is None else policy.max_attempts] * steps
    return found


def _policy(model: RetryModel) -> Policy:
    sends_again = model.mode != "none"
    return Policy(
        mode=model.mode,
        max_attempts=model.max_attempts if sends_again else 1,
        base_s=model.base_s,
        throttle_base_s=model.throttle_base_s,
        cap_s=model.cap_s,
        has_jitter=model.jitter == "full",
        quota=None if model.quota == "none" else model.quota,
        retry_cost=model.retry_cost,
        throttle_cost=model.throttle_cost,
        retry_after=model.retry_after,
        statuses=frozenset(model.statuses),
        throttle_statuses=frozenset(model.throttle_statuses),
        clients=model.clients,
    )


def _whole(text: str | None) -> int | None:
    """A whole number of at least 0; None of anything else."""
    try:
        value = int(text or "")
    except ValueError:
        return None
    return value if value >= 0 else None
