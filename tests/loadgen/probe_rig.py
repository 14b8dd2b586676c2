"""Probes in virtual time: APIs with known limits, and documents of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from loadgen.bucket.finding import BucketFinding
from loadgen.bucket.models import TokenBucket
from loadgen.cost import Cost
from loadgen.limits import Bucket, StepLimits
from loadgen.outcome import Cause
from loadgen.probe.compare import Configured
from loadgen.probe.identities import Choice
from loadgen.probe.plan import probe
from loadgen.probe.result import ProbeFacts, build_document, judged
from loadgen.probe.seen import Seen
from loadgen.probe.setup import Caps, Factor, Identity, Setup
from loadgen.probe.simulated import (
    ConfiguredApi,
    Network,
    OneLimit,
    SimulatedApi,
    Simulation,
    simulate,
)
from loadgen.steps import StepInfo
from reports.limits_document import LimitsDocument
from reports.load_document import TargetFacts
from tests.loadgen.shop import profile_of

BASE = Identity("base", 0, 0)
OTHERS: Mapping[Factor, Identity] = {
    "method": Identity("other method", 1, 1),
    "key": Identity("other key", 2, 2),
    "stage": Identity("other stage", 3, 3),
}
CANARY = Identity("canary", 4, 4)
STEPS = {number: number for number in range(5)}
CAPS = Caps(max_admitted=20_000, max_rate_rps=2_000, max_duration_s=300)
# A stage's throttle is configured and the account's is far above: nobody else is in the way.
PLAIN = Setup(BASE, CAPS, inner_rps=(1.0,), account_rps=10_000)
# By layer: which of base, other method, other key, other stage and canary share its bucket.
SHARING = {
    "account": (0, 1, 2, 3, 4),
    "stage": (0, 1, 2),
    "usage_plan": (0, 1, 3),
    "method": (0, 2),
    "usage_plan_method": (0,),
}


def bucket(layer: Cause = Cause.STAGE, rate: float = 60, burst: int = 50, key: str = "") -> Bucket:
    """A configured bucket."""
    return Bucket(layer, f"{layer.name.lower()} x", rate, burst, key or layer.name)


def layered(layer: str, rate: float = 60, burst: int = 50) -> ConfiguredApi:
    """An API in which only the bucket of a layer binds."""
    shared = bucket(Cause.STAGE, rate, burst, "shared")
    return ConfiguredApi(
        [
            (shared if one in SHARING[layer] else bucket(rate=1000, burst=1000, key=str(one)),)
            for one in range(5)
        ]
    )


def run(
    api: SimulatedApi | None = None,
    setup: Setup = PLAIN,
    *,
    seed: int = 1,
    jitter_ms: float = 0.0,
    rate: float = 60,
    burst: float = 50,
) -> Simulation[Seen]:
    """A probe of one bucket, or of `api`."""
    network = Network(20.0 if jitter_ms else 1.0, jitter_ms)
    limits = api or OneLimit(TokenBucket(rate, burst))
    return simulate(probe(setup), limits, STEPS, seed=seed, network=network)


def facts(setup: Setup = PLAIN, buckets: tuple[Bucket, ...] = (), **changes: Any) -> ProbeFacts:
    """What a document has besides what the probe saw."""
    now = datetime(2026, 1, 5, 10, tzinfo=UTC)
    path = StepLimits(0, "GET /a", buckets, complete=True)
    given = ProbeFacts(
        name="shop",
        target=TargetFacts(url="https://a1.execute-api.eu-west-1.amazonaws.com/prod"),
        setup=setup,
        choice=Choice(
            profile=profile_of({"url": "http://127.0.0.1"}),
            base=BASE,
            others=setup.others,
            canary=setup.canary,
            has_key=True,
            notes=(),
        ),
        step=StepInfo(0, "base", "GET /a", "GET", "/a"),
        configured=Configured(path),
        notes=[],
        started=now,
        finished=now,
        seed=1,
        run_id="abc",
        command=["loadgen", "limits", "p.yaml"],
        profile_file="p.yaml",
        profile_sha256="0" * 64,
        profile_text="version: 1\n",
        environment=None,
        processes=1,
        endpoint=None,
        estimated_usd=0.0,
    )
    return replace(given, **changes)


def document(
    seen: Seen,
    setup: Setup = PLAIN,
    buckets: tuple[Bucket, ...] = (),
    found: BucketFinding | None = None,
    **changes: Any,
) -> LimitsDocument:
    """The document of a probe; without `found` it is judged, which takes a second."""
    finding = judged(seen, setup.base) if found is None else found
    return build_document(facts(setup, buckets, **changes), seen, finding, Cost(0.004, ()))
