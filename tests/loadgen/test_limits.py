"""Which route a step hits, and which limits are on its path."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.gateway import ApiKind, Route, Throttle, rest_stage
from core.aws.gateway_plans import period_start
from core.aws.session import AwsSession
from loadgen.limits import Limits
from loadgen.limits_reading import read_limits
from loadgen.outcome import Cause
from loadgen.routes import route_of
from loadgen.target import resolve
from sandbox.gateway.routing import RouteTable
from sandbox.gateway.snapshot import Route as SandboxRoute
from tests.loadgen.shop import BASIC_KEY, QUOTA_KEY, canned_aws, profile_of

# -- routes ---------------------------------------------------------------------------------------

ROUTES = (
    "GET /",
    "GET /products",
    "GET /products/{id}",
    "GET /products/top",
    "ANY /files/{proxy+}",
    "POST /files/{name}",
)


def route(key: str) -> Route:
    method, _, path = key.rpartition(" ")
    return Route(method or "ANY", path, None, None, api_key_required=False, auth="NONE")


def hit(kind: ApiKind, method: str, path: str, *keys: str, base_path: str = "") -> str | None:
    found = route_of(kind, [route(key) for key in keys or ROUTES], method, path, base_path)
    return found.key if found else None


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", "GET /"),
        ("GET", "/products", "GET /products"),
        ("GET", "/products?limit=10&x=a/b", "GET /products"),
        ("GET", "/products/7", "GET /products/{id}"),
        ("GET", "/products/top", "GET /products/top"),
        ("GET", "/products/${data.products.id}", "GET /products/{id}"),
        ("GET", "/products/A-${random_int(1, 100)}", "GET /products/{id}"),
        ("GET", "/products/${uuid}?q=${vars.q}", "GET /products/{id}"),
        ("GET", "/files/a/b/c", "ANY /files/{proxy+}"),
        ("POST", "/files/a", "POST /files/{name}"),
        ("GET", "/products/7/reviews", None),
        ("DELETE", "/products", None),
        ("GET", "/nothing", None),
    ],
)
def test_a_step_hits_the_most_specific_route(method: str, path: str, expected: str | None) -> None:
    assert hit("rest", method, path) == expected


def test_the_base_path_of_the_url_counts() -> None:
    assert hit("rest", "GET", "/7", base_path="/products") == "GET /products/{id}"


def test_a_rest_api_chooses_the_resource_before_the_method() -> None:
    assert hit("rest", "GET", "/files/a") is None
    assert hit("http", "GET", "/files/a") == "ANY /files/{proxy+}"


def test_only_an_http_api_tells_a_trailing_slash_apart() -> None:
    assert hit("rest", "GET", "/products/") == "GET /products"
    assert hit("http", "GET", "/products/") is None


def test_the_default_route_takes_what_is_left() -> None:
    assert hit("http", "PUT", "/x", "GET /x", "$default") == "$default"


_PARTS = st.sampled_from(["a", "b", "{id}"])
_PATTERNS = st.builds(
    lambda parts, last: "/" + "/".join([*parts, *last]),
    st.lists(_PARTS, max_size=3),
    st.sampled_from([[], ["{proxy+}"]]),
)
_KEYS = st.lists(
    st.builds(
        lambda method, path: f"{method} {path}", st.sampled_from(["GET", "ANY", "POST"]), _PATTERNS
    ),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(
    kind=st.sampled_from(("rest", "http")),
    keys=_KEYS,
    method=st.sampled_from(["GET", "POST"]),
    parts=st.lists(st.sampled_from(["a", "b", "c"]), max_size=4),
)
def test_routes_are_those_that_a_gateway_takes(
    kind: ApiKind, keys: list[str], method: str, parts: list[str]
) -> None:
    path = "/" + "/".join(parts)
    table = RouteTable(
        "REST" if kind == "rest" else "HTTP",
        [SandboxRoute(key, *key.split(" "), resource_id="", integration=None) for key in keys],
    )
    found = table.find(method, path)

    assert hit(kind, method, path, *keys) == (found.route.key if found else None)


# -- limits ---------------------------------------------------------------------------------------


def limits(session: AwsSession, name: str, *flow: dict[str, Any], **more: Any) -> Limits:
    profile = profile_of({"api": {"name": name}}, *flow, **more)
    return read_limits(resolve(profile, session), profile, session)


def layers(found: Limits) -> list[list[str]]:
    return [[bucket.layer.name for bucket in step.buckets] for step in found.steps]


def keyed(value: str, header: str = "x-api-key") -> dict[str, Any]:
    return {"headers": {header: value}}


def test_limits_come_in_the_order_of_the_gateway(shop: AwsSession) -> None:
    found = limits(
        shop,
        "shop",
        {"get": "/products/${uuid}"},
        {"get": "/search"},
        {"post": "/orders", **keyed(BASIC_KEY, "X-API-Key")},
        {"get": "/orders/1", "auth": {"type": "api_key", "value": BASIC_KEY}},
        {"get": "/orders/2", **keyed(QUOTA_KEY)},
    )

    assert layers(found) == [
        ["STAGE", "ACCOUNT"],
        ["METHOD", "ACCOUNT"],
        ["USAGE_PLAN_METHOD", "USAGE_PLAN", "STAGE", "ACCOUNT"],
        ["USAGE_PLAN", "STAGE", "ACCOUNT"],
        ["STAGE", "ACCOUNT"],
    ]
    assert all(step.complete for step in found.steps)
    assert found.notes == ()


def test_steps_share_buckets_as_the_gateway_has_them(shop: AwsSession) -> None:
    found = limits(
        shop,
        "shop",
        {"get": "/products"},
        {"post": "/orders", **keyed(BASIC_KEY)},
        {"get": "/orders/1", **keyed(BASIC_KEY)},
    )

    products, orders, order = (
        {bucket.layer: bucket for bucket in step.buckets} for step in found.steps
    )
    assert products[Cause.STAGE] == orders[Cause.STAGE] == order[Cause.STAGE]
    assert orders[Cause.USAGE_PLAN] == order[Cause.USAGE_PLAN]
    method = orders[Cause.USAGE_PLAN_METHOD]
    assert (method.rate_rps, method.burst) == (1.0, 2)
    assert method.name == "POST /orders in plan basic, key me"


def test_a_key_counts_only_where_the_method_wants_one(shop: AwsSession) -> None:
    found = limits(shop, "shop", {"get": "/products"}, auth={"type": "api_key", "value": BASIC_KEY})

    assert layers(found) == [["STAGE", "ACCOUNT"]]


def test_quotas_come_with_what_was_used(shop: AwsSession) -> None:
    quota = limits(shop, "shop", {"get": "/orders/1", **keyed(QUOTA_KEY)}).steps[0].quota

    assert quota is not None
    assert (quota.name, quota.limit, quota.period) == ("plan counted, key you", 3, "day")
    assert quota.used is not None


def test_lambda_stands_behind_the_route(shop: AwsSession) -> None:
    found = limits(shop, "twin", {"get": "/search"}, {"post": "/slow"})

    assert layers(found) == [["METHOD", "ACCOUNT"], ["STAGE", "ACCOUNT"]]
    step = found.steps[1]
    assert (step.function, step.concurrency, step.reserved) == ("slow", 1, True)
    # What the account has left is not on the path of a function with a reserve.
    assert [
        (limit.layer, limit.name, limit.concurrency, limit.steps)
        for limit in found.configured
        if limit.layer == "lambda_concurrency"
    ] == [("lambda_concurrency", "function slow", 1, [0, 1])]


def test_the_document_has_each_limit_once_and_no_key(shop: AwsSession) -> None:
    found = limits(
        shop,
        "shop",
        {"get": "/products"},
        {"get": "/products/1"},
        {"post": "/orders", **keyed(BASIC_KEY)},
        {"get": "/orders/1", **keyed(QUOTA_KEY)},
    )

    assert [limit.layer for limit in found.configured] == [
        "usage_plan_method",
        "usage_plan",
        "quota",
        "stage",
        "account",
    ]
    assert BASIC_KEY not in str(found)


def test_a_key_from_a_template_leaves_the_plan_unknown(shop: AwsSession) -> None:
    found = limits(
        shop, "shop", {"get": "/orders/1", **keyed("${data.k.key}")}, {"get": "/products"}
    )

    assert [step.complete for step in found.steps] == [False, True]
    assert found.notes == ("unknown: usage plans of API keys that differ by request",)


def test_a_step_without_a_route_is_noted(shop: AwsSession) -> None:
    found = limits(shop, "shop", {"get": "/products"}, {"get": "/produtcs"})

    assert found.steps[1].buckets == ()
    assert found.notes == ("step GET /produtcs: no route of API shop takes it",)


@pytest.mark.parametrize(
    ("step", "notes"),
    [
        pytest.param(keyed(BASIC_KEY), (), id="a key of a plan"),
        pytest.param(
            {},
            ("step GET /orders/1: GET /orders/{id} wants an API key, and there is none",),
            id="none",
        ),
        pytest.param(
            keyed("a-key-that-nobody-knows-1"),
            ("step GET /orders/1: its API key is in no usage plan of API shop, stage prod",),
            id="unknown",
        ),
    ],
)
def test_a_step_that_will_be_turned_away_is_noted(
    shop: AwsSession, step: dict[str, Any], notes: tuple[str, ...]
) -> None:
    assert limits(shop, "shop", {"get": "/orders/1", **step}).notes == notes


def test_what_may_not_be_read_is_unknown_and_no_error() -> None:
    def answer(_: str, path: str) -> tuple[int, Any]:
        if path.startswith("/restapis/ab/stages"):
            settings = {"*/*": {"throttlingRateLimit": 5.0, "throttlingBurstLimit": 2}}
            return 200, {"item": [{"stageName": "prod", "methodSettings": settings}]}
        if path.startswith("/restapis/ab/resources"):
            item = {"path": "/products", "resourceMethods": {"GET": {"apiKeyRequired": True}}}
            return 200, {"item": [item]}
        if path == "/restapis/ab":
            return 200, {"id": "ab", "name": "shop"}
        return 403, {"__type": "AccessDeniedException", "message": "no"}

    profile = profile_of(
        {"api": {"id": "ab", "kind": "rest"}}, {"get": "/products", **keyed("secret-key-000000001")}
    )
    with canned_aws(answer) as session:
        found = read_limits(resolve(profile, session), profile, session)

    assert layers(found) == [["STAGE"]]
    assert not found.steps[0].complete
    assert [note.partition(" (")[0] for note in found.notes] == [
        "unknown: the account's throttle",
        "unknown: usage plans",
    ]
    assert "secret" not in str(found)


def test_without_an_api_nothing_is_known() -> None:
    profile = profile_of({"url": "https://example.com"})

    found = read_limits(resolve(profile, None), profile, None)

    assert layers(found) == [[]]
    assert found.configured == []


def test_settings_of_a_stage_are_read_as_aws_writes_them() -> None:
    stage = rest_stage(
        {
            "stageName": "prod",
            "methodSettings": {
                "*/*": {"throttlingRateLimit": 80.0, "throttlingBurstLimit": 40},
                "~1a~1{id}/GET": {"throttlingRateLimit": 1.0, "throttlingBurstLimit": 2},
                "~1/POST": {"throttlingRateLimit": 3.0, "throttlingBurstLimit": -1},
                "~1b/GET": {"throttlingRateLimit": -1.0, "throttlingBurstLimit": -1},
            },
            "accessLogSettings": {
                "destinationArn": "arn:aws:logs:us-east-1:0:log-group:/a/b:*",
                "format": "$context.requestId",
            },
        }
    )

    assert stage.throttle == Throttle(80.0, 40)
    assert stage.own == {"GET /a/{id}": Throttle(1.0, 2), "POST /": Throttle(3.0, None)}
    assert stage.access_log is not None
    assert stage.access_log.group == "/a/b"


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ("DAY", date(2026, 11, 26)),
        ("WEEK", date(2026, 11, 22)),
        ("MONTH", date(2026, 11, 1)),
    ],
)
def test_quotas_begin_with_their_period(period: str, start: date) -> None:
    assert period_start(period, datetime(2026, 11, 26, tzinfo=UTC).date()) == start
