"""Stack files: what is right, and every mistake with its line, its column and its name."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import InputError, InputErrors
from sandbox.bundled import bundled_functions
from sandbox.stack.deployment import stack_functions
from sandbox.stack.model import HttpApi, RestApi, Throttle
from sandbox.stack.reader import STACKS_DIR, find_stack, parse_stack, read_stack

GOOD = """\
name: shop
functions:
  checkout:
    bundled: checkout
    reserved_concurrency: 5
  search:
    model: {duration_ms: {"128": 40, "512": 10}, hold: true}
    memory_mb: 512
apis:
  orders:
    kind: rest
    throttle: {rate_rps: 100, burst: 50}
    routes:
      - {path: /search, method: GET, function: search}
      - path: /orders/{id}
        method: POST
        function: checkout
        api_key_required: true
  front:
    kind: http
    routes:
      - {path: /search, function: search}
usage_plans:
  basic:
    apis: [orders]
    quota: {limit: 100, period: day}
    keys: {one: key-0000000000000000001}
"""


def problems(text: str) -> list[str]:
    """All that is said of a text, without the name of the file."""
    with pytest.raises(InputErrors) as raised:
        parse_stack(text, "stack.yaml")
    prefix = "stack.yaml:"
    assert all(message.startswith(prefix) for message in raised.value.messages)
    return [message.removeprefix(prefix) for message in raised.value.messages]


def test_a_good_file_is_read_with_its_defaults() -> None:
    stack = parse_stack(GOOD, "stack.yaml")

    orders, front = stack.apis["orders"], stack.apis["front"]
    assert isinstance(orders, RestApi)
    assert isinstance(front, HttpApi)
    assert orders.stage == "prod"
    assert front.stage == "$default"
    assert orders.throttle == Throttle(rate_rps=100, burst=50)
    assert [route.key for route in orders.routes] == ["GET /search", "POST /orders/{id}"]
    assert [route.key for route in front.routes] == ["ANY /search"]
    assert stack.functions["search"].model is not None
    assert stack.usage_plans["basic"].keys == {"one": "key-0000000000000000001"}


# What is put in place of what, and what is said; ^ marks the place that is told.
MISTAKES = {
    "unknown function": (
        "        function: checkout",
        "        function: ^chekout",
        """apis.orders.routes[1].function: there is no function 'chekout'
        (did you mean checkout?)""",
    ),
    "unknown bundled function": (
        "bundled: checkout",
        "bundled: ^chekout",
        """functions.checkout.bundled: the sandbox brings no function 'chekout'
        (did you mean checkout?)""",
    ),
    "unknown key": (
        "    memory_mb: 512",
        "    ^memory: 512",
        "functions.search.memory: unknown key (did you mean memory_mb?)",
    ),
    "unknown key at the top": (
        "usage_plans:",
        "^usageplans:",
        "usageplans: unknown key (did you mean usage_plans?)",
    ),
    "unknown key of a model": (
        "hold: true",
        "^holds: true",
        "functions.search.model.holds: unknown key (did you mean hold?)",
    ),
    "key of REST APIs only": (
        "{path: /search, function: search}",
        "{path: /search, function: search, ^api_key_required: true}",
        "apis.front.routes[0].api_key_required: only REST APIs have this",
    ),
    "key twice": (
        "    memory_mb: 512",
        "    memory_mb: 512\n    ^memory_mb: 256",
        "functions.search.memory_mb: comes twice: it is in line 8 as well",
    ),
    "number as text": (
        "rate_rps: 100",
        'rate_rps: ^"100"',
        "apis.orders.throttle.rate_rps: must be a number (got '100')",
    ),
    "negative rate": (
        "rate_rps: 100",
        "rate_rps: ^-1",
        "apis.orders.throttle.rate_rps: must be at least 0 (got -1)",
    ),
    "infinite rate": (
        "rate_rps: 100",
        "rate_rps: ^.inf",
        "apis.orders.throttle.rate_rps: must be a finite number (got inf)",
    ),
    "part of a burst": (
        "burst: 50",
        "burst: ^2.5",
        "apis.orders.throttle.burst: must be a whole number (got 2.5)",
    ),
    "half a throttle": (
        "throttle: {rate_rps: 100, burst: 50}",
        "^throttle: {rate_rps: 100}",
        "apis.orders.throttle.burst: is missing",
    ),
    "no integration": (
        "path: /orders/{id}\n        method: POST\n        function: checkout\n",
        "^path: /orders/{id}\n        method: POST\n",
        """apis.orders.routes[1]: must have exactly one of function, http or mock
        (got none of them)""",
    ),
    "two integrations": (
        "{path: /search, method: GET, function: search}",
        "^{path: /search, method: GET, function: search, mock: {}}",
        """apis.orders.routes[0]: must have exactly one of function, http or mock
        (got function and mock)""",
    ),
    "bad URL": (
        "        function: checkout",
        "        http: ^ftp://here",
        """apis.orders.routes[1].http: must be a URL that begins with http:// or https://
        (got 'ftp://here')""",
    ),
    "URL with another variable": (
        "        function: checkout",
        "        http: ^http://127.0.0.1:1/{number}",
        "apis.orders.routes[1].http: there is no {number} in the path /orders/{id}",
    ),
    "relative path": (
        "path: /orders/{id}",
        "path: ^orders",
        "apis.orders.routes[1].path: must be a path such as /orders/{id} (got 'orders')",
    ),
    "greedy in the middle": (
        "path: /orders/{id}",
        'path: ^"/{all+}/x"',
        """apis.orders.routes[1].path: only the last part of a path may be greedy like
        {proxy+} (got '/{all+}/x')""",
    ),
    "variable twice": (
        "path: /orders/{id}",
        'path: ^"/{id}/{id}"',
        "apis.orders.routes[1].path: has one variable twice (got '/{id}/{id}')",
    ),
    "variables side by side": (
        "        api_key_required: true",
        '      - {path: ^"/orders/{number}", method: GET, function: search}',
        """apis.orders.routes[2].path: below /orders there is {id} already: a REST API takes one
        variable there (got {number})""",
    ),
    "route twice": (
        "path: /orders/{id}\n        method: POST",
        "^path: /search\n        method: GET",
        "apis.orders.routes[1]: GET /search is routes[0] already",
    ),
    "no such method": (
        "method: POST",
        "method: ^FETCH",
        """apis.orders.routes[1].method: must be 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD',
        'OPTIONS' or 'ANY' (got 'FETCH')""",
    ),
    "mock with a timeout": (
        "        function: checkout",
        "        mock: {}\n        timeout_ms: ^100",
        "apis.orders.routes[1].timeout_ms: a mock has no timeout",
    ),
    "kind missing": (
        "  orders:\n    kind: rest\n",
        "  ^orders:\n",
        "apis.orders.kind: is missing",
    ),
    "no such kind": (
        "  orders:\n    kind: rest",
        "  orders:\n    kind: ^soap",
        "apis.orders.kind: must be 'rest' or 'http' (got 'soap')",
    ),
    "list for a mapping": (
        "    memory_mb: 512",
        "    environment: ^[]",
        "functions.search.environment: must be a mapping (got an empty list)",
    ),
    "mapping for a list": (
        "    apis: [orders]",
        "    ^apis: {}",
        "usage_plans.basic.apis: must be a list (got an empty mapping)",
    ),
    "number for text": (
        "name: shop",
        "name: ^5",
        "name: must be text (got 5; put it in quotes)",
    ),
    "word for true": (
        "api_key_required: true",
        "api_key_required: ^yes",
        "apis.orders.routes[1].api_key_required: must be true or false (got 'yes')",
    ),
    "plan without an API": (
        "apis: [orders]",
        "apis: ^[]",
        "usage_plans.basic.apis: must have at least 1 (got an empty list)",
    ),
    "plan of an unknown API": (
        "apis: [orders]",
        "apis: [^order]",
        "usage_plans.basic.apis[0]: there is no API 'order' (did you mean orders?)",
    ),
    "plan of an HTTP API": (
        "apis: [orders]",
        "apis: [^front]",
        """usage_plans.basic.apis[0]: 'front' is an HTTP API: usage plans are for REST APIs
        only""",
    ),
    "throttle of an unknown route": (
        "    apis: [orders]",
        """    apis: [orders]
    method_throttles:
      orders: {^GET /serch: {rate_rps: 1, burst: 1}}""",
        """usage_plans.basic.method_throttles.orders.GET /serch: there is no route 'GET /serch'
        (did you mean GET /search?)""",
    ),
    "no such period": (
        "period: day",
        "period: ^hour",
        "usage_plans.basic.quota.period: must be 'day', 'week' or 'month' (got 'hour')",
    ),
    "quota of nothing": (
        "quota: {limit: 100",
        "quota: {limit: ^0",
        "usage_plans.basic.quota.limit: must be at least 1 (got 0)",
    ),
    "short key": (
        "key-0000000000000000001",
        "^short",
        "usage_plans.basic.keys.one: must have at least 20 characters (got 'short')",
    ),
    "key with two values": (
        "    keys: {one: key-0000000000000000001}",
        """    keys: {one: key-0000000000000000001}
  gold: {apis: [orders], keys: {one: ^key-0000000000000000002}}""",
        "usage_plans.gold.keys.one: the key has another value in another plan",
    ),
    "two keys with one value": (
        "{one: key-0000000000000000001}",
        "{one: key-0000000000000000001, two: ^key-0000000000000000001}",
        "usage_plans.basic.keys.two: the key one has this value already",
    ),
    "key in two plans of a stage": (
        "    keys: {one: key-0000000000000000001}",
        """    keys: {one: key-0000000000000000001}
  gold: {apis: [orders], keys: {one: ^key-0000000000000000001}}""",
        """usage_plans.gold.keys.one: the key is in the plan basic, which has the API orders
        as well""",
    ),
    "impossible model": (
        '{"128": 40, "512": 10}',
        '{"128": ^-40}',
        "functions.search.model.duration_ms.128: must be greater than 0 (got -40)",
    ),
    "model in the environment": (
        "    bundled: checkout",
        '    bundled: checkout\n    environment: {SANDBOX_MODEL: ^"{}"}',
        "functions.checkout.environment.SANDBOX_MODEL: write it as the function's model",
    ),
    "two sources of code": (
        "  checkout:\n    bundled: checkout",
        "  ^checkout:\n    bundled: checkout\n    folder: code",
        """functions.checkout: must have exactly one of folder, bundled or model
        (got folder and bundled)""",
    ),
    "cache of a route without one of the API": (
        "        api_key_required: true",
        "        ^cache: {ttl_s: 5}",
        "apis.orders.routes[1].cache: the API has no cache: add cache to it",
    ),
    "bad cache key": (
        "api_key_required: true",
        "cache: {ttl_s: 5, keys: [^q]}",
        """apis.orders.routes[1].cache.keys[0]: must be querystring.NAME, header.NAME or
        path.NAME (got 'q')""",
    ),
    "bad name of a function": (
        "  search:\n",
        "  ^se arch:\n",
        "functions.se arch: bad name: must match [A-Za-z0-9_-]{1,64} (got 'se arch')",
    ),
    "bad access log": (
        "    kind: http",
        "    kind: http\n    access_log: ^5",
        "apis.front.access_log: must be true, false or a format with $context variables",
    ),
    "bad enforcement": (
        "name: shop",
        "enforcement: ^shards=x",
        """enforcement: shards: Input should be a valid integer, unable to parse string as an
        integer (got 'x')""",
    ),
    "bad fault": (
        "name: shop",
        "faults: [{kind: latency, ms: 5, share: ^2}]",
        "faults[0].share: must be at most 1 (got 2)",
    ),
    "fault without a setting": (
        "name: shop",
        "faults: [^{kind: latency}]",
        "faults[0].ms: is missing",
    ),
    "setting of a fault that is named as a setting": (
        "name: shop",
        "faults: [{kind: status, status: 503, route: ^5}]",
        "faults[0].route: must be text (got 5; put it in quotes)",
    ),
    "unknown setting of a fault": (
        "name: shop",
        "faults: [{kind: latency, ms: 5, ^shar: 0.5}]",
        "faults[0].shar: unknown key (did you mean share?)",
    ),
    "REST timeout above what AWS takes": (
        "        api_key_required: true",
        "        timeout_ms: ^40000",
        "apis.orders.routes[1].timeout_ms: must be at most 29000 (got 40000)",
    ),
    "port that is none": (
        "        function: checkout",
        "        http: ^http://10.0.0.1:99999/",
        """apis.orders.routes[1].http: must have a host and a port from 1 to 65535
        (got 'http://10.0.0.1:99999/')""",
    ),
    "port 0": (
        "        function: checkout",
        "        http: ^http://10.0.0.1:0/",
        """apis.orders.routes[1].http: must have a host and a port from 1 to 65535
        (got 'http://10.0.0.1:0/')""",
    ),
    "URL without a host": (
        "{path: /search, function: search}",
        '{path: /search, http: ^"http://:80/"}',
        """apis.front.routes[0].http: must have a host and a port from 1 to 65535
        (got 'http://:80/')""",
    ),
    "half an IPv6 address": (
        "{path: /search, function: search}",
        '{path: /search, http: ^"http://[::1/"}',
        """apis.front.routes[0].http: must have a host and a port from 1 to 65535
        (got 'http://[::1/')""",
    ),
    "URL with a fragment": (
        "        function: checkout",
        '        http: ^"http://10.0.0.1/#top"',
        """apis.orders.routes[1].http: must have no fragment, which no server gets to see
        (got 'http://10.0.0.1/#top')""",
    ),
    "URL with a control character": (
        "        function: checkout",
        '        http: ^"http://a\\u0001b/"',
        """apis.orders.routes[1].http: must be a URL that begins with http:// or https://
        (got 'http://a�b/')""",
    ),
    "part of a path that REST APIs cannot have": (
        "path: /orders/{id}",
        "path: ^/~orders",
        """apis.orders.routes[1].path: Resource's path part only allow a-zA-Z0-9._-: or a valid
        greedy path variable and curly braces at the beginning and the end. (got '/~orders')""",
    ),
    "two routes that take the same requests": (
        "{path: /search, function: search}",
        '{path: "/{a}", function: search}\n      - {path: ^"/{b}", function: search}',
        "apis.front.routes[1].path: ANY /{b} takes the same requests as routes[0], ANY /{a}",
    ),
    "method of what takes all methods": (
        "{path: /search, function: search}",
        "{path: $default, method: ^GET, function: search}",
        "apis.front.routes[0].method: $default takes all methods: leave it out",
    ),
    "payload format without a function": (
        "{path: /search, function: search}",
        '{path: /search, http: "http://a/", payload_format: ^"2.0"}',
        "apis.front.routes[0].payload_format: only calls of functions have one",
    ),
    "directive in a mock": (
        "        function: checkout",
        "        mock: {body: ^'#set($a = 1)'}",
        """apis.orders.routes[1].mock.body: #set is not served (the sandbox fills in $context.*,
        $input.params('x'), $input.path('x'), $input.json('x'), $input.body and
        $stageVariables.x, and runs no VTL directives)""",
    ),
    "reference in a mock": (
        "        function: checkout",
        "        mock: {^body: {at: '$util.time()'}}",
        """apis.orders.routes[1].mock.body: $util.time()"} is not served (the sandbox fills in
        $context.*, $input.params('x'), $input.path('x'), $input.json('x'), $input.body and
        $stageVariables.x, and runs no VTL directives)""",
    ),
    "body that is no JSON": (
        "        function: checkout",
        "        mock: {body: ^.nan}",
        "apis.orders.routes[1].mock.body: must have finite numbers only, as JSON has (got nan)",
    ),
    "name of a header of a mock": (
        "        function: checkout",
        "        mock: {headers: {^a b: x}}",
        """apis.orders.routes[1].mock.headers.a b: bad name: must be the name of a header, such as
        Cache-Control (got 'a b')""",
    ),
    "quote in a header of a mock": (
        "        function: checkout",
        """        mock: {headers: {a: ^"it's"}}""",
        """apis.orders.routes[1].mock.headers.a: must have no ', which ends a text in a mapping of
        API Gateway (got 'it's')""",
    ),
    "lines in a header of a mock": (
        "        function: checkout",
        '        mock: {headers: {a: ^"b\\nc"}}',
        """apis.orders.routes[1].mock.headers.a: must have only letters of Latin-1 and no control
        characters (got 'b c')""",
    ),
    "letters that no header can have": (
        "        function: checkout",
        '        mock: {headers: {a: ^"日本"}}',
        """apis.orders.routes[1].mock.headers.a: must have only letters of Latin-1 and no control
        characters (got '日本')""",
    ),
    "header of the connection": (
        "        function: checkout",
        "        mock: {headers: {^Content-Length: '5'}}",
        """apis.orders.routes[1].mock.headers.Content-Length: bad name: API Gateway gives each
        answer its own (got 'Content-Length')""",
    ),
    "header twice": (
        "        function: checkout",
        '        mock: {^headers: {X-A: "1", x-a: "2"}}',
        "apis.orders.routes[1].mock.headers: x-a and X-A are one header",
    ),
    "gateway response of no type": (
        "    kind: rest",
        "    kind: rest\n    gateway_responses: {^THROTTLE: {status: 400}}",
        """apis.orders.gateway_responses.THROTTLE: bad name: there is no gateway response
        'THROTTLE' (did you mean THROTTLED?)""",
    ),
    "directive in a gateway response": (
        "    kind: rest",
        "    kind: rest\n    gateway_responses: {THROTTLED: {body: ^'#if(1) x'}}",
        """apis.orders.gateway_responses.THROTTLED.body: #if is not served (the sandbox fills in
        $context.*, $input.params('x'), $input.path('x'), $input.json('x'), $input.body and
        $stageVariables.x, and runs no VTL directives)""",
    ),
    "name of a header of a gateway response": (
        "    kind: rest",
        "    kind: rest\n    gateway_responses: {THROTTLED: {headers: {^'': x}}}",
        """apis.orders.gateway_responses.THROTTLED.headers.: bad name: must be the name of a
        header, such as Cache-Control (got '')""",
    ),
    "variable in a header of a gateway response": (
        "    kind: rest",
        "    kind: rest\n    gateway_responses: {THROTTLED: {headers: {a: ^'$x'}}}",
        """apis.orders.gateway_responses.THROTTLED.headers.a: must have no $: it is text as it
        stands (got '$x')""",
    ),
    "access log without the request": (
        "    kind: rest",
        "    kind: rest\n    access_log: ^$context.status",
        """apis.orders.access_log: Access Log format must contain at least $context.requestId
        (got '$context.status')""",
    ),
    "access log of an HTTP API without the request": (
        "    kind: http",
        "    kind: http\n    access_log: ^''",
        """apis.front.access_log: Access Log format must contain at least $context.requestId
        (got '')""",
    ),
    "access log of two lines": (
        "    kind: rest",
        '    kind: rest\n    access_log: ^"$context.requestId\\nx"',
        """apis.orders.access_log: Access Log format must be single line, new line character is
        allowed only at end of the format (got '$context.requestId x')""",
    ),
    "stage variable with a blank": (
        "    kind: rest",
        "    kind: rest\n    variables: {a: ^b c}",
        """apis.orders.variables.a: must have only letters, digits and -._~:/?#&=,
        (got 'b c')""",
    ),
    "stage variable of an HTTP API without a value": (
        "    kind: http",
        "    kind: http\n    variables: {a: ^''}",
        "apis.front.variables.a: must have at least 1 characters (got '')",
    ),
    "media type that is none": (
        "    kind: rest",
        "    kind: rest\n    binary_media_types: [^png]",
        "apis.orders.binary_media_types[0]: must be a media type such as image/png (got 'png')",
    ),
    "cache key of no variable": (
        "        api_key_required: true",
        "        cache: {ttl_s: 5, keys: [path.id, ^path.number]}",
        "apis.orders.routes[1].cache.keys[1]: there is no {number} in the path /orders/{id}",
    ),
    "cache key twice": (
        "api_key_required: true",
        "cache: {ttl_s: 5, keys: [header.a, ^header.a]}",
        "apis.orders.routes[1].cache.keys[1]: is in the list already (got 'header.a')",
    ),
    "API twice in a plan": (
        "apis: [orders]",
        "apis: [orders, ^orders]",
        "usage_plans.basic.apis[1]: is in the list already (got 'orders')",
    ),
    "key that no header can have": (
        "key-0000000000000000001",
        '^"key 0000000000000000001"',
        """usage_plans.basic.keys.one: must have only visible ASCII characters
        (got 'key 0000000000000000001')""",
    ),
    "variable that Lambda sets": (
        "    bundled: checkout",
        "    bundled: checkout\n    environment: {^AWS_REGION: x}",
        """functions.checkout.environment.AWS_REGION: bad name: Lambda sets it itself
        (got 'AWS_REGION')""",
    ),
    "name of a variable": (
        "    bundled: checkout",
        "    bundled: checkout\n    environment: {^1a: x}",
        """functions.checkout.environment.1a: bad name: must begin with a letter, and have at
        least two letters, digits or _ (got '1a')""",
    ),
    "null character in a variable": (
        "    bundled: checkout",
        '    bundled: checkout\n    environment: {LINE: ^"a\\0"}',
        "functions.checkout.environment.LINE: must have no null character",
    ),
    "environment that is too large": (
        "    bundled: checkout",
        f"    bundled: checkout\n    ^environment: {{TEXT: {'x' * 4096}}}",
        """functions.checkout.environment: must have at most 4096 bytes as JSON (got 4107)""",
    ),
    "model that is too large": (
        '    model: {duration_ms: {"128": 40, "512": 10}, hold: true}',
        f"    ^model: {{duration_ms: {{cpu_ms: 5}}, response: {'x' * 4096}}}",
        """functions.search.model: must have at most 4096 bytes as JSON, with the environment
        (got 4168): shorten the response""",
    ),
    "long description of a function": (
        "    bundled: checkout",
        f"    bundled: checkout\n    description: ^{'x' * 257}",
        f"""functions.checkout.description: must have at most 256 characters
        (got '{"x" * 57}...')""",
    ),
    "long description of an HTTP API": (
        "    kind: http",
        f"    kind: http\n    description: ^{'x' * 1025}",
        f"apis.front.description: must have at most 1024 characters (got '{'x' * 57}...')",
    ),
    "half a character": (
        "    kind: http",
        '    kind: http\n    description: ^"\\ud800"',
        "apis.front.description: has half of a character, which is no Unicode text",
    ),
    "merge key": (
        "    memory_mb: 512",
        "    ^<<: {memory_mb: 512}",
        "functions.search: merge keys (<<) are not supported: repeat the keys",
    ),
    "tag": (
        "memory_mb: 512",
        "memory_mb: ^!Ref Size",
        "functions.search.memory_mb: the tag !Ref is not known here",
    ),
    "tab": (
        "    memory_mb: 512",
        "^\tmemory_mb: 512",
        "a tab cannot indent YAML: use spaces",
    ),
    "not YAML": (
        "{path: /search, method: GET, function: search}",
        "{path: /orders/^{id}, method: GET, function: search}",
        """is not YAML: while parsing a flow mapping, expected ',' or '}', but got '{'; put
        text with braces in quotes""",
    ),
    "two documents": (
        "usage_plans:",
        "^---\nusage_plans:",
        "is not YAML: expected a single document in the stream, but found another document",
    ),
    "control character": (
        "name: shop",
        "name: shop^\x01",
        "is not YAML: unacceptable character #x0001: special characters are not allowed",
    ),
}
CASES = [pytest.param(*case, id=name) for name, case in MISTAKES.items()]


def told(text: str, said: str) -> str:
    """What is to be told of the place that is marked in a text."""
    before = text[: text.index("^")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"{line}:{column}: {' '.join(said.split())}"


@pytest.mark.parametrize(("before", "after", "said"), CASES)
def test_a_mistake_is_told_with_its_place(before: str, after: str, said: str) -> None:
    text = GOOD.replace(before, after, 1)

    assert told(text, said) in problems(text.replace("^", ""))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "1:1: is empty", id="nothing"),
        pytest.param("# only this\n", "1:1: is empty", id="a comment"),
        pytest.param("- a\n", "1:1: must be a mapping", id="a list"),
        pytest.param("\n  words", "2:3: must be a mapping", id="words"),
        pytest.param("a: &x [*x]", "nested too deeply", id="an alias to itself"),
        pytest.param("[\n" * 5000, "nested too deeply", id="too deep"),
        pytest.param("{? [a] : 1}", "a key must be a word", id="a list as key"),
    ],
)
def test_what_is_no_stack_at_all(text: str, said: str) -> None:
    assert any(said in message for message in problems(text))


def test_each_of_some_mistakes_of_one_check_is_told() -> None:
    text = GOOD.replace(
        "      - {path: /search, function: search}\n",
        "      - {path: /search, function: search}\n" * 3
        + '      - {path: "/{a}", function: search}\n      - {path: "/{b}", function: search}\n',
    ).replace("apis: [orders]", "apis: [orders, orders, orders]")

    assert problems(text) == [
        "23:9: apis.front.routes[1]: ANY /search is routes[0] already",
        "24:9: apis.front.routes[2]: ANY /search is routes[0] already",
        "26:16: apis.front.routes[4].path: ANY /{b} takes the same requests as routes[3], ANY /{a}",
        "29:20: usage_plans.basic.apis[1]: is in the list already (got 'orders')",
        "29:28: usage_plans.basic.apis[2]: is in the list already (got 'orders')",
    ]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        pytest.param("0.3333333333333333", 0.333333333, id="more digits than the API reads"),
        pytest.param("1.0e-320", 0.0, id="an exponent that the API does not read"),
        pytest.param("0.00001", 0.00001, id="small"),
        pytest.param("1_000_000", 1_000_000, id="the largest"),
    ],
)
def test_a_rate_is_one_that_the_api_can_read(written: str, read_as: float) -> None:
    stack = parse_stack(GOOD.replace("rate_rps: 100", f"rate_rps: {written}"), "stack.yaml")

    throttle = stack.apis["orders"].throttle
    assert throttle is not None
    assert throttle.rate_rps == read_as


ROUTES = "".join(f"      - {{path: /r{n}, method: GET, mock: {{}}}}\n" for n in range(300))
MANY = f"apis:\n  many:\n    kind: rest\n    routes:\n{ROUTES}"
PLAN = "usage_plans:\n  p:\n    apis: [many]\n    method_throttles:\n      many:\n"
THROTTLES = "".join(f"        GET /r{n}: {{rate_rps: 1, burst: 1}}\n" for n in range(21))
APIS = "".join(
    f"  a{n}: {{kind: rest, routes: [{{path: /, method: GET, mock: {{}}}}]}}\n" for n in range(11)
)
PLANS = "".join(f"  p{n}: {{apis: [a{n}], keys: {{one: {'k' * 20}}}}}\n" for n in range(11))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            MANY,
            "304:16: apis.many.routes[299].path: a REST API has at most 300 resources, all paths "
            "with those above them: put the rest into another API",
            id="resources of an API",
        ),
        pytest.param(
            f"{MANY.replace('/r299', '/r0/{id}').replace('/r298', '/')}{PLAN}{THROTTLES}",
            "309:7: usage_plans.p.method_throttles.many: must have at most 20 routes (got 21)",
            id="throttles of a plan",
        ),
        pytest.param(
            f"apis:\n{APIS}usage_plans:\n{PLANS}",
            "24:34: usage_plans.p10.keys.one: the key is in 10 plans already, which is the most",
            id="plans of a key",
        ),
    ],
)
def test_more_than_there_can_be(text: str, said: str) -> None:
    text = text.replace("path: /r0/{id}", 'path: "/r0/{id}"')

    assert problems(text) == [said]


def test_as_much_as_there_can_be_is_read() -> None:
    routes = MANY.replace("      - {path: /r299, method: GET, mock: {}}\n", "")
    throttles = THROTTLES.replace("        GET /r20: {rate_rps: 1, burst: 1}\n", "")

    assert len(parse_stack(routes + PLAN + throttles, "stack.yaml").apis["many"].routes) == 299


def test_aliases_of_aliases_cannot_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 12)]

    assert any("too large" in message for message in problems("\n".join(lines)))


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(
            ("unknown bundled function", "part of a burst", "unknown function", "short key"),
            id="of all parts",
        ),
        pytest.param(
            (
                "variable that Lambda sets",
                "access log without the request",
                "port that is none",
                "REST timeout above what AWS takes",
                "stage variable of an HTTP API without a value",
                "key that no header can have",
            ),
            id="that a deployment would be refused for",
        ),
    ],
)
def test_all_mistakes_are_told_at_once_and_in_order(names: tuple[str, ...]) -> None:
    text, expected = GOOD, []
    for name in names:
        before, after, said = MISTAKES[name]
        expected.append(told(text.replace(before, after, 1), said))
        text = text.replace(before, after.replace("^", ""), 1)

    assert problems(text) == expected


WORDS = st.text(string.printable, max_size=8) | st.sampled_from(
    ["name", "functions", "apis", "kind", "rest", "routes", "path", "model", "keys", "throttle"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> None:
    try:
        parse_stack(text, "stack.yaml")
    except InputError:
        return


@given(st.text(max_size=60))
@example("? ")
@example("%TAG")
@example("&")
@example("!!int x")
@example("!!float .")
@example("a: !!bool maybe")
def test_no_text_brings_another_error_than_the_readers_own(text: str) -> None:
    read(text)


@given(
    st.integers(0, len(GOOD)),
    st.integers(0, 4),
    st.text("{}[]:-&*!|>'\"%@`,?# \n\tax0", max_size=4),
)
def test_no_slip_in_a_good_file_brings_another_error(at: int, cut: int, typed: str) -> None:
    read(GOOD[:at] + typed + GOOD[at + cut :])


@given(VALUES)
def test_no_value_brings_another_error(value: Any) -> None:
    read(json.dumps({"apis": {"a": value}, "functions": {"f": value}, "usage_plans": value}))


# Files


@pytest.mark.parametrize("path", sorted(STACKS_DIR.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_bundled_stack_can_be_deployed_as_it_is(path: Path) -> None:
    file = read_stack(path)

    assert file.name == path.stem
    assert file.stack.apis
    assert {folder.name for folder in stack_functions(file)} == set(file.stack.functions)


def test_a_stack_is_found_by_its_path_or_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_stack("orders") == STACKS_DIR / "orders.yaml"
    (tmp_path / "orders").write_text(GOOD)
    assert find_stack("orders") == Path("orders")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "there is no such stack file", id="none"),
        pytest.param(b"\xff\xfe\x00", "is not UTF-8 text", id="not UTF-8"),
        pytest.param(b"#" * 1_000_001, "must have at most 1000000 bytes", id="too large"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "stack.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_stack(find_stack(str(path)))


def test_without_a_name_a_stack_has_that_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "my shop.yaml"
    path.write_text("\ufefffunctions: {}\n", encoding="utf-8")

    assert read_stack(path).name == "my-shop"


def test_code_is_looked_for_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "function.json").write_text('{"runtime": "python3", "handler": "a.b"}')
    (tmp_path / "code" / "a.py").write_text("def b(event, context): ...\n")
    path = tmp_path / "stack.yaml"
    path.write_text(
        "functions:\n"
        "  mine: {folder: code, memory_mb: 256, environment: {AT: x}}\n"
        "  theirs: {bundled: lookup, timeout_s: 9}\n"
        "  model: {model: {duration_ms: {cpu_ms: 5}}, description: fast}\n"
    )
    mine, theirs, model = stack_functions(read_stack(path))

    assert (mine.name, mine.handler, mine.memory_mb, mine.environment) == (
        "mine",
        "a.b",
        256,
        {"AT": "x"},
    )
    lookup = next(folder for folder in bundled_functions() if folder.name == "lookup")
    assert (theirs.zip_bytes, theirs.timeout_s) == (lookup.zip_bytes, 9)
    assert theirs.environment == lookup.environment
    assert model.environment == {"SANDBOX_MODEL": '{"duration_ms":{"cpu_ms":5.0}}'}
    assert model.description == "fast"


def test_code_that_is_not_there_is_told_with_all_else(tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text(
        "functions:\n"
        "  mine: {folder: nowhere}\n"
        f"  long: {{folder: {'x' * 300}, memory_mb: 1}}\n"
        '  null: {folder: "a\\0"}\n'
    )

    with pytest.raises(InputErrors) as raised:
        read_stack(path)

    told = [message.removeprefix(f"{path}:") for message in raised.value.messages]
    assert [message.partition(" (")[0] for message in told] == [
        f"2:18: functions.mine.folder: there is no {tmp_path}/nowhere/function.json",
        f"3:18: functions.long.folder: there is no {tmp_path}/{'x' * 300}/function.json",
        "3:331: functions.long.memory_mb: must be at least 128",
        f"4:18: functions.null.folder: there is no {tmp_path}/a�/function.json",
    ]


def test_code_that_is_not_right_is_told_with_the_line_of_its_function(tmp_path: Path) -> None:
    python = {"runtime": "python3", "handler": "a.b"}
    for name, settings in {
        "half": {"runtime": "python3.11"},
        "large": {**python, "environment": {"AA": "x"}},
        "taken": {**python, "environment": {"AWS_REGION": "x"}},
        "blank": {**python, "handler": "a b"},
        "long": {**python, "description": "x" * 257},
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "function.json").write_text(json.dumps(settings))
    path = tmp_path / "stack.yaml"
    path.write_text(
        "functions:\n"
        "  one: {folder: half}\n"
        "  two: {bundled: lookup}\n"
        f"  three: {{folder: large, environment: {{BB: {'x' * 4080}}}}}\n"
        "  four: {folder: taken}\n"
        "  five: {folder: blank}\n"
        "  six: {folder: long}\n"
    )

    with pytest.raises(InputErrors) as raised:
        stack_functions(read_stack(path))

    assert list(raised.value.messages) == [
        f"{path}:2:3: functions.one: {tmp_path}/half/function.json: handler: is missing",
        (
            f"{path}:4:3: functions.three: environment: must have at most 4096 bytes as JSON, "
            "with that of function.json (got 4098)"
        ),
        (
            f"{path}:5:3: functions.four: environment.AWS_REGION: Lambda sets it itself "
            "(got 'AWS_REGION')"
        ),
        rf"{path}:6:3: functions.five: handler: String should match pattern '^\S{{1,128}}$'",
        f"{path}:7:3: functions.six: description: String should have at most 256 characters",
    ]
