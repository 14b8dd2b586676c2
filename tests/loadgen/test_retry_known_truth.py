"""Modelled clients in front of a server whose behaviour is known: what they send is computable."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import pytest

from loadgen.answer import Answer
from loadgen.retry.client import Ending, ModelledClient, Operation
from loadgen.retry.policy import Policy
from tests.loadgen import flow_rig
from tests.loadgen.test_retry_policy import policy

REFUSED = flow_rig.answer(429, {"message": "Too Many Requests"})
OK = flow_rig.answer(200, {})

Server = Callable[[float], Answer]


@dataclass
class Outcome:
    """What a fleet sent, and what became of its operations."""

    sent_s: list[float] = field(default_factory=list)
    admitted: int = 0
    endings: dict[Ending, int] = field(default_factory=dict)
    ok: int = 0
    operations: int = 0

    @property
    def amplification(self) -> float:
        return len(self.sent_s) / self.operations


def fleet(
    rules: Policy, server: Server, arrivals_s: np.ndarray, *, clients: int = 1, seed: int = 1
) -> Outcome:
    """Arrivals at a fleet, in simulated time: answers come at once, waits take what they take."""
    rng = random.Random(seed)
    made = [ModelledClient(rules, rng, 0.0) for _ in range(clients)]
    lines: list[deque[Operation]] = [deque() for _ in made]  # who waits for a client's limiter
    found = Outcome(operations=len(arrivals_s))
    numbers = count()
    events: list[tuple[float, int, int, Operation | None]] = []

    def plan(at_s: float, number: int, operation: Operation | None) -> None:
        heapq.heappush(events, (at_s, next(numbers), number, operation))

    for index, at_s in enumerate(arrivals_s.tolist()):
        plan(at_s, index % clients, Operation())
    while events:
        now_s, _, number, operation = heapq.heappop(events)
        client, line = made[number], lines[number]
        if operation is not None and client.holds_back:
            line.append(operation)
            if len(line) > 1:
                continue
            operation = None
        if operation is None:  # the first in line asks
            if wait_s := client.take(now_s):
                plan(now_s + wait_s + 1e-9, number, None)
                continue
            operation = line.popleft()
            if line:
                plan(now_s, number, None)
        found.sent_s.append(now_s)
        answer = server(now_s)
        found.admitted += answer is OK
        after = client.answered(operation, answer, now_s)
        if after.ending is None:
            plan(now_s + after.wait_s, number, operation)
        else:
            found.endings[after.ending] = found.endings.get(after.ending, 0) + 1
            found.ok += answer is OK
    return found


def refusing(share: float, seed: int = 2) -> Server:
    """Refuses each request with this probability, whatever came before."""
    rng = random.Random(seed)
    return lambda now_s: REFUSED if rng.random() < share else OK


def token_bucket(rate_rps: float, burst: int) -> Server:
    level, seen_s = float(burst), 0.0

    def serve(now_s: float) -> Answer:
        nonlocal level, seen_s
        level = min(burst, level + (now_s - seen_s) * rate_rps)
        seen_s = now_s
        if level < 1:
            return REFUSED
        level -= 1
        return OK

    return serve


def poisson(rate_rps: float, length_s: float, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, length_s, rng.poisson(rate_rps * length_s)))


@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_amplification_under_a_permanent_refusal_is_a_geometric_sum(
    attempts: int, share: float
) -> None:
    """1 + p + p^2 + ...: each attempt is refused with p, and only then there is a next one."""
    found = fleet(policy(max_attempts=attempts, quota="none"), refusing(share), poisson(200, 30))

    expected = sum(share**number for number in range(attempts))
    assert found.amplification == pytest.approx(expected, rel=0.04)
    assert found.ok / found.operations == pytest.approx(1 - share**attempts, abs=0.03)


def test_the_retry_quota_ends_a_storm_whatever_the_load() -> None:
    """500 tokens at 5 each are 100 retries, and nothing comes back while all is refused."""
    found = fleet(policy(), refusing(1.0), poisson(200, 30))

    retries = len(found.sent_s) - found.operations
    assert retries == 100
    assert found.endings[Ending.ATTEMPTS] + found.endings[Ending.QUOTA] == found.operations
    assert found.amplification == pytest.approx(1.0, abs=0.02)


def test_each_client_of_a_fleet_has_a_quota_of_its_own() -> None:
    found = fleet(policy(), refusing(1.0), poisson(200, 30), clients=10)

    assert len(found.sent_s) - found.operations == 1000


def test_with_a_quota_half_refused_settles_where_tokens_come_back_as_fast_as_they_go() -> None:
    """A first success gives 1 token back, a retry costs 5 and gives them back where it succeeds.

    With p refused and a retry in each of r refusals, tokens balance where
    (1 - p) = 5 x (retries that are not given back) for each operation.
    """
    share = 0.5
    found = fleet(policy(), refusing(share), poisson(200, 150))

    retries = (len(found.sent_s) - found.operations) / found.operations
    # Of an operation with k retries that ends well, only the last one's tokens come back.
    assert retries < share + share**2
    spent = 5 * retries
    back = (1 - share) + 5 * (found.ok / found.operations - (1 - share))
    assert spent - back == pytest.approx(500 / found.operations, abs=0.01)


def test_clients_without_a_quota_send_a_token_bucket_three_times_what_it_refuses() -> None:
    offered, limit = 300.0, 100.0
    without = fleet(policy(mode="none"), token_bucket(limit, 50), poisson(offered, 20))
    storm = fleet(
        policy(quota="none", throttle_base="200ms"), token_bucket(limit, 50), poisson(offered, 20)
    )
    bounded = fleet(policy(throttle_base="200ms"), token_bucket(limit, 50), poisson(offered, 20))

    # Goodput is the bucket's in each case; only the load on the wire differs.
    assert storm.admitted == pytest.approx(without.admitted, rel=0.05)
    assert without.amplification == 1
    assert storm.amplification > 2.2
    assert bounded.amplification < 1.35


@pytest.mark.parametrize("clients", [1, 10])
def test_adaptive_clients_settle_at_what_a_token_bucket_lets_through(clients: int) -> None:
    limit = 100.0
    found = fleet(
        policy(mode="adaptive"), token_bucket(limit, 100), poisson(140, 60), clients=clients
    )

    settled = [at_s for at_s in found.sent_s if 20 < at_s < 60]
    assert len(settled) / 40 == pytest.approx(limit, rel=0.08)
    assert found.ok / found.operations > 0.99
    assert found.amplification < 1.1


def test_an_adaptive_client_is_not_held_back_before_its_first_throttle() -> None:
    arrivals_s = poisson(500, 5)

    found = fleet(policy(mode="adaptive"), refusing(0.0), arrivals_s)

    assert found.sent_s == arrivals_s.tolist()
