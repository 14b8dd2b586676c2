"""The layers that requests pass: token buckets of API Gateway, and behind them pools of Lambda."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from loadgen.limits import Limits, StepLimits
from loadgen.outcome import Cause

# "For each synchronous invocation, 10 times the concurrency limit a second" (Lambda quotas, 2026).
REQUESTS_PER_CONCURRENCY = 10
# "Each function may scale by 1,000 environments every 10 seconds" (Lambda scaling behavior, 2026).
GROWTH_PER_10_S = 1_000


@dataclass(frozen=True, slots=True)
class Gate:
    """A token bucket that is full in the beginning; a quota is one that nothing refills."""

    cause: Cause
    name: str
    rate_rps: float
    burst: float


@dataclass(frozen=True, slots=True)
class Pool:
    """Concurrent executions: a function's reserve, or what all functions without one share.

    Of a reserve what is provisioned is a part; from what is shared AWS has taken it off already.
    """

    name: str
    limit: int
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class StepChain:
    """What requests of one step pass: gates in the order of API Gateway, then a pool of Lambda.

    `pool` is None where no function is called, or where its limit is not known. `longest_s` is
    the timeout of the function: no call runs for longer.
    """

    gates: tuple[int, ...] = ()
    pool: int | None = None
    function: str | None = None
    longest_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Chain:
    """All layers, each once, and which of them each step passes.

    `warm` has environments that wait for calls, by the name of the function. `ending` are steps
    after whose refusal a flow ends.
    """

    gates: tuple[Gate, ...]
    pools: tuple[Pool, ...]
    steps: tuple[StepChain, ...]
    warm: Mapping[str, int]
    ending: frozenset[int] = frozenset()


def chain_of(
    limits: Limits,
    n_steps: int,
    warm: Mapping[str, int],
    ending: frozenset[int] = frozenset(),
    timeouts_s: Mapping[int, float] | None = None,
) -> Chain:
    """The layers of the limits that were read. Of a quota counts what is left of it.

    `timeouts_s` are those of the functions, by step, as far as they are known.
    """
    gates: dict[str, Gate] = {}
    pools: dict[str, Pool] = {}
    by_step = {path.step: path for path in limits.steps}
    longest_s = timeouts_s or {}
    steps = [
        replace(
            _step_chain(by_step.get(number, StepLimits(number)), gates, pools),
            longest_s=longest_s.get(number, math.inf),
        )
        for number in range(n_steps)
    ]
    return Chain(tuple(gates.values()), tuple(pools.values()), tuple(steps), warm, ending)


def _step_chain(path: StepLimits, gates: dict[str, Gate], pools: dict[str, Pool]) -> StepChain:
    if path.turned_away is not None:
        return StepChain()  # API Gateway answers before any of them
    order: list[str] = []
    in_plan = (Cause.USAGE_PLAN_METHOD, Cause.USAGE_PLAN)
    for bucket in path.buckets:
        gates.setdefault(
            bucket.shared_key, Gate(bucket.layer, bucket.name, bucket.rate_rps, bucket.burst)
        )
        order.append(bucket.shared_key)
    quota = path.quota
    if quota is not None and quota.left is not None:
        gates.setdefault(quota.shared_key, Gate(Cause.QUOTA, quota.name, 0.0, quota.left))
        after_plan = sum(bucket.layer in in_plan for bucket in path.buckets)
        order.insert(after_plan, quota.shared_key)
    pool: str | None = None
    if path.function is not None and path.concurrency is not None:
        pool = path.function if path.reserved else ""
        name = f"function {path.function}" if path.reserved else "account, without reserves"
        pools.setdefault(pool, Pool(name, path.concurrency, is_shared=not path.reserved))
    places = list(gates)
    return StepChain(
        tuple(places.index(key) for key in order),
        None if pool is None else list(pools).index(pool),
        path.function,
    )


def own_places(chain: Chain, step: int) -> int:
    """The places that a step's function has besides its pool: provisioned, and not of a reserve."""
    pool, function = chain.steps[step].pool, chain.steps[step].function
    is_beside = pool is not None and function is not None and chain.pools[pool].is_shared
    return chain.warm.get(function or "", 0) if is_beside else 0


def steps_of_gate(chain: Chain, gate: int) -> Sequence[int]:
    """The steps that pass a gate."""
    return [number for number, step in enumerate(chain.steps) if gate in step.gates]


def steps_of_pool(chain: Chain, pool: int) -> Sequence[int]:
    """The steps whose functions run in a pool."""
    return [number for number, step in enumerate(chain.steps) if step.pool == pool]
