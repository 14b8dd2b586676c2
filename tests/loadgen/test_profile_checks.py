"""Profiles that are not in order: every mistake with its line, its column and its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loadgen.profile_texts import GOOD, faults, read, told, with_mistake

# What is put in place of what, and what is said; ^ marks the place that is told.
MISTAKES = {
    # Keys and values
    "unknown key": ("vars:", "^var:", "var: unknown key (did you mean vars?)"),
    "key by the name of its attribute": (
        "{connect: 3s,",
        "{^connect_s: 3s,",
        "http.timeout.connect_s: unknown key (did you mean connect?)",
    ),
    "no duration": (
        "{connect: 3s,",
        "{connect: ^3 sec,",
        "http.timeout.connect: must be a duration such as 500ms, 30s or 5m (got '3 sec')",
    ),
    "endless duration": (
        "rest, pause: 10s",
        "rest, pause: ^400h",
        "load.phases[3].pause: must be at most 7 days (got '400h')",
    ),
    "no share": (
        "guards:",
        "validity: {max_dropped: ^2}\nguards:",
        "validity.max_dropped: must be a share such as 1% or 0.01 (got 2)",
    ),
    "other version": ("version: 1", "version: ^2", "version: must be 1 (got 2)"),
    "a word for a flag": (
        "measure: false",
        "measure: ^no",
        "load.phases[0].measure: must be true or false (got 'no')",
    ),
    "a list as variable": (
        "customer: 42",
        "customer: ^[42]",
        "vars.customer: must be text, a number, true or false (got a list)",
    ),
    "no such status": (
        "status: 200",
        "status: ^20",
        "scenarios[0].flow[0].checks.status: must be at least 100 (got 20)",
    ),
    # Target
    "two targets": (
        "target:\n",
        "^target:\n  function_url: checkout\n",
        "target: must have exactly one of url, api or function_url (got url and function_url)",
    ),
    "no target": (
        "target:\n  url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "^target: {}",
        "target: must have exactly one of url, api or function_url (got none of them)",
    ),
    "URL without a scheme": (
        "url: https://",
        "url: ^",
        """target.url: must begin with http:// or https://
        (got 'a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod')""",
    ),
    "URL with a password": (
        "url: https://",
        "url: ^https://me:hunter2@",
        "target.url: must not have a user or password: auth is a section of its own",
    ),
    "URL with a query": (
        "url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "url: ^https://example.com/?a=1",
        """target.url: must not have a query: write it as the query of steps
        (got 'https://example.com/?a=1')""",
    ),
    "template in the URL": (
        "url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "url: ^https://example.com/${vars.stage}",
        """target.url: templates are not filled in here: use ${env.NAME}, --set or environments
        (got 'https://example.com/${vars.stage}')""",
    ),
    "URL of a function": (
        "url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "function_url: ^https://x.lambda-url.eu-west-1.on.aws/",
        "target.function_url: must be the name or ARN of a function: write its URL as target.url",
    ),
    "no name of a function": (
        "url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "function_url: ^my function",
        """target.function_url: must be the name or ARN of a function, or NAME:ALIAS
        (got 'my function')""",
    ),
    "URL as the id of an API": (
        "url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "api: {id: ^https://example.com}",
        """target.api.id: must be an id such as a1b2c3d4e5: a URL is target.url
        (got 'https://example.com')""",
    ),
    "no region": (
        "vars:",
        "aws: {region: ^Ireland}\nvars:",
        "aws.region: must be a region such as eu-west-1 (got 'Ireland')",
    ),
    # Auth
    "no such auth": (
        "{type: api_key, value",
        "{type: ^apikey, value",
        """auth.type: must be 'none' or 'api_key' or 'bearer' or 'sigv4' or 'cognito'
        (got 'apikey')""",
    ),
    "token from two places": (
        "auth: {type: none}\noutcomes",
        "^auth: {type: bearer, value: a, file: b}\noutcomes",
        """scenarios[1].flow[0].auth: must have exactly one of value, file or command
        (got value and file)""",
    ),
    "key for a header that none can be": (
        '{type: api_key, value: "${env.API_KEY}"}',
        '{type: api_key, header: ^"x api", value: "${env.API_KEY}"}',
        "auth.header: no header can have this name",
    ),
    "key that is no text": (
        '{type: api_key, value: "${env.API_KEY}"}',
        "{type: api_key, value: ^123456}",
        "auth.value: must be text (got a value that is not shown; put it in quotes)",
    ),
    "empty key": (
        'value: "${env.API_KEY}"}',
        'value: ^""}',
        "auth.value: is empty",
    ),
    "template as key": (
        'value: "${env.API_KEY}"}',
        'value: ^"${vars.customer}"}',
        "auth.value: templates are not filled in here: use ${env.NAME}",
    ),
    # HTTP
    "header of the client": (
        "headers: {X-Run:",
        'headers: {Content-Length: ^"5", X-Run:',
        "http.headers.Content-Length: the client writes this header itself: leave it out",
    ),
    "header with a line break": (
        'X-Run: "${vars.customer}"',
        'X-Run: ^"a\\nb"',
        "http.headers.X-Run: has a line break, which no header value can have",
    ),
    "header twice": (
        'X-Run: "${vars.customer}"',
        'x-run: a, X-Run: ^"${vars.customer}"',
        "http.headers.X-Run: is the same header as x-run",
    ),
    "header as number": (
        'X-Run: "${vars.customer}"',
        "X-Run: ^5",
        "http.headers.X-Run: must be text (got 5; put it in quotes)",
    ),
    "longer to connect than in all": (
        "{connect: 3s,",
        "{connect: ^31s,",
        "http.timeout.connect: must not be more than total, which is 30 s",
    ),
    # Data and variables
    "no such file": (
        "file: users.csv",
        "file: ^user.csv",
        "data.users.file: there is no such file in FOLDER (got 'user.csv')",
    ),
    "file that is no feed": (
        "file: users.csv",
        "file: ^p.yaml",
        "data.users.file: FOLDER/p.yaml: a feed must be a .csv, .jsonl or .ndjson file",
    ),
    "end of what has none": (
        "order: random",
        "order: random, on_end: ^stop",
        "data.users.on_end: with order: random a feed has no end",
    ),
    "variable that no template can name": (
        "customer: 42",
        "my-customer: ^42, customer: 42",
        "vars.my-customer: bad name: must be letters, digits and _, and begin with no digit",
    ),
    # Load
    "no rate": (
        "rate: [5, 50]",
        "rate: ^fast",
        "load.phases[1].rate: must be a number (got 'fast')",
    ),
    "ramp of three": (
        "rate: [5, 50]",
        "rate: ^[5, 50, 5]",
        "load.phases[1].rate: must be two values, [from, to] (got a list)",
    ),
    "negative rate": (
        "rate: [5, 50]",
        "rate: [5, ^-1]",
        "load.phases[1].rate[1]: must be at least 0 (got -1)",
    ),
    "unknown key of steps": (
        "count: 10}",
        "^steps: 10}",
        "load.phases[2].rate.steps: unknown key (there are count, from, to)",
    ),
    "rate for ever": (
        "{name: ramp, duration: 1m, rate",
        "^{name: ramp, rate",
        "load.phases[1].duration: is missing: rate needs it",
    ),
    "no time at all": (
        "duration: 1m",
        "duration: ^0s",
        "load.phases[1].duration: must be more than 0",
    ),
    "rate of nothing": (
        "rate: [5, 50]",
        "rate: ^0",
        "load.phases[1].rate: must be more than 0: for nothing at all write pause: 30s",
    ),
    "two kinds of phase": (
        "{name: ramp, duration",
        "^{name: ramp, burst: 5, duration",
        (
            "load.phases[1]: must have exactly one of rate, burst, search or pause "
            "(got rate and burst)"
        ),
    ),
    "within a rate": (
        "{name: ramp, duration",
        "{name: ramp, within: ^1s, duration",
        "load.phases[1].within: does not go with rate",
    ),
    "pause with a duration": (
        "pause: 10s",
        "pause: 10s, duration: ^10s",
        "load.phases[3].duration: does not go with pause: write pause: 30s alone",
    ),
    "users in the open model": (
        "rate: [5, 50]",
        "users: ^5",
        (
            "load.phases[1].users: needs load.model: closed; a phase here has rate, burst, search "
            "or pause"
        ),
    ),
    "users in one phase of an open model": (
        "rate: [5, 50]}",
        "rate: [5, 50]}\n    - {name: more, duration: 1s, users: ^5}",
        (
            "load.phases[2].users: needs load.model: closed; a phase here has rate, burst, search "
            "or pause"
        ),
    ),
    "think of the open model": (
        "load:\n",
        "load:\n  think: ^1s\n",
        """load.think: only users of the closed model think between iterations: write it as a
        step""",
    ),
    "name of a phase twice": (
        "name: stairs",
        "name: ^ramp",
        "load.phases[2].name: is in use already, in line 16 (got 'ramp')",
    ),
    "phase of no such scenario": (
        "scenarios: [browse]",
        "scenarios: [^brows]",
        """load.phases[4].scenarios[0]: there is no scenario of this name (got 'brows'; did you
        mean browse?)""",
    ),
    # Scenarios
    "name of a scenario twice": (
        "- name: order",
        "- name: ^browse",
        "scenarios[1].name: is in use already, in line 21 (got 'browse')",
    ),
    "weight of nothing": (
        "weight: 3",
        "weight: ^0",
        "scenarios[0].weight: must be greater than 0 (got 0)",
    ),
    "two methods": (
        "      - get: /items\n",
        "      - ^get: /items\n        post: /items\n",
        """scenarios[0].flow[0]: must have exactly one of get, post, put, patch, delete, head,
        options or think (got get and post)""",
    ),
    "method in capitals": (
        "- post: /orders",
        "- ^POST: /orders",
        "scenarios[1].flow[0].POST: unknown key (did you mean post?)",
    ),
    "think with a name": (
        "- think: {between",
        "- name: ^wait\n        think: {between",
        "scenarios[0].flow[1].name: does not go with think, which stands alone in a step",
    ),
    "think beside a request": (
        "- post: /orders",
        "- post: /orders\n        think: ^1s",
        "scenarios[1].flow[0].think: must be a step of its own, after post",
    ),
    "think of another form": (
        "think: {between: [100ms, 300ms]}",
        "think: ^[100ms, 300ms]",
        """scenarios[0].flow[1].think: must be a duration, {between: [1s, 3s]} or
        {exponential: 2s} (got a list)""",
    ),
    "think from more to less": (
        "between: [100ms, 300ms]",
        "between: ^[300ms, 100ms]",
        "scenarios[0].flow[1].think.between: must have the shorter duration first",
    ),
    "path without a slash": (
        "get: /items\n",
        "get: ^items\n",
        "scenarios[0].flow[0].get: must begin with / (got 'items')",
    ),
    "address as path": (
        "get: /items\n",
        "get: ^https://example.com/items\n",
        """scenarios[0].flow[0].get: must be a path: the address is target.url
        (got 'https://example.com/items')""",
    ),
    "blank in a path": (
        "get: /items\n",
        "get: ^/all items\n",
        """scenarios[0].flow[0].get: must not have blanks or control characters; %20 is a blank
        (got '/all items')""",
    ),
    "two bodies": (
        "- post: /orders",
        "- post: /orders\n        body: ^hello",
        "scenarios[1].flow[0].body: a request has one body, and json is given already",
    ),
    "no file for the body": (
        'json: {customer: "${vars.customer}", user: "${data.users.id}"}',
        "body_file: ^order.json",
        "scenarios[1].flow[0].body_file: there is no such file in FOLDER (got 'order.json')",
    ),
    "number that JSON has not": (
        'customer: "${vars.customer}"',
        "customer: ^.inf",
        "scenarios[1].flow[0].json.customer: must be a finite number: JSON has no other (got inf)",
    ),
    # What templates refer to
    "template without an end": (
        "get: /items/${item}",
        "get: ^/items/${item",
        "scenarios[0].flow[2].get: character 8: ${ has no }",
    ),
    "no such variable": (
        'X-Run: "${vars.customer}"',
        'X-Run: ^"${vars.custmer}"',
        """http.headers.X-Run: there is no variable custmer: vars has no such key
        (did you mean customer?)""",
    ),
    "no such feed": (
        'user: "${data.users.id}"',
        'user: ^"${data.user.id}"',
        """scenarios[1].flow[0].json.user: there is no feed user: data has no such key
        (did you mean users?)""",
    ),
    "no such column": (
        'user: "${data.users.id}"',
        'user: ^"${data.users.nam}"',
        """scenarios[1].flow[0].json.user: the file of users has no column nam
        (did you mean name?)""",
    ),
    "capture of another flow": (
        "post: /orders",
        "post: ^/orders/${item}",
        """scenarios[1].flow[0].post: no step before this one captures item (there are injector,
        iteration, now_iso, now_ms, random_hex, random_int, uuid, vars.customer)""",
    ),
    "capture that comes too late": (
        "get: /items\n",
        "get: ^/items/${item}\n",
        "scenarios[0].flow[0].get: item is captured in this step or after it, and needed before",
    ),
    "capture in a common header": (
        'X-Run: "${vars.customer}"',
        'X-Run: ^"${item}"',
        "http.headers.X-Run: item is not known here: only vars, data and functions are",
    ),
    "capture by the name of a function": (
        'item: "json: items[0].id"',
        'uuid: ^$.id, item: "json: items[0].id"',
        "scenarios[0].flow[0].capture.uuid: bad name: ${uuid} means something else",
    ),
    "capture from nowhere": (
        'item: "json: items[0].id"',
        "item: ^items",
        """scenarios[0].flow[0].capture.item: must be json: PATH, header: NAME, body: REGEX or
        $.PATH (got 'items')""",
    ),
    # Checks, outcomes, thresholds, guards
    "no JMESPath": (
        '"$.items[0].kind": book',
        '"a[": ^book',
        """scenarios[0].flow[0].checks.json.a[: is no JMESPath: Invalid jmespath expression:
        Incomplete expression (got 'a[')""",
    ),
    "no regular expression": (
        "checks: {status: 200,",
        'checks: {headers: {etag: ^"("}, status: 200,',
        """scenarios[0].flow[0].checks.headers.etag: is no regular expression: missing ),
        unterminated subpattern at position 0 (got '(')""",
    ),
    "no check at all": (
        'checks: {json: {id: "${item}"}}',
        "^checks: {}",
        "scenarios[0].flow[2].checks: is empty: there are status, headers, json, body and latency",
    ),
    "rule for everything": (
        "{when: {status: 400, body: slow down}",
        "{^when: {}",
        "outcomes[0].when: must have at least one of status, headers, body or step",
    ),
    "cause of success": (
        "outcome: throttled, cause: application",
        "outcome: ok, cause: ^application",
        """outcomes[0].cause: goes with throttled, client_error, server_error, timeout,
        connection_error, and not with ok""",
    ),
    "no condition": (
        "- p95(response) < 300ms",
        "- ^p95(respons) < 300ms",
        """thresholds[0]: 'p95(respons) < 300ms': p95 is not known of 'respons': expected response,
        service, first_byte, connect or ok_response; did you mean p95(response)?""",
    ),
    "threshold of no such step": (
        "step: list",
        "step: ^lst",
        "thresholds[1].step: there is no step of this name (got 'lst'; did you mean list?)",
    ),
    "threshold of no such phase": (
        "phase: ramp",
        "phase: ^rmp",
        "thresholds[1].phase: there is no phase of this name (got 'rmp'; did you mean ramp?)",
    ),
    "threshold of a pause": (
        "phase: ramp",
        "phase: ^rest",
        "thresholds[1].phase: nothing is sent in this phase: it is a pause (got 'rest')",
    ),
    "threshold of arrivals of a step": (
        "{that: rate(throttled) < 1%, step: list,",
        "{that: rate(dropped) < 1%, step: ^list,",
        "thresholds[1].step: 'dropped' counts arrivals, which belong to no step: leave it out",
    ),
    "threshold after the end of its phase": (
        "window: 10s, for: 3",
        "after: ^61s",
        """thresholds[1].after: must be before the end of the phase, which takes 60 s
        (got '61s')""",
    ),
    "window of parts of a second": (
        "window: 10s",
        "window: ^1500ms",
        "thresholds[1].window: must be whole seconds, at least 1s (got '1500ms')",
    ),
    "windows without a window": (
        "window: 10s, for: 3",
        "for: ^3",
        "thresholds[1].for: counts windows: it needs window as well",
    ),
    "threshold after the end": (
        "phase: ramp, window: 10s, for: 3",
        "after: ^1h",
        """thresholds[1].after: must be before the end of the phases, which take 200.05 s
        (got '1h')""",
    ),
    "URL as host": (
        "[api.example.com]",
        "[^https://api.example.com/]",
        """guards.hosts[0]: must be a host: api.example.com, *.example.com or an IP address,
        without scheme and port (got 'https://api.example.com/')""",
    ),
    # Other environments
    "unknown key of an environment that is not chosen": (
        "load: {max_in_flight: 50}",
        "load: {^in_flight: 50}",
        "environments.staging.load.in_flight: unknown key (did you mean max_in_flight?)",
    ),
    # YAML
    "key twice": (
        "name: shop\n",
        "name: shop\n^name: shop\n",
        "name: comes twice: it is in line 2 as well",
    ),
    "colon without quotes": (
        'capture: {item: "json: items[0].id"}',
        "capture:\n          item: json^: items[0].id",
        """is not YAML: mapping values are not allowed here: put text with a colon and a blank in
        quotes""",
    ),
}
# One slip of the pen, and what follows from it.
WITH_OTHERS = ("unknown key", "unknown key of steps")
CASES = [pytest.param(*case, id=name) for name, case in MISTAKES.items()]


@pytest.mark.parametrize(("before", "after", "said"), CASES)
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    marked = with_mistake(GOOD, before, after)

    found = faults(tmp_path, marked.replace("^", ""))

    assert told(marked, said) in found
    assert len(found) == 1 or (before, after, said) in [MISTAKES[name] for name in WITH_OTHERS]


def test_a_total_below_the_default_of_connecting_is_no_mistake(tmp_path: Path) -> None:
    text = GOOD.replace("{connect: 3s, total: 30s}", "{total: 2s}")

    assert read(tmp_path, text).profile.http.timeout.total_s == 2


def test_ten_mistakes_get_ten_located_messages_in_the_order_of_the_file(tmp_path: Path) -> None:
    names = (
        "URL with a password",
        "header as number",
        "no such column",
        "no time at all",
        "unknown key of an environment that is not chosen",
        "phase of no such scenario",
        "path without a slash",
        "no regular expression",
        "threshold of no such phase",
        "URL as host",
    )
    text, expected = GOOD, []
    for name in names:
        before, after, said = MISTAKES[name]
        expected.append(told(with_mistake(GOOD, before, after), said))
        text = with_mistake(text, before, after.replace("^", ""))

    def place(message: str) -> tuple[int, ...]:
        return tuple(int(part) for part in message.split(":")[:2])

    # A mistake of one line shifts the columns of no other here.
    assert faults(tmp_path, text) == sorted(expected, key=place)


CLOSED = """\
version: 1
name: shop
target: {url: "http://127.0.0.1:9000"}
load:
  model: closed
  think: 1s
  phases:
    - {name: up, duration: 10s, users: [0, 20]}
    - {name: rest, pause: 5s}
locustfile: {file: users.py, users: [Buyer]}
"""
OF_CLOSED = {
    "rate": (
        "users: [0, 20]",
        "rate: ^5",
        "load.phases[0].rate: needs load.model: open; a phase here has users or pause",
    ),
    "part of a user": (
        "users: [0, 20]",
        "users: ^2.5",
        "load.phases[0].users: must be a whole number (got 2.5)",
    ),
    "users for ever": (
        "{name: up, duration: 10s, users",
        "^{name: up, users",
        "load.phases[0].duration: is missing: users needs it",
    ),
    "arrivals": (
        "  think: 1s\n",
        "  arrivals: ^uniform\n",
        "load.arrivals: only the open model has this",
    ),
    "nothing is measured": (
        "    - {name: up,",
        "    ^- {measure: false, name: up,",
        "load.phases: must have at least one phase that sends and is measured",
    ),
    "locustfile that is not there": (
        "file: users.py",
        "file: ^user.py",
        "locustfile.file: there is no such file in FOLDER (got 'user.py')",
    ),
    "locustfile that is none": (
        "file: users.py",
        "file: ^users.csv",
        "locustfile.file: must be a Python file (got 'users.csv')",
    ),
    "scenarios as well": (
        "locustfile:",
        "scenarios: [{name: s, flow: [{get: /}]}]\n^locustfile:",
        "locustfile: takes the place of scenarios: a profile has one of the two",
    ),
    "only thoughts": (
        "locustfile: {file: users.py, users: [Buyer]}",
        "scenarios: [{name: s, flow: ^[{think: 1s}]}]",
        "scenarios[0].flow: must have at least one step that sends a request",
    ),
    "function URL signed for APIs": (
        'target: {url: "http://127.0.0.1:9000"}',
        "auth: {type: sigv4, service: ^execute-api}\ntarget: {function_url: checkout}",
        "auth.service: must be lambda, because the target is a function URL",
    ),
}


@pytest.mark.parametrize(
    ("before", "after", "said"), [pytest.param(*case, id=name) for name, case in OF_CLOSED.items()]
)
def test_so_is_a_mistake_of_a_closed_model(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    marked = with_mistake(CLOSED, before, after)

    assert faults(tmp_path, marked.replace("^", "")) == [told(marked, said)]


def test_a_closed_model_that_is_in_order_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, CLOSED).profile.load.phases[0].users == (0, 20)


def test_steps_of_a_locustfile_are_not_known_before_they_are_sent(tmp_path: Path) -> None:
    rule = "outcomes: [{when: {status: 418, step: /tea}, outcome: ok}]\n"
    text = f"{CLOSED}{rule}thresholds: [{{that: count(ok) > 5, step: /tea}}]\n"

    assert faults(tmp_path, text) == [
        "12:42: thresholds[0].step: what a locustfile sends is not known before: leave it out"
    ]


def test_an_open_model_takes_no_locustfile(tmp_path: Path) -> None:
    text = CLOSED.replace("  model: closed\n  think: 1s\n", "").replace("users: [0, 20]", "rate: 5")

    assert faults(tmp_path, text) == [
        "8:1: locustfile: users of a locustfile need load.model: closed"
    ]


def test_something_has_to_be_sent(tmp_path: Path) -> None:
    text = CLOSED.replace("locustfile: {file: users.py, users: [Buyer]}", "")

    assert faults(tmp_path, text) == [
        "1:1: scenarios: is missing: a profile has scenarios, or a locustfile"
    ]
