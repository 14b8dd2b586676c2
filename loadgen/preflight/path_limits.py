"""Every limit on the path of each step as one list, each with where it is from."""

from __future__ import annotations

from collections.abc import Iterator

from core.aws.gateway import ApiKind
from loadgen.body_sizes import GATEWAY_BYTES, LAMBDA_BYTES
from loadgen.limits import Bucket, StepLimits
from loadgen.outcome import Cause
from loadgen.preflight.path_reading import Path
from loadgen.preparation import Prepared
from reports.preflight_document import PathLimit

# "Amazon API Gateway quotas" and "Lambda quotas" of the developer guides, as of 2026.
_QUOTAS_PAGE = "AWS docs, 2026"
_LAMBDA_PAGE = "AWS docs, 2026"


def path_limits(prepared: Prepared, path: Path) -> list[PathLimit]:
    """The limits in the order in which a request meets them, each once."""
    found: dict[tuple[str, str], PathLimit] = {}
    names = [step.name for step in prepared.steps]
    for limit, step in _all(prepared, path):
        key = (limit.layer, limit.name)
        known = found.get(key, limit)
        found[key] = known.model_copy(
            update={"steps": list(dict.fromkeys([*known.steps, names[step]]))}
        )
    order = {layer: number for number, layer in enumerate(_ORDER)}
    return sorted(found.values(), key=lambda limit: order[limit.layer])


_ORDER = (
    "payload",
    "authorizer",
    "usage_plan_method",
    "usage_plan",
    "quota",
    "method",
    "stage",
    "account",
    "integration",
    "function",
    "lambda_concurrency",
    "lambda_request_rate",
    "lambda_growth",
    "provisioned",
    "downstream",
)


def _all(prepared: Prepared, path: Path) -> Iterator[tuple[PathLimit, int]]:
    api = prepared.resolved.api
    kind: ApiKind = api.kind if api is not None and api.kind is not None else "rest"
    timeouts = {function.step: function.timeout_s for function in prepared.functions}
    for step in prepared.limits.steps:
        if step.hit is None:
            continue
        yield _size("API Gateway", GATEWAY_BYTES, _QUOTAS_PAGE), step.step
        for bucket in step.buckets:
            yield _bucket(bucket, kind), step.step
        for limit in (*_quota(step), *_gateway(step, path, kind)):
            yield limit, step.step
        if step.function is not None:
            for limit in _function(step, path, timeouts.get(step.step)):
                yield limit, step.step
    for downstream in prepared.profile.downstream:
        for info in prepared.steps:
            if downstream.steps is None or info.name in downstream.steps:
                limit = PathLimit(
                    layer="downstream",
                    name=downstream.name,
                    steps=[],
                    source="profile",
                    rate_rps=downstream.rate,
                    burst=downstream.burst,
                    concurrency=downstream.concurrency,
                    words=f"{downstream.per_request:g} for each request",
                )
                yield limit, info.index


def _size(name: str, size_bytes: int, source: str) -> PathLimit:
    return PathLimit(layer="payload", name=name, steps=[], source=source, size_bytes=size_bytes)


def _bucket(bucket: Bucket, kind: ApiKind) -> PathLimit:
    if bucket.layer is Cause.ACCOUNT:
        source = "GetAccount"  # Service Quotas may still have the default there
    elif bucket.layer in (Cause.USAGE_PLAN, Cause.USAGE_PLAN_METHOD):
        source = "GetUsagePlans"
    else:
        source = "GetStages" if kind == "rest" else "GetStages (v2)"
    return PathLimit(
        layer=bucket.layer.name.lower(),
        name=bucket.name,
        steps=[],
        source=source,
        rate_rps=bucket.rate_rps,
        burst=bucket.burst,
    )


def _quota(step: StepLimits) -> Iterator[PathLimit]:
    quota = step.quota
    if quota is not None:
        yield PathLimit(
            layer="quota",
            name=quota.name,
            steps=[],
            source="GetUsagePlans" if quota.used is None else "GetUsagePlans, GetUsage",
            quota=quota.limit,
            used=quota.used,
            period=quota.period,
            words="how much is used is not known" if quota.used is None else "",
        )


def _gateway(step: StepLimits, path: Path, kind: ApiKind) -> Iterator[PathLimit]:
    hit = step.hit
    if hit is None:
        return
    known = path.authorizers.get(hit.authorizer_id or "")
    if known is not None:
        behind = "" if known.function is None else f" of function {known.function}"
        yield PathLimit(
            layer="authorizer",
            name=known.name,
            steps=[],
            source="GetAuthorizer" if kind == "rest" else "GetAuthorizer (v2)",
            ttl_s=known.ttl_s,
            concurrency=path.reserves.get(known.function or ""),
            words=f"{known.kind}{behind}",
        )
    elif hit.auth == "AWS_IAM":
        yield PathLimit(
            layer="authorizer", name="IAM", steps=[], source=_routes_call(kind), words="signatures"
        )
    if hit.timeout_ms is not None:
        yield PathLimit(
            layer="integration",
            name=hit.key,
            steps=[],
            source=_routes_call(kind, integrations=True),
            timeout_ms=hit.timeout_ms,
        )


def _routes_call(kind: ApiKind, *, integrations: bool = False) -> str:
    if kind == "rest":
        return "GetResources"
    return "GetIntegrations (v2)" if integrations else "GetRoutes (v2)"


def _function(step: StepLimits, path: Path, timeout_s: float | None) -> Iterator[PathLimit]:
    name = f"function {step.function}"
    yield _size("event of a function", LAMBDA_BYTES, _LAMBDA_PAGE)
    if timeout_s is not None:
        yield PathLimit(
            layer="function",
            name=name,
            steps=[],
            source="GetFunctionConfiguration",
            timeout_ms=round(timeout_s * 1000),
        )
    pool = name if step.reserved else "account, without reserves"
    if step.concurrency is not None:
        source = "GetFunctionConcurrency" if step.reserved else "GetAccountSettings"
        yield PathLimit(
            layer="lambda_concurrency",
            name=pool,
            steps=[],
            source=source,
            concurrency=step.concurrency,
        )
        yield PathLimit(
            layer="lambda_request_rate",
            name=pool,
            steps=[],
            source=_LAMBDA_PAGE,
            rate_rps=10.0 * step.concurrency,
            words="10 x concurrency",
        )
    yield PathLimit(
        layer="lambda_growth",
        name="each function",
        steps=[],
        source=_LAMBDA_PAGE,
        words="1,000 environments in 10 s",
    )
    provisioned = path.provisioned.get((step.function or "", step.qualifier))
    if provisioned is not None:
        yield PathLimit(
            layer="provisioned",
            name=f"{name}:{step.qualifier}",
            steps=[],
            source="GetProvisionedConcurrencyConfig",
            concurrency=provisioned.available,
            words=provisioned.status.lower().replace("_", " "),
        )
