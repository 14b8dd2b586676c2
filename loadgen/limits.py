"""The limits on the path of each step, in the order in which API Gateway applies them.

Method in a usage plan, usage plan, quota, method of the stage or the stage, account, and behind
them the concurrency of Lambda ("Throttle requests to your REST APIs", developer guide 2026).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from core.aws.gateway import Route
from loadgen.outcome import Cause
from reports.load_document import ConfiguredLimit

_ORDER = (
    Cause.USAGE_PLAN_METHOD,
    Cause.USAGE_PLAN,
    Cause.QUOTA,
    Cause.METHOD,
    Cause.STAGE,
    Cause.ACCOUNT,
    Cause.LAMBDA_CONCURRENCY,
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket that a request has to pass; requests with the same `shared_key` share it."""

    layer: Cause
    name: str
    rate_rps: float
    burst: int
    shared_key: str


@dataclass(frozen=True, slots=True)
class QuotaLimit:
    """What a key may use in a period, and had used before the run (None: unknown).

    `by_day` has what it used on past days (UTC), as far as AWS has counted it, today last.
    """

    name: str
    limit: int
    period: str
    used: int | None
    shared_key: str
    plan_id: str = ""
    key_id: str = ""
    by_day: tuple[tuple[date, int], ...] = ()

    @property
    def left(self) -> int | None:
        """What was left before the run."""
        return None if self.used is None else max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class StepLimits:
    """The limits that the requests of one step pass; `buckets` in the order of API Gateway.

    `complete` is whether every throttle on the path is known. `concurrency` is that of `function`:
    its reserve, or what it shares with the account's other functions.
    """

    step: int
    route: str | None = None
    buckets: tuple[Bucket, ...] = ()
    quota: QuotaLimit | None = None
    function: str | None = None
    qualifier: str | None = None  # of the function, as the route calls it
    concurrency: int | None = None
    reserved: bool = False
    complete: bool = False
    no_route: bool = False  # the routes of the API are known, and none takes the step
    hit: Route | None = None
    turned_away: str | None = None  # why API Gateway answers all its requests itself


@dataclass(frozen=True, slots=True)
class Limits:
    """All that is configured on the paths of a profile's steps."""

    steps: tuple[StepLimits, ...] = ()
    account_concurrency: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def configured(self) -> list[ConfiguredLimit]:
        """Every limit once, with the steps that pass it, for the result document."""
        found: dict[str, ConfiguredLimit] = {}
        passing: dict[str, list[int]] = {}
        for step in self.steps:
            for key, entry in self._of_step(step):
                found.setdefault(key, entry)
                passing.setdefault(key, []).append(step.step)
        order = [cause.name.lower() for cause in _ORDER]
        limits = [entry.model_copy(update={"steps": passing[key]}) for key, entry in found.items()]
        return sorted(limits, key=lambda limit: order.index(limit.layer))

    def _of_step(self, step: StepLimits) -> Iterator[tuple[str, ConfiguredLimit]]:
        for bucket in step.buckets:
            yield bucket.shared_key, _bucket_entry(bucket)
        if step.quota is not None:
            yield step.quota.shared_key, _quota_entry(step.quota)
        if step.function is not None and step.concurrency is not None and step.reserved:
            name = f"function {step.function}"
            yield name, _concurrency_entry(name, step.concurrency)
        elif step.function is not None and self.account_concurrency is not None:
            name = "account, without reserves"
            yield name, _concurrency_entry(name, self.account_concurrency)


def _bucket_entry(bucket: Bucket) -> ConfiguredLimit:
    return ConfiguredLimit(
        layer=bucket.layer.name.lower(),
        name=bucket.name,
        rate_rps=bucket.rate_rps,
        burst=bucket.burst,
    )


def _quota_entry(quota: QuotaLimit) -> ConfiguredLimit:
    return ConfiguredLimit(
        layer="quota", name=quota.name, quota=quota.limit, used=quota.used, period=quota.period
    )


def _concurrency_entry(name: str, concurrency: int) -> ConfiguredLimit:
    return ConfiguredLimit(layer="lambda_concurrency", name=name, concurrency=concurrency)
