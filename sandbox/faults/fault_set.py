"""The faults that are active, and whom they hit.

Pure: time and randomness are given by the caller, time on the clock that the faults were added by.
Nearly free while there is no fault.
"""

from __future__ import annotations

import itertools
import math
from random import Random
from typing import Any

from core.errors import InputError
from sandbox.faults.kinds import (
    FaultSpec,
    FunctionFault,
    LateLogsFault,
    LateMetricsFault,
    RequestFault,
    ThrottleControlPlaneFault,
    WafFault,
)
from sandbox.faults.rate_rule import RateRule
from sandbox.gateway.snapshot import StageKey
from sandbox.token_bucket import TokenBucket

# More at once are a loop that went wrong; each costs every request something.
MAX_FAULTS = 100


class Fault:
    """An active fault: what it does (`spec`), until when, and how often it has hit.

    `owner` names whoever will end it, such as a stack; None for somebody at a terminal.
    """

    __slots__ = ("bucket", "expires_s", "hits", "id", "owner", "rule", "spec")

    def __init__(self, fault_id: str, spec: FaultSpec, now_s: float, owner: str | None) -> None:
        self.id = fault_id
        self.spec = spec
        self.owner = owner
        self.expires_s = math.inf if spec.for_s is None else now_s + spec.for_s
        self.hits = 0
        self.bucket: TokenBucket | None = None
        if isinstance(spec, ThrottleControlPlaneFault) and spec.rate_rps is not None:
            self.bucket = TokenBucket(spec.rate_rps, spec.burst or max(1.0, spec.rate_rps), now_s)
        self.rule: RateRule | None = None
        if isinstance(spec, WafFault) and spec.rate_limit is not None:
            self.rule = RateRule(spec.rate_limit, spec.rule_window_s, spec.rule_check_s)

    def spares(self, now_s: float) -> bool:
        """Whether something that it applies to is within the rate that it allows."""
        if self.bucket is not None:
            return self.bucket.take(now_s)
        return self.rule is not None and not self.rule.blocks(now_s)

    def document(self, now_s: float) -> dict[str, Any]:
        """The fault as a JSON value, with all its settings that are not None."""
        left_s = None if self.expires_s == math.inf else max(0.0, self.expires_s - now_s)
        settings = self.spec.model_dump(exclude_none=True)
        owner = {} if self.owner is None else {"owner": self.owner}
        return {"id": self.id, **settings, **owner, "left_s": left_s, "hits": self.hits}


class FaultSet:
    """All active faults. Those that have expired, or hit as often as they may, are removed."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._numbers = itertools.count(1)
        self._of_requests: tuple[Fault, ...] = ()
        self._of_functions: tuple[Fault, ...] = ()
        self._of_calls: tuple[Fault, ...] = ()
        self._next_expiry_s = math.inf

    # Who is hit

    @property
    def hit_requests(self) -> bool:
        """Whether there is any fault that hits requests to APIs."""
        return bool(self._of_requests)

    def pick(
        self,
        stage_key: StageKey,
        route_key: str,
        now_s: float,
        rng: Random,
        api_name: str | None = None,
    ) -> tuple[Fault, ...]:
        """The faults that hit a request, in the order in which they were added.

        A fault for an API by its name only hits where `api_name` is given. The spec of each is a
        `RequestFault`.
        """
        if not self._of_requests:
            return ()
        self._drop_expired(now_s)
        return tuple(
            fault
            for fault in self._of_requests
            if _meets_request(fault.spec, stage_key, route_key, api_name)
            and not fault.spares(now_s)
            and self._draw(fault, rng)
        )

    def pick_function(self, function_name: str, now_s: float, rng: Random) -> Fault | None:
        """The fault that hits an invocation, if any; its spec is a `FunctionFault`."""
        if not self._of_functions:
            return None
        self._drop_expired(now_s)
        for fault in self._of_functions:
            if _meets_function(fault.spec, function_name) and self._draw(fault, rng):
                return fault
        return None

    def pick_control(self, service: str, operation: str, now_s: float, rng: Random) -> Fault | None:
        """The fault that throttles a call of an AWS API, if any."""
        if not self._of_calls:
            return None
        self._drop_expired(now_s)
        for fault in self._of_calls:
            if not _meets_call(fault.spec, service, operation) or fault.spares(now_s):
                continue
            if self._draw(fault, rng):
                return fault
        return None

    def metrics_delay_s(self, now_s: float) -> float:
        """How many seconds later metrics are published; the longest delay counts."""
        return self._longest_delay_s(LateMetricsFault, now_s)

    def logs_delay_s(self, now_s: float) -> float:
        """How many seconds later log events can be read; the longest delay counts."""
        return self._longest_delay_s(LateLogsFault, now_s)

    # Adding and removing

    def add(self, spec: FaultSpec, now_s: float, owner: str | None = None) -> Fault:
        """Makes a fault active.

        Raises:
            InputError: there are too many.
        """
        self._drop_expired(now_s)
        if len(self._faults) >= MAX_FAULTS:
            raise InputError(f"fault: {MAX_FAULTS} are active already", hint="clear some")
        fault = Fault(f"f{next(self._numbers)}", spec, now_s, owner)
        self._faults[fault.id] = fault
        self._sort()
        return fault

    def remove(self, fault_id: str) -> bool:
        """Ends a fault; False where there is no such fault (any more)."""
        removed = self._faults.pop(fault_id, None)
        self._sort()
        return removed is not None

    def clear(self) -> int:
        """Ends all faults, and says how many there were."""
        count = len(self._faults)
        self._faults.clear()
        self._sort()
        return count

    def active(self, now_s: float) -> tuple[Fault, ...]:
        """All faults, the oldest first."""
        self._drop_expired(now_s)
        return tuple(self._faults.values())

    def _drop_expired(self, now_s: float) -> None:
        if now_s < self._next_expiry_s:
            return
        for fault in tuple(self._faults.values()):
            if fault.expires_s <= now_s:
                del self._faults[fault.id]
        self._sort()

    def _sort(self) -> None:
        """Brings what is derived from the faults up to date."""
        faults = tuple(self._faults.values())
        self._of_requests = tuple(f for f in faults if isinstance(f.spec, RequestFault))
        self._of_functions = tuple(f for f in faults if isinstance(f.spec, FunctionFault))
        self._of_calls = tuple(f for f in faults if isinstance(f.spec, ThrottleControlPlaneFault))
        self._next_expiry_s = min((fault.expires_s for fault in faults), default=math.inf)

    # Details

    def _draw(self, fault: Fault, rng: Random) -> bool:
        spec = fault.spec
        if isinstance(spec, LateMetricsFault | LateLogsFault):
            return False
        if spec.share < 1 and rng.random() >= spec.share:
            return False
        fault.hits += 1
        if spec.count is not None and fault.hits >= spec.count:
            self.remove(fault.id)
        return True

    def _longest_delay_s(
        self, kind: type[LateMetricsFault] | type[LateLogsFault], now_s: float
    ) -> float:
        self._drop_expired(now_s)
        delays = (f.spec.delay_s for f in self._faults.values() if isinstance(f.spec, kind))
        return max(delays, default=0.0)


def _meets_request(
    spec: FaultSpec, stage_key: StageKey, route_key: str, api_name: str | None
) -> bool:
    return (
        isinstance(spec, RequestFault)
        and (spec.api is None or spec.api in (stage_key[0], api_name))
        and spec.stage in (None, stage_key[1])
        and spec.route in (None, route_key)
    )


def _meets_function(spec: FaultSpec, function_name: str) -> bool:
    return isinstance(spec, FunctionFault) and spec.function in (None, function_name)


def _meets_call(spec: FaultSpec, service: str, operation: str) -> bool:
    return (
        isinstance(spec, ThrottleControlPlaneFault)
        and spec.service in (None, service)
        and spec.operation in (None, operation)
    )
