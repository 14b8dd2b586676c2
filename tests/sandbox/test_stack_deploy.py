"""Stacks in a real sandbox: deployed, changed, taken away again, and called by clients."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.client
import pytest
from botocore.exceptions import ClientError

from core.errors import AwsError, InputError
from sandbox.admin_client import AdminClient
from sandbox.background import BackgroundSandbox
from sandbox.stack.clients import Clients, connected
from sandbox.stack.deployment import Deployed, deploy_with, stack_functions
from sandbox.stack.reader import StackFile, parse_stack
from sandbox.stack.view import stack_document, stack_lines
from tests.sandbox.conftest import start

# NAME stands for a name that no other test has. Rates are so low that only bursts count.
SHOP = """\
functions:
  NAME-quick: {model: {duration_ms: {"128": 1}, init_ms: 0, response: {statusCode: 200}}}
  NAME-busy:
    model: {duration_ms: {"128": 1}, init_ms: 0, response: {statusCode: 200}}
    reserved_concurrency: 0
apis:
  NAME-orders:
    kind: rest
    throttle: {rate_rps: 0.001, burst: 3}
    variables: {color: blue}
    gateway_responses:
      QUOTA_EXCEEDED: {status: 429, headers: {x-why: quota}, body: '{"message":"no more"}'}
    routes:
      - {path: /health, method: GET, mock: {status: 203, body: {ok: true}, headers: {x-mock: "1"}}}
      - {path: /products, method: GET, function: NAME-quick}
      - {path: /search, method: GET, function: NAME-quick, throttle: {rate_rps: 0.001, burst: 1}}
      - {path: /checkout, method: POST, function: NAME-busy, throttle: {rate_rps: 9, burst: 9}}
      - path: /orders/{id}
        method: GET
        function: NAME-quick
        api_key_required: true
        throttle: {rate_rps: 100, burst: 100}
      - path: /orders
        method: POST
        function: NAME-quick
        api_key_required: true
        throttle: {rate_rps: 100, burst: 100}
  NAME-front:
    kind: http
    throttle: {rate_rps: 0.001, burst: 2}
    routes:
      - {path: /products, method: GET, function: NAME-quick}
      - {path: /search, method: GET, function: NAME-quick, throttle: {rate_rps: 0.001, burst: 1}}
      - {path: $default, function: NAME-busy}
usage_plans:
  NAME-slow:
    apis: [NAME-orders]
    throttle: {rate_rps: 0.001, burst: 2}
    method_throttles: {NAME-orders: {POST /orders: {rate_rps: 0.001, burst: 1}}}
    keys: {NAME-slow: key-of-the-slow-NAME}
  NAME-small:
    apis: [NAME-orders]
    quota: {limit: 1, period: month}
    keys: {NAME-small: key-of-the-small-NAME}
"""

READING = ("Get", "List", "Describe")


class Stack:
    """A stack of a name of its own, and the calls that its last deployment made."""

    def __init__(self, clients: Clients, calls: list[str]) -> None:
        self.clients, self.name, self.calls = clients, clients.stack, calls
        self.deployed_text: str | None = None  # None also where a deployment broke off
        self.base = self.deploy()

    def deploy(self, *changes: tuple[str, str], text: str = SHOP) -> Deployed:
        for before, after in changes:
            assert before in text
            text = text.replace(before, after, 1)
        stack = parse_stack(text.replace("NAME", self.name), "stack.yaml")
        file = StackFile(self.name, Path("stack.yaml"), stack)
        self.calls.clear()
        self.deployed_text = None
        deployed = deploy_with(self.clients, file, stack_functions(file), lambda _: None)
        self.deployed_text = text
        return deployed

    def edit(self, before: str, after: str) -> Deployed:
        """Deploys one more change of what is deployed, or of SHOP where it cannot be changed so."""
        if self.deployed_text is None or before not in self.deployed_text:
            self.deploy()
        return self.deploy((before, after), text=self.deployed_text or SHOP)

    @property
    def changes(self) -> list[str]:
        """What the last deployment called, but for the calls that only look."""
        return [call for call in self.calls if not call.startswith((*READING, "CreateLogGroup"))]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[BackgroundSandbox]:
    """One that has nothing else: a deployment looks at all that there is."""
    with ExitStack() as stack:
        yield start(stack)


@pytest.fixture(scope="module")
def calls() -> Iterator[list[str]]:
    """The operations that boto3 calls, in their order."""
    found: list[str] = []
    call = botocore.client.BaseClient._make_api_call

    def recorded(client: Any, operation: str, arguments: Any) -> Any:
        found.append(operation)
        return call(client, operation, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", recorded)
        yield found


@pytest.fixture(scope="module")
def clients(sandbox: BackgroundSandbox) -> Iterator[Clients]:
    with connected(sandbox.environment, "nobody") as made:
        yield made


@pytest.fixture
def stack(clients: Clients, unused_name: Callable[[], str], calls: list[str]) -> Iterator[Stack]:
    """A stack that is taken away after the test."""
    deployed = Stack(replace(clients, stack=unused_name()), calls)
    yield deployed
    deployed.deploy(text="functions: {}")


@pytest.fixture(scope="module")
def edited(clients: Clients, calls: list[str]) -> Stack:
    """A stack that is deployed already, with whatever the tests before have changed in it."""
    return Stack(replace(clients, stack=f"shop-{os.getpid()}"), calls)


@pytest.fixture
def shop(edited: Stack) -> Stack:
    """The same stack as it was; tests look at it only."""
    if edited.deployed_text != SHOP:
        edited.deploy()
    return edited


def send(url: str, method: str, path: str, key: str | None = None) -> tuple[int, Any, Any]:
    """Status, headers and body of a request to an API."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        headers = {} if key is None else {"x-api-key": key}
        connection.request(method, parts.path + path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


# The control planes


def test_all_of_it_is_there(
    shop: Stack, sandbox: BackgroundSandbox, connect: Callable[..., Any]
) -> None:
    deployed = shop.base
    orders, front = deployed.apis
    rest = connect(sandbox, "apigateway")
    stage = rest.get_stage(restApiId=orders.api_id, stageName="prod")
    settings = stage["methodSettings"]
    assert (settings["*/*"]["throttlingRateLimit"], settings["*/*"]["throttlingBurstLimit"]) == (
        0.001,
        3,
    )
    assert stage["variables"] == {"color": "blue"}
    assert json.loads(stage["accessLogSettings"]["format"])["errorType"] == (
        "$context.error.responseType"
    )
    slow = rest.get_usage_plan(usagePlanId=deployed.plans[0].plan_id)
    assert slow["throttle"] == {"rateLimit": 0.001, "burstLimit": 2}
    assert [list(stage["throttle"]) for stage in slow["apiStages"]] == [["/orders/POST"]]
    http_stage = connect(sandbox, "apigatewayv2").get_stage(
        ApiId=front.api_id, StageName="$default"
    )
    assert http_stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 2
    assert http_stage["RouteSettings"]["GET /search"]["ThrottlingBurstLimit"] == 1
    client = connect(sandbox)
    policy = client.get_policy(FunctionName=f"{shop.name}-quick")["Policy"]
    assert {front.api_id, orders.api_id} == {
        statement["Condition"]["ArnLike"]["AWS:SourceArn"].split(":")[-1].split("/")[0]
        for statement in json.loads(policy)["Statement"]
    }


def test_a_second_deployment_changes_nothing(stack: Stack) -> None:
    assert {"CreateRestApi", "CreateApi", "CreateUsagePlan"} <= set(stack.changes)

    again = stack.deploy()
    assert stack.changes == []
    assert stack_document(again) == stack_document(stack.base)


# What is changed in the file, and which calls follow from it.
CHANGES = {
    "throttle of the REST stage": (
        "throttle: {rate_rps: 0.001, burst: 3}",
        "throttle: {rate_rps: 5, burst: 3}",
        ["UpdateStage"],
    ),
    "no throttle of the REST stage": (
        "    throttle: {rate_rps: 0.001, burst: 3}\n",
        "",
        ["UpdateStage"],
    ),
    "no throttle of a method": (
        ", throttle: {rate_rps: 9, burst: 9}",
        "",
        ["UpdateStage"],
    ),
    "no throttle of the HTTP stage": (
        "    throttle: {rate_rps: 0.001, burst: 2}\n    routes",
        "    routes",
        ["UpdateStage"],
    ),
    "variables": ("{color: blue}", "{size: large}", ["UpdateStage"]),
    "no access log": ("    kind: rest", "    kind: rest\n    access_log: false", ["UpdateStage"]),
    "no access log of the HTTP API": (
        "    kind: http",
        "    kind: http\n    access_log: false",
        ["DeleteAccessLogSettings"],
    ),
    "variables of the HTTP API": (
        "    kind: http",
        "    kind: http\n    variables: {color: red}",
        ["UpdateStage"],
    ),
    "metrics": ("    kind: rest", "    kind: rest\n    detailed_metrics: true", ["UpdateStage"]),
    "cache": (
        "    kind: rest",
        "    kind: rest\n    cache: {ttl_s: 60}",
        ["UpdateStage"],
    ),
    "execution log": ("    kind: rest", "    kind: rest\n    execution_log: info", ["UpdateStage"]),
    "description": (
        "    kind: rest",
        "    kind: rest\n    description: new",
        ["UpdateRestApi"],
    ),
    "binary media types": (
        "    kind: rest",
        "    kind: rest\n    binary_media_types: [image/png]",
        ["UpdateRestApi", "CreateDeployment", "UpdateStage"],
    ),
    "mock": (
        "status: 203",
        "status: 200",
        [
            "DeleteMethod",
            "PutMethod",
            "PutIntegration",
            "PutMethodResponse",
            "PutIntegrationResponse",
            "CreateDeployment",
            "UpdateStage",
        ],
    ),
    "proxy of a URL": (
        "{path: /products, method: GET, function: NAME-quick}",
        '{path: "/products/{id}", method: GET, http: "http://127.0.0.1:1/{id}"}',
        [
            "CreateResource",
            "DeleteMethod",
            "PutMethod",
            "PutIntegration",
            "CreateDeployment",
            "UpdateStage",
        ],
    ),
    "gateway response": (
        "QUOTA_EXCEEDED: {status: 429,",
        "QUOTA_EXCEEDED: {status: 400,",
        ["PutGatewayResponse", "CreateDeployment", "UpdateStage"],
    ),
    "other gateway response": (
        "QUOTA_EXCEEDED:",
        "THROTTLED:",
        ["DeleteGatewayResponse", "PutGatewayResponse", "CreateDeployment", "UpdateStage"],
    ),
    "function of an HTTP route": (
        "{path: $default, function: NAME-busy}",
        "{path: $default, function: NAME-quick}",
        ["UpdateIntegration", "CreateDeployment", "UpdateStage", "RemovePermission"],
    ),
    "throttle of a plan": (
        "    throttle: {rate_rps: 0.001, burst: 2}\n    method",
        "    method",
        ["UpdateUsagePlan"],
    ),
    "throttle of a method in a plan": (
        "    method_throttles: {NAME-orders: {POST /orders: {rate_rps: 0.001, burst: 1}}}\n",
        "",
        ["UpdateUsagePlan"],
    ),
    "quota": ("limit: 1,", "limit: 2,", ["UpdateUsagePlan"]),
    "value of a key": (
        "key-of-the-slow-NAME",
        "key-of-the-sloth-NAME",
        ["DeleteApiKey", "CreateApiKey", "CreateUsagePlanKey"],
    ),
    "key in another plan": (
        "    keys: {NAME-slow: key-of-the-slow-NAME}\n  NAME-small:",
        "  NAME-small:",
        ["DeleteUsagePlanKey", "DeleteApiKey"],
    ),
    "reserved concurrency": (
        "    reserved_concurrency: 0\n",
        "",
        ["DeleteFunctionConcurrency"],
    ),
    "model": ('"128": 1}', '"128": 2}', ["UpdateFunctionConfiguration"]),
}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [pytest.param(*case, id=name) for name, case in CHANGES.items()],
)
def test_what_differs_is_changed_and_nothing_else(
    edited: Stack, before: str, after: str, expected: list[str]
) -> None:
    # Each edit is made on top of the one before: had that one left anything undone, or undone it
    # again at once, there would be more calls than this edit's.
    changed = edited.edit(before, after)
    assert edited.changes == expected
    assert [api.api_id for api in changed.apis] == [api.api_id for api in edited.base.apis]
    assert [plan.plan_id for plan in changed.plans] == [plan.plan_id for plan in edited.base.plans]


def test_what_was_changed_stays(edited: Stack) -> None:
    text = edited.deployed_text or SHOP
    if edited.deployed_text is None:
        edited.deploy()
    edited.deploy(text=text)
    assert edited.changes == []


def test_only_what_the_stack_made_is_removed(
    stack: Stack,
    sandbox: BackgroundSandbox,
    connect: Callable[..., Any],
    create_in: Callable[..., str],
) -> None:
    rest, client = connect(sandbox, "apigateway"), connect(sandbox)
    other = rest.create_rest_api(name=f"{stack.name}-orders")["id"]
    client.delete_function(FunctionName=f"{stack.name}-quick")
    function = create_in(client, f"{stack.name}-quick")
    stack.deploy()

    stack.deploy(text="functions: {}")
    assert [rest.get_rest_api(restApiId=other)["id"], function] == [other, f"{stack.name}-quick"]
    client.get_function(FunctionName=function)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client.get_function(FunctionName=f"{stack.name}-busy")
    names = {api["name"] for api in rest.get_rest_apis(limit=500)["items"] if api["id"] != other}
    assert f"{stack.name}-orders" not in names
    assert f"{stack.name}-slow" not in {key["name"] for key in rest.get_api_keys()["items"]}
    rest.delete_rest_api(restApiId=other)
    client.delete_function(FunctionName=function)


@contextmanager
def refusing(refused: str) -> Iterator[None]:
    """Has the operation `refused` throttled, without the time that retries take."""
    call = botocore.client.BaseClient._make_api_call

    def breaking(client: Any, operation: str, arguments: Any) -> Any:
        if operation == refused:
            error = {"Error": {"Code": "TooManyRequestsException", "Message": "enough"}}
            raise ClientError(error, operation)
        return call(client, operation, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", breaking)
        yield


def test_a_deployment_that_broke_off_is_finished_by_the_next(stack: Stack) -> None:
    change = ("status: 203", "status: 200")
    with refusing("CreateDeployment"), pytest.raises(AwsError) as raised:
        stack.deploy(change)
    assert raised.value.code == "TooManyRequestsException"
    assert str(raised.value).startswith(f"stack.yaml: apis.{stack.name}-orders: ")

    stack.deploy(change)
    assert stack.changes == ["CreateDeployment", "UpdateStage"]


@pytest.mark.parametrize(
    ("operation", "before", "after", "said"),
    [
        pytest.param(
            "UpdateFunctionConfiguration",
            "    reserved_concurrency: 0",
            "    memory_mb: 256",
            "functions.NAME-busy: .*UpdateFunctionConfiguration",
            id="function",
        ),
        pytest.param(
            "CreateResource",
            "path: /health, method: GET",
            "path: /alive, method: GET",
            "apis.NAME-orders: /alive: .*CreateResource",
            id="path of a REST API",
        ),
        pytest.param(
            "PutIntegration",
            "path: /health, method: GET",
            "path: /health, method: PUT",
            "apis.NAME-orders: PUT /health: .*PutIntegration",
            id="route of a REST API",
        ),
        pytest.param(
            "PutGatewayResponse",
            "x-why: quota",
            "x-why: plan",
            "apis.NAME-orders: gateway_responses.QUOTA_EXCEEDED: .*PutGatewayResponse",
            id="gateway response",
        ),
        pytest.param(
            "UpdateStage",
            "{color: blue}",
            "{color: red}",
            "apis.NAME-orders: stage prod: .*UpdateStage",
            id="stage of a REST API",
        ),
        pytest.param(
            "CreateIntegration",
            "path: $default,",
            "path: /all,",
            "apis.NAME-front: ANY /all: .*CreateIntegration",
            id="route of an HTTP API",
        ),
        pytest.param(
            "UpdateUsagePlan",
            "{limit: 1, period: month}",
            "{limit: 2, period: month}",
            "usage_plans.NAME-small: .*UpdateUsagePlan",
            id="usage plan",
        ),
    ],
)
def test_a_refusal_names_the_file_and_the_part_of_it(
    edited: Stack, operation: str, before: str, after: str, said: str
) -> None:
    edited.deploy()
    with refusing(operation), pytest.raises(AwsError) as raised:
        edited.deploy((before, after))
    assert re.match(f"stack.yaml: {said}".replace("NAME", edited.name), str(raised.value))
    assert raised.value.hint == "sandbox fault list shows whether a fault throttles the calls"


def test_more_reserved_concurrency_than_there_is_says_what_to_change(edited: Stack) -> None:
    with pytest.raises(AwsError) as raised:
        edited.deploy(("reserved_concurrency: 0", "reserved_concurrency: 950"))

    assert str(raised.value).startswith(f"stack.yaml: functions.{edited.name}-busy: An error")
    assert raised.value.hint == (
        "lower reserved_concurrency of the stack's functions, or start the sandbox with a larger "
        "--account-concurrency"
    )


def test_a_key_of_somebody_else_says_what_to_change(edited: Stack) -> None:
    value = f"key-of-somebody-else-{edited.name}"
    key = edited.clients.rest.create_api_key(name="theirs", value=value)
    try:
        with pytest.raises(AwsError) as raised:
            edited.deploy(("key-of-the-slow-NAME", value))
    finally:
        edited.clients.rest.delete_api_key(apiKey=key["id"])

    part = f"usage_plans.{edited.name}-slow.keys.{edited.name}-slow"
    assert str(raised.value).startswith(f"stack.yaml: {part}: An error")
    assert raised.value.hint == (
        "something else made a key of this value: give another one, or delete that key"
    )


EDGES = f"""\
functions:
  NAME-edge:
    model: {{duration_ms: {{"128": 1}}, init_ms: 0}}
    description: {"x" * 256}
    environment: {{TEXT: {"x" * 4000}}}
apis:
  NAME-rest:
    kind: rest
    variables: {{a: "", b: "aZ0-._~:/?#&=,"}}
    access_log: "$context.extendedRequestId\\n"
    binary_media_types: ["*/*", image/svg+xml]
    cache: {{}}
    throttle: {{rate_rps: 0.3333333333333333, burst: 0}}
    gateway_responses:
      DEFAULT_4XX: {{headers: {{"!#$%&'*+.^_`|~-aZ0": é}}, body: "$context.error.message # $ 5"}}
    routes:
      - path: /
        method: GET
        mock: {{headers: {{"!#$%&'*+.^_`|~-aZ0": "é $x"}}, body: [1, null]}}
      - path: /a:b/{{id}}
        method: GET
        http: http://[::1]:65535/{{id}}?a={{id}}
        timeout_ms: 29000
        cache: {{ttl_s: 0, keys: [path.id, querystring.a, header.b]}}
      - {{path: /slow, method: PUT, function: NAME-edge, timeout_ms: 50}}
  NAME-http:
    kind: http
    description: {"x" * 1024}
    variables: {{b: {"x" * 2048}}}
    access_log: "$context.requestId"
    routes:
      - {{path: $default, http: "http://a/{"x" * 2039}"}}
      - {{path: "/~a/{{id}}", function: NAME-edge, timeout_ms: 30000, payload_format: "1.0"}}
      - {{path: "/~a/{{id+}}", function: NAME-edge, timeout_ms: 50}}
"""


def test_what_the_reader_lets_through_just_so_is_not_refused(stack: Stack) -> None:
    deployed = stack.deploy(text=EDGES)

    assert [api.name for api in deployed.apis] == [f"{stack.name}-rest", f"{stack.name}-http"]
    stack.deploy(text=EDGES)
    assert stack.changes == []


@pytest.mark.parametrize(
    ("keys", "renamed", "made"),
    [
        pytest.param(
            "{NAME-z: one-NAME-key-of-a-plan, NAME-b: two-NAME-key-of-a-plan}", 1, 0, id="renamed"
        ),
        pytest.param(
            "{NAME-a: two-NAME-key-of-a-plan, NAME-b: one-NAME-key-of-a-plan}", 2, 0, id="swapped"
        ),
        pytest.param(
            "{NAME-b: one-NAME-key-of-a-plan, NAME-c: new-NAME-key-of-a-plan}", 1, 1, id="moved up"
        ),
    ],
)
def test_a_key_is_its_value_whatever_it_is_called(
    stack: Stack, keys: str, renamed: int, made: int
) -> None:
    text = (
        "apis: {NAME-api: {kind: rest, routes: [{path: /x, method: GET, mock: {}}]}}\n"
        "usage_plans: {NAME-plan: {apis: [NAME-api], keys: KEYS}}"
    )
    stack.deploy(
        text=text.replace(
            "KEYS", "{NAME-a: one-NAME-key-of-a-plan, NAME-b: two-NAME-key-of-a-plan}"
        )
    )
    before = _keys(stack)
    stack.deploy(text=text.replace("KEYS", keys))
    after = _keys(stack)

    assert stack.changes.count("UpdateApiKey") == renamed
    assert stack.changes.count("CreateApiKey") == made
    assert {name: value for name, (_, value) in after.items()} == yaml_keys(keys, stack.name)
    ids = {value: key_id for key_id, value in before.values()}
    assert all(ids.get(value, key_id) == key_id for key_id, value in after.values())


def yaml_keys(text: str, name: str) -> dict[str, str]:
    pairs = text.replace("NAME", name).strip("{}").split(", ")
    return dict(pair.split(": ") for pair in pairs)  # type: ignore[misc]


def _keys(stack: Stack) -> dict[str, tuple[str, str]]:
    """Ids and values of the keys of a stack, by name."""
    items = stack.clients.rest.get_api_keys(includeValues=True, limit=500)["items"]
    return {
        item["name"]: (item["id"], item["value"])
        for item in items
        if item["name"].startswith(f"{stack.name}-")
    }


def test_faults_are_those_of_the_file(stack: Stack) -> None:
    admin = AdminClient(stack.clients.endpoint_url)
    of_a_person = admin.add_fault({"kind": "latency", "ms": 1, "api": "nobodys"})

    def deployed(faults: str) -> list[tuple[str, Any]]:
        stack.deploy(text=f"functions: {{}}\nfaults: {faults}")
        return [
            (fault["id"], fault["ms"])
            for fault in admin.faults()
            if fault.get("owner") == f"stack {stack.name}"
        ]

    try:
        (first,) = deployed("[{kind: latency, ms: 30, api: x}]")
        assert deployed("[{kind: latency, ms: 30, api: x}]") == [first]
        (second,) = deployed("[{kind: latency, ms: 60, api: x}]")
        assert (first[1], second[1]) == (30, 60)
        assert (
            len(deployed("[{kind: latency, ms: 60, api: x}, {kind: latency, ms: 60, api: x}]")) == 2
        )
        assert deployed("[]") == []
        assert of_a_person["id"] in [fault["id"] for fault in admin.faults()]
    finally:
        admin.clear_faults(of_a_person["id"])


@pytest.mark.parametrize(
    ("account", "said"),
    [
        pytest.param("{concurrency: 7}", "account.concurrency: .* with 1000", id="concurrency"),
        pytest.param(
            "{throttle: {rate_rps: 7, burst: 7}}",
            "account.throttle: .* with 10000 requests/s and a burst of 5000",
            id="throttle",
        ),
    ],
)
def test_limits_of_the_account_are_those_of_the_start(
    edited: Stack, account: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        edited.deploy(text=f"account: {account}\n{SHOP}")
    assert edited.changes == []


def test_the_right_limits_of_the_account_can_be_said(edited: Stack) -> None:
    limits = "{concurrency: 1000, throttle: {rate_rps: 10000, burst: 5000}}"
    assert len(edited.deploy(text=f"account: {limits}\n{SHOP}").apis) == 2


def test_people_see_addresses_limits_and_keys(shop: Stack) -> None:
    deployed = shop.base
    orders, front = deployed.apis
    name = shop.name
    assert list(stack_lines(deployed)) == [
        f"{name}-orders: REST API, stage prod: 0.001 requests/s, burst 3",
        f"  {shop.clients.endpoint_url}/_aws/execute-api/{orders.api_id}/prod",
        "  GET /search: 0.001 requests/s, burst 1",
        "  POST /checkout: 9 requests/s, burst 9",
        "  GET /orders/{id}: 100 requests/s, burst 100",
        "  POST /orders: 100 requests/s, burst 100",
        f"{name}-front: HTTP API, stage $default: 0.001 requests/s, burst 2",
        f"  {shop.clients.endpoint_url}/_aws/execute-api/{front.api_id}",
        "  GET /search: 0.001 requests/s, burst 1",
        f"usage plan {name}-slow of {name}-orders: 0.001 requests/s, burst 2",
        f"  x-api-key: key-of-the-slow-{name} ({name}-slow)",
        f"usage plan {name}-small of {name}-orders: 1 requests a month",
        f"  x-api-key: key-of-the-small-{name} ({name}-small)",
    ]


# What clients of the APIs see


def statuses(url: str, method: str, path: str, times: int, key: str | None = None) -> list[int]:
    return [send(url, method, path, key)[0] for _ in range(times)]


def test_each_limit_has_its_own_answer(stack: Stack) -> None:
    orders, front = (api.url for api in stack.base.apis)
    slow, small = f"key-of-the-slow-{stack.name}", f"key-of-the-small-{stack.name}"

    # The method's bucket is its own; the stage's is shared by /health and /products.
    assert statuses(orders, "GET", "/search", 2) == [200, 429]
    assert statuses(orders, "GET", "/health", 1) == [203]
    assert statuses(orders, "GET", "/products", 3) == [200, 200, 429]
    assert send(orders, "GET", "/health")[0] == 429

    # Lambda's own throttle is no 429 behind API Gateway.
    status, headers, body = send(orders, "POST", "/checkout")
    assert (status, headers["x-amzn-ErrorType"]) == (500, "InternalServerErrorException")

    assert send(orders, "GET", "/orders/1")[0] == 403
    assert statuses(orders, "POST", "/orders", 2, slow) == [200, 429]
    assert statuses(orders, "GET", "/orders/1", 2, slow) == [200, 429]
    assert send(orders, "GET", "/orders/1", small)[0] == 200
    status, headers, body = send(orders, "GET", "/orders/1", small)
    assert (status, headers["x-why"], body) == (429, "quota", '{"message":"no more"}')

    assert statuses(front, "GET", "/search", 2) == [200, 429]
    assert statuses(front, "GET", "/products", 3) == [200, 200, 429]


def test_buckets_and_counters_outlive_a_deployment(stack: Stack) -> None:
    orders = stack.base.apis[0].url
    small = f"key-of-the-small-{stack.name}"
    assert statuses(orders, "GET", "/search", 1) == [200]
    assert statuses(orders, "GET", "/orders/1", 1, small) == [200]

    stack.deploy(("status: 203", "status: 200"))
    assert statuses(orders, "GET", "/health", 1) == [200]
    assert statuses(orders, "GET", "/search", 1) == [429]
    assert statuses(orders, "GET", "/orders/1", 1, small) == [429]


def test_a_mock_answers_with_its_headers_and_body(shop: Stack) -> None:
    orders = shop.base.apis[0].url
    status, headers, body = send(orders, "GET", "/health")
    assert (status, headers["x-mock"], json.loads(body)) == (203, "1", {"ok": True})
