"""Load documents for tests: a small shop behind API Gateway, simulated second by second.

Counts come from one tally of (second, phase, step, outcome, cause), so all books balance as those
of a real run do; latencies are quantiles of log-normal distributions.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from statistics import NormalDist
from typing import Any

from reports.load_document import (
    CauseCount,
    CheckFailure,
    ConfiguredLimit,
    LoadDocument,
    LoadPercentiles,
    LoadProvenance,
    LoadSpent,
    Outcomes,
    PhaseSlice,
    Rates,
    Requests,
    Second,
    StepSlice,
    TargetFacts,
    ThresholdResult,
    ValidityReport,
)

Rate = Callable[[float], float]

PROFILE = """\
version: 1
name: orders
target: {api: {name: orders, stage: prod}}
auth: {type: api_key, value: "${env.ORDERS_KEY}"}
load:
  model: open
  phases:
    - {name: warm-up, duration: 10s, rate: 20, measure: false}
    - {name: ramp, duration: 60s, rate: [20, 160]}
    - {name: hold, duration: 60s, rate: 160}
    - {name: burst, burst: 200, within: 2s}
scenarios:
  - name: browse
    flow:
      - {get: /products}
      - {get: /search}
thresholds:
  - p95(ok) < 300ms
  - rate(server_error) < 1%
"""


@dataclass(frozen=True)
class Phase:
    """A phase of the simulation; `rate` is of the share of the phase that has passed."""

    name: str
    length_s: int
    rate: Rate
    planned: str
    measured: bool = True


@dataclass(frozen=True)
class Step:
    """A step: its share of all requests, and what refuses or breaks them."""

    scenario: str
    method: str
    path: str
    share: float
    median_ms: float = 24.0
    cap_rps: float = math.inf
    cause: str = "stage"
    evidence: str = "configuration"
    quota: float = math.inf
    error_share: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


SHOP_PHASES = (
    Phase("warm-up", 10, lambda _: 20, "20 requests/s", measured=False),
    Phase("ramp", 60, lambda share: 20 + 140 * share, "20 to 160 requests/s"),
    Phase("hold", 60, lambda _: 160, "160 requests/s"),
    Phase("burst", 4, lambda share: 320 if share < 0.4 else 0, "200 requests within 2 s"),
)
SHOP_STEPS = (
    Step("browse", "GET", "/products", 0.45, 13, cap_rps=52),
    Step("browse", "GET", "/search", 0.2, 62, cap_rps=20, cause="method", error_share=0.004),
    Step("order", "POST", "/orders", 0.1, 31, cap_rps=2, cause="usage_plan_method"),
    Step("order", "GET", "/orders/{id}", 0.1, 38, cap_rps=10, cause="usage_plan", quota=600),
    Step("order", "POST", "/checkout", 0.15, 104, 15, "lambda_concurrency", "access_log",
         error_share=0.006),
)  # fmt: skip
SHOP_LIMITS = (
    ConfiguredLimit(layer="account", name="eu-west-1", rate_rps=10_000, burst=5_000),
    ConfiguredLimit(layer="stage", name="prod", rate_rps=80, burst=40),
    ConfiguredLimit(layer="method", name="GET /search", rate_rps=20, burst=10),
    ConfiguredLimit(layer="usage_plan", name="plan basic", rate_rps=10, burst=5),
    ConfiguredLimit(layer="usage_plan_method", name="plan basic, POST /orders", rate_rps=2),
    ConfiguredLimit(layer="quota", name="plan basic", quota=600, used=12, period="DAY"),
    ConfiguredLimit(layer="lambda_concurrency", name="function checkout", concurrency=5),
)

Key = tuple[int, int, int, str, str, str]


@dataclass
class Tally:
    """How many requests had each second, phase, step, outcome, cause and evidence."""

    phases: Sequence[Phase]
    steps: Sequence[Step]
    counts: Counter[Key] = field(default_factory=Counter)
    dropped: Counter[tuple[int, int]] = field(default_factory=Counter)

    def starts(self) -> list[int]:
        """The second in which each phase begins, and the end."""
        at = [0]
        for phase in self.phases:
            at.append(at[-1] + phase.length_s)
        return at


def simulate(
    phases: Sequence[Phase], steps: Sequence[Step], seed: int, drop_above_rps: float = math.inf
) -> Tally:
    """A run of `steps` through `phases`."""
    rng = random.Random(seed)
    tally = Tally(phases, steps)
    used: Counter[int] = Counter()
    starts = tally.starts()
    for index, phase in enumerate(phases):
        for second in range(starts[index], starts[index + 1]):
            mean = phase.rate((second - starts[index]) / phase.length_s)
            offered = max(0, round(rng.gauss(mean, math.sqrt(mean) * 0.6)))
            sent = min(offered, round(drop_above_rps)) if drop_above_rps < math.inf else offered
            tally.dropped[second, index] = offered - sent
            for number, count in enumerate(_split(sent, steps, rng)):
                for outcome, cause, evidence, part in _outcomes(steps[number], count, used[number]):
                    tally.counts[second, index, number, outcome, cause, evidence] += part
                    used[number] += part if outcome != "throttled" else 0
    return tally


def _split(total: int, steps: Sequence[Step], rng: random.Random) -> list[int]:
    counts = Counter(rng.choices(range(len(steps)), [step.share for step in steps], k=total))
    return [counts[number] for number in range(len(steps))]


def _outcomes(step: Step, count: int, used: int) -> Iterable[tuple[str, str, str, int]]:
    if used >= step.quota:
        yield "throttled", "quota", "wire", count
        return
    admitted = min(count, int(step.cap_rps) if step.cap_rps < math.inf else count)
    failed = sum((used + i) % 997 < 997 * step.error_share for i in range(admitted))
    yield "ok", "none", "none", admitted - failed
    yield "server_error", "application", "wire", failed
    yield "throttled", step.cause, step.evidence, count - admitted


def percentiles(median_ms: float, n: int, sigma: float = 0.45) -> LoadPercentiles | None:
    """Quantiles of a log-normal distribution; None for no request."""
    if n == 0:
        return None

    def at(q: float) -> float:
        return round(median_ms * math.exp(sigma * NormalDist().inv_cdf(q)), 3)

    highest = at(1 - 0.5 / n) if n > 1 else at(0.5)
    return LoadPercentiles(
        p50=at(0.5),
        p90=min(at(0.9), highest),
        p95=min(at(0.95), highest),
        p99=min(at(0.99), highest),
        p999=min(at(0.999), highest),
        max=highest,
        mean=round(median_ms * math.exp(sigma**2 / 2), 3),
        n=n,
    )


def slice_fields(
    tally: Tally, where: Callable[[Key], bool], length_s: float, dropped: int
) -> dict[str, Any]:
    """The fields that the run, a step and a phase share."""
    cells = {key: count for key, count in tally.counts.items() if count and where(key)}
    completed = sum(cells.values())
    outcomes: Counter[str] = Counter()
    throttled: dict[str, Counter[str]] = {}
    errors: dict[tuple[str, str], Counter[str]] = {}
    weight = 0.0
    for (_, _, number, outcome, cause, evidence), count in cells.items():
        outcomes[outcome] += count
        weight += count * math.log(tally.steps[number].median_ms)
        if outcome == "throttled":
            throttled.setdefault(cause, Counter())[evidence] += count
        elif outcome != "ok":
            errors.setdefault((outcome, cause), Counter())[evidence] += count
    median_ms = math.exp(weight / completed) if completed else 0.0
    refused = outcomes["throttled"]
    quick = 1 - 0.6 * refused / completed if completed else 1.0
    span_s = length_s or 1.0
    return {
        "requests": Requests(
            offered=completed + dropped, sent=completed, completed=completed, cut=0, dropped=dropped
        ),
        "outcomes": Outcomes(**outcomes),
        "throttled_by_cause": [
            cause_count("throttled", cause, found) for cause, found in sorted(throttled.items())
        ],
        "errors_by_cause": [
            cause_count(outcome, cause, found) for (outcome, cause), found in sorted(errors.items())
        ],
        "rates": Rates(
            offered_rps=(completed + dropped) / span_s,
            admitted_rps=(completed - refused) / span_s,
            throttled_rps=refused / span_s,
        ),
        "response_ms": percentiles(median_ms * quick, completed, 0.9),
        "service_ms": percentiles(median_ms * quick * 0.97, completed, 0.6),
        "ok_response_ms": percentiles(median_ms, outcomes["ok"], 0.85),
        "first_byte_ms": percentiles(median_ms * quick * 0.95, completed, 0.6),
        "connect_ms": percentiles(1.3, min(completed, 40), 0.3),
        "tls_ms": percentiles(6.1, min(completed, 40), 0.3),
        "bytes_in": completed * 412,
    }


def cause_count(outcome: str, cause: str, found: Counter[str]) -> CauseCount:
    """A cause with its evidence, the most frequent as the best."""
    return CauseCount(
        outcome=outcome,
        cause=cause,
        evidence=found.most_common(1)[0][0],
        count=found.total(),
        by_evidence=dict(found),
    )


def seconds_of(tally: Tally, stall: range, seed: int) -> list[Second]:
    """Every second that has a request; in a stall responses wait, and later ones behind them."""
    rng = random.Random(seed)
    starts = tally.starts()
    by_second: dict[tuple[int, int], dict[Key, int]] = {}
    for key, count in tally.counts.items():
        if count:
            by_second.setdefault(key[:2], {})[key] = count
    seconds = []
    for index, phase in enumerate(tally.phases):
        for at in range(starts[index], starts[index + 1]):
            cells = by_second.get((at, index), {})
            dropped = tally.dropped[at, index]
            total = sum(cells.values())
            if not total and not dropped:
                continue
            throttled: Counter[str] = Counter()
            errors: Counter[str] = Counter()
            for (_, _, _, outcome, cause, _), count in cells.items():
                if outcome == "throttled":
                    throttled[cause] += count
                elif outcome != "ok":
                    errors[outcome] += count
            base = 18 * rng.uniform(0.9, 1.12) + total / 14
            wait = 1000.0 * (1 - (at - stall.start) / len(stall)) if at in stall else 0.0
            seconds.append(
                Second(
                    second=at,
                    phase=phase.name,
                    offered=total + dropped,
                    admitted=total - throttled.total(),
                    throttled=dict(throttled),
                    errors=dict(errors),
                    dropped=dropped,
                    response_p50_ms=round(base + wait * 0.4, 2) if total else None,
                    response_p95_ms=round(base * 3.4 + wait, 2) if total else None,
                    response_p99_ms=round(base * 5.5 + wait * 1.02, 2) if total else None,
                    service_p95_ms=round(base * 3.3 + (wait > 700) * 180, 2) if total else None,
                    in_flight=total // 12,
                    start_lag_p99_ms=0.31,
                    cpu_share=0.22,
                )
            )
    return seconds


def document(
    tally: Tally, *, seed: int = 7, stall: range = range(0), **changes: Any
) -> LoadDocument:
    """The document of a simulated run; `changes` replace whole fields."""
    starts = tally.starts()
    measured = {index for index, phase in enumerate(tally.phases) if phase.measured}
    length_s = float(sum(tally.phases[index].length_s for index in measured))
    dropped = sum(count for (_, index), count in tally.dropped.items() if index in measured)
    steps = [
        StepSlice(
            name=step.name,
            scenario=step.scenario,
            method=step.method,
            path=step.path,
            **slice_fields(tally, _of_step(number, measured), length_s, 0),
        )
        for number, step in enumerate(tally.steps)
    ]
    phases = [
        PhaseSlice(
            name=phase.name,
            measured=phase.measured,
            from_s=float(starts[index]),
            to_s=float(starts[index + 1]),
            planned=phase.planned,
            **slice_fields(
                tally,
                _of_phase(index),
                phase.length_s,
                sum(n for (_, at), n in tally.dropped.items() if at == index),
            ),
        )
        for index, phase in enumerate(tally.phases)
    ]
    fields: dict[str, Any] = {
        "name": "orders",
        "verdict": "pass",
        "exit_code": 0,
        "errors": [],
        "notes": [],
        "target": TargetFacts(
            url="https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
            api_id="a1b2c3d4e5",
            api_name="orders",
            api_kind="rest",
            stage="prod",
            region="eu-west-1",
            account="123456789012",
            auth=["api_key"],
        ),
        **slice_fields(tally, lambda key: key[1] in measured, length_s, dropped),
        "measured_s": length_s,
        "steps": steps,
        "phases": phases,
        "seconds": seconds_of(tally, stall, seed),
        "thresholds": [],
        "validity": ValidityReport(
            verdict="valid",
            reasons=[],
            start_lag_p50_ms=0.06,
            start_lag_p99_ms=0.31,
            cpu_share_max=0.27,
        ),
        "limits": list(SHOP_LIMITS),
        "spent": LoadSpent(
            usd=0.0612,
            estimated_usd=0.071,
            detail=[
                "API Gateway: 17,204 requests at $3.50 a million.",
                "Lambda: 11,310 calls, 402 GB-s.",
            ],
        ),
        "provenance": provenance(),
    }
    return LoadDocument(**(fields | changes))


def _of_step(number: int, measured: set[int]) -> Callable[[Key], bool]:
    return lambda key: key[2] == number and key[1] in measured


def _of_phase(index: int) -> Callable[[Key], bool]:
    return lambda key: key[1] == index


def provenance(**changes: Any) -> LoadProvenance:
    """Where a run came from."""
    fields: dict[str, Any] = {
        "tool_version": "0.1.0",
        "command": ["loadgen", "run", "profiles/orders.yaml", "--env", "staging"],
        "started_utc": "2025-11-23T15:51:07+00:00",
        "finished_utc": "2025-11-23T15:53:29+00:00",
        "seed": 4711,
        "run_id": "20251123T155107Z-load-orders",
        "profile_file": "profiles/orders.yaml",
        "profile_sha256": "5d41402abc4b2a76b9719d911017c592aef5f8a0f1f24d6f8a0b7d1e2c3f4a5b",
        "profile_text": PROFILE,
        "environment": "staging",
        "processes": 1,
        "model": "open",
        "arrivals": "poisson",
    }
    return LoadProvenance(**(fields | changes))


def threshold(that: str, value: float | None, limit: float, **more: Any) -> ThresholdResult:
    """A threshold over the whole run; it holds when the value is below the limit."""
    ok = None if value is None else value < limit
    fields = {"scope": "the run", "unit": "ms", "ok": ok} | more
    return ThresholdResult(that=that, value=value, limit=limit, **fields)


@cache
def five_causes() -> LoadDocument:
    """A pass whose refusals have five causes; a stall of a second holds responses up."""
    return document(
        simulate(SHOP_PHASES, SHOP_STEPS, seed=1),
        stall=range(84, 90),
        thresholds=[
            threshold("p95(ok) < 300ms", 118.2, 300),
            threshold("rate(server_error) < 1%", 0.0021, 0.01, unit="share"),
            threshold("rps(admitted) > 60", 78.9, 60, unit="rps", ok=True, scope="phase hold"),
        ],
        notes=["The access log had 1,214 of 1,214 refused requests."],
    )


def sandbox() -> LoadDocument:
    """The same shop in the local sandbox, with a cause that nothing names."""
    unnamed = replace(SHOP_STEPS[0], cause="throttle", evidence="wire")
    return document(
        simulate(SHOP_PHASES, (unnamed, *SHOP_STEPS[1:2]), seed=2),
        name="orders-local",
        provenance=provenance(endpoint="http://127.0.0.1:4566"),
        spent=LoadSpent(usd=None, estimated_usd=None, detail=["The sandbox costs nothing."]),
    )


LATE = (
    "start lag p99 is 41.2 ms, above validity.max_start_lag 10 ms: use --processes 3",
    "19 % of arrivals were dropped, above validity.max_dropped 0.1 %: raise load.max_in_flight",
)


def invalid() -> LoadDocument:
    """The generator was too slow and dropped what it could not begin."""
    return document(
        simulate(SHOP_PHASES, SHOP_STEPS[:2], seed=3, drop_above_rps=120),
        name="too-much-for-one-process",
        verdict="invalid",
        exit_code=5,
        errors=list(LATE),
        validity=ValidityReport(
            verdict="invalid",
            reasons=list(LATE),
            warnings=["The clock of the machine was stepped once."],
            start_lag_p50_ms=1.9,
            start_lag_p99_ms=41.2,
            cpu_share_max=0.99,
            dropped_share=0.193,
            injectors=2,
            injectors_ended_early=1,
        ),
    )


def failed() -> LoadDocument:
    """Two thresholds do not hold, and one ended the run."""
    return document(
        simulate(SHOP_PHASES[:3], SHOP_STEPS, seed=4),
        name="orders-nightly",
        verdict="failed",
        exit_code=3,
        errors=["a threshold ended the run 129.3 s after the start: rate(throttled) < 1%"],
        thresholds=[
            threshold("p99(response) < 200ms", 412.7, 200, scope="step GET /search"),
            threshold(
                "rate(throttled) < 1%",
                0.34,
                0.01,
                unit="share",
                scope="the run, 3 times 10 s in a row",
                aborted=True,
                detail="ended the run at second 129",
            ),
            threshold("count(timeout) < 1", 0, 1, unit="count"),
            threshold("p95(response) < 1s", None, 1000, scope="phase burst"),
        ],
    )


def forbidden(share: float = 0.49) -> LoadDocument:
    """WAF refuses this share of requests with a 403, in a millisecond."""
    tally = simulate(
        (Phase("hold", 10, lambda _: 20, "20 requests/s"),),
        (Step("browse", "GET", "/products", 1.0, 24),),
        seed=11,
    )
    waf = Counter[Key]()
    for (second, phase, step, *_), count in tally.counts.items():
        refused = round(count * share)
        waf[second, phase, step, "client_error", "waf", "wire"] += refused
        waf[second, phase, step, "ok", "none", "none"] += count - refused
    tally.counts = waf
    run = document(tally, name="orders-behind-waf", limits=[])
    quick = percentiles(1.1, run.requests.completed, 1.6)
    steps, phases = (
        [part.model_copy(update={"response_ms": quick}) for part in parts]
        for parts in (run.steps, run.phases)
    )
    changes: dict[str, Any] = {"response_ms": quick, "steps": steps, "phases": phases}
    statuses = {"200": run.outcomes.ok, "403": run.outcomes.client_error}
    changes["statuses"] = {code: count for code, count in statuses.items() if count}
    if not run.outcomes.ok:
        said = f"none of {run.requests.completed} completed requests was ok: "
        said += f"{run.requests.completed} x client error (4xx): WAF"
        changes |= {"verdict": "failed", "exit_code": 3, "errors": [said]}
    return run.model_copy(update=changes)


def wrong_answers() -> LoadDocument:
    """Some answers are not what the profile expects, some never come, and some are refused."""
    tally = simulate((Phase("hold", 20, lambda _: 90, "90 requests/s"),), SHOP_STEPS[:2], seed=12)
    for (second, phase, step, outcome, *_), count in list(tally.counts.items()):
        if outcome == "ok" and count > 3:
            tally.counts[second, phase, step, "ok", "none", "none"] -= 2
            tally.counts[second, phase, step, "check_failed", "none", "none"] += 1
            tally.counts[second, phase, step, "timeout", "response_timeout", "wire"] += 1
    run = document(tally, name="orders-after-a-release")
    outcomes, products = run.outcomes, run.steps[0].outcomes.check_failed
    return run.model_copy(
        update={
            "statuses": {
                "200": outcomes.ok + outcomes.check_failed,
                "429": outcomes.throttled,
                "500": outcomes.server_error,
                "no response": outcomes.timeout,
            },
            "failures": [
                CheckFailure(
                    step="GET /search",
                    reason="capture next_page: nothing found in $.links.next.href.of.the.last.page",
                    count=outcomes.check_failed - products,
                ),
                CheckFailure(
                    step="GET /products",
                    reason="checks.json.$[0].name: expected Lamp, got Chair",
                    count=products - 2,
                ),
                CheckFailure(step="GET /products", reason="other reasons", count=2),
            ],
        }
    )


def interrupted() -> LoadDocument:
    """Ctrl-C in the middle of the ramp."""
    return document(
        simulate((SHOP_PHASES[0], replace(SHOP_PHASES[1], length_s=23)), SHOP_STEPS[:1], seed=5),
        name="orders-stopped",
        verdict="interrupted",
        exit_code=130,
        errors=["stopped by Ctrl-C after 33 s"],
    )


def nothing_completed() -> LoadDocument:
    """The target never answered, and every request was cut."""
    tally = Tally((Phase("hold", 5, lambda _: 10, "10 requests/s"),), SHOP_STEPS[:1])
    idle = [
        Second(second=at, phase="hold", offered=10, admitted=0, throttled={}, errors={})
        for at in range(5)
    ]
    empty = document(tally)
    return empty.model_copy(
        update={
            "name": "no-answer",
            "verdict": "invalid",
            "exit_code": 5,
            "requests": Requests(offered=50, sent=50, completed=0, cut=50, dropped=0),
            "rates": Rates(offered_rps=10, admitted_rps=0, throttled_rps=0),
            "seconds": idle,
            "limits": [],
            "validity": ValidityReport(verdict="invalid", reasons=["no request was completed"]),
        }
    )


def nothing_at_all() -> LoadDocument:
    """A guard refused the run before its first request."""
    empty = document(Tally((), ()), name="too-dear", verdict="refused", exit_code=6)
    return empty.model_copy(
        update={
            "errors": ["the run may cost $81.20 (guards.max_cost_usd: 5)"],
            "seconds": [],
            "limits": [],
            "measured_s": 0.0,
        }
    )


def locustfile() -> LoadDocument:
    """Users of a locustfile, in the closed model; nothing was refused, some requests failed."""
    steps = (
        Step("ShopUser", "GET", "/", 0.6, 41, error_share=0.02),
        Step("ShopUser", "POST", "/cart", 0.4, 77),
    )
    phases = (
        Phase("climb", 20, lambda share: 40 * share, "0 to 20 users"),
        Phase("stay", 40, lambda _: 40, "20 users"),
    )
    return document(
        simulate(phases, steps, seed=6),
        name="legacy locustfile",
        provenance=provenance(model="closed", environment=None, processes=4),
        target=TargetFacts(url="http://127.0.0.1:8089/shop"),
        limits=[],
    )


def one_second() -> LoadDocument:
    """As short as a run can be."""
    return document(
        simulate(
            (Phase("burst", 1, lambda _: 30, "30 requests at once"),),
            (Step("ping", "GET", "/health", 1.0, 3),),
            seed=8,
        ),
        name="one-second",
        thresholds=[threshold("p99(response) < 50ms", 9.1, 50)],
    )


@cache
def three_hours() -> LoadDocument:
    """A soak with many phases, more seconds than a drawing has pixels."""
    phases = tuple(
        Phase(f"level {level}", 900, _constant(2 + level % 5), f"{2 + level % 5} requests/s")
        for level in range(12)
    )
    return document(
        simulate(phases, (Step("soak", "GET", "/products", 1.0, 15, cap_rps=5),), seed=9),
        name="soak",
        stall=range(6000, 6030),
    )


def _constant(rate: float) -> Rate:
    return lambda _: rate


HOSTILE = '</script></style></title>]]><script>x()</script><b onmouseover="x()">&{{ 7*7 }}</b>'


def hostile() -> LoadDocument:
    """Markup in every text that comes from outside."""
    phases = (Phase(HOSTILE, 30, lambda _: 20, HOSTILE),)
    steps = (Step(HOSTILE, "GET", "/" + HOSTILE, 1.0, cap_rps=9, cause=HOSTILE, evidence=HOSTILE),)
    return document(
        simulate(phases, steps, seed=10),
        name=HOSTILE,
        verdict="invalid",
        exit_code=5,
        errors=[HOSTILE],
        notes=[HOSTILE],
        statuses={HOSTILE: 3},
        failures=[CheckFailure(step=HOSTILE, reason=HOSTILE, count=3)],
        target=TargetFacts(url=HOSTILE, api_name=HOSTILE, stage=HOSTILE, auth=[HOSTILE]),
        thresholds=[threshold(HOSTILE, 1.0, 2.0, scope=HOSTILE, detail=HOSTILE)],
        validity=ValidityReport(verdict="invalid", reasons=[HOSTILE], warnings=[HOSTILE]),
        limits=[ConfiguredLimit(layer=HOSTILE, name=HOSTILE, rate_rps=1, quota=1, period=HOSTILE)],
        spent=LoadSpent(usd=0.0, estimated_usd=0.0, detail=[HOSTILE]),
        provenance=provenance(
            command=["loadgen", HOSTILE],
            run_id=HOSTILE,
            endpoint=HOSTILE,
            profile_file=HOSTILE,
            profile_text=HOSTILE,
            environment=HOSTILE,
            arrivals=HOSTILE,
        ),
    )


def all_documents() -> list[LoadDocument]:
    """One of each kind that a page may have to show."""
    return [
        five_causes(),
        sandbox(),
        invalid(),
        failed(),
        interrupted(),
        nothing_completed(),
        nothing_at_all(),
        forbidden(),
        forbidden(1.0),
        wrong_answers(),
        locustfile(),
        one_second(),
        three_hours(),
    ]
