"""What a probe of a limit is given: whom it sends as, and what it must not exceed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# What two identities may differ in. A layer is told by which of them share its bucket.
Factor = Literal["method", "key", "stage"]
FACTORS: tuple[Factor, ...] = ("method", "key", "stage")

CANARY_RPS = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A scenario that sends one request: its number in the profile, and the number of its step."""

    name: str
    scenario: int
    step: int


@dataclass(frozen=True, slots=True)
class Caps:
    """What a probe must not exceed. `quota_left` is what it may use of the key's quota."""

    max_admitted: int
    max_rate_rps: float
    max_duration_s: float
    quota_left: int | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """One probe.

    `others` differ from `base` in one factor each. `inner_rps` are the rates of the throttles that
    are configured before the account's, `account_rps` that of the account's; None: not known. With
    `account_allowed` the bucket of the whole account may be drained.
    """

    base: Identity
    caps: Caps
    others: Mapping[Factor, Identity] = field(default_factory=dict)
    canary: Identity | None = None
    inner_rps: tuple[float, ...] = ()
    account_rps: float | None = None
    account_allowed: bool = False

    def account_may_bind(self, rate_rps: float) -> bool:
        """Whether a bucket of about this rate may be the account's.

        It is not where a throttle of about that rate or less is configured before it, and the
        account's own is well above. A rough rate is some 10 % off, so 1.5 is far enough.
        """
        if self.account_rps is None:
            return True
        inner = any(rate <= 1.3 * rate_rps for rate in self.inner_rps)
        return not (inner and self.account_rps > 1.5 * rate_rps)
