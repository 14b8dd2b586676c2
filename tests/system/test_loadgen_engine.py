"""What `loadgen run` makes of a shop behind API Gateway, and of an existing locustfile."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.aws.throttle_metrics import lambda_throttles
from core.local_aws import local_aws
from tests.conftest import child_environment
from tests.system.load_rig import LoadCommand, Reply, Seen, check_books, counting_server

pytestmark = pytest.mark.system

# profiles/orders.yaml and its stack in short: one of each limit, and no function that has a
# process of its own.
STACK = """\
name: shop
functions:
  checkout:
    model: {duration_ms: {"128": 100}, init_ms: 0, hold: true, response: {statusCode: 200}}
    reserved_concurrency: 3
apis:
  shop:
    kind: rest
    stage: prod
    throttle: {rate_rps: 40, burst: 20}
    access_log: true
    routes:
      - {path: /products, method: GET, mock: {status: 200}}
      - {path: /search, method: GET, mock: {status: 200}, throttle: {rate_rps: 10, burst: 5}}
      - {path: "/orders/{id}", method: GET, mock: {status: 200}, api_key_required: true}
      - {path: /checkout, method: POST, function: checkout}
usage_plans:
  basic:
    apis: [shop]
    throttle: {rate_rps: 20, burst: 10}
    quota: {limit: 30, period: day}
    keys: {customer: basic-customer-0000000000001}
"""
PROFILE = """\
version: 1
name: shop
target: {api: {name: shop, stage: prod}}
load:
  seed: 20
  phases:
    - {name: stage, duration: 800ms, rate: 120, scenarios: [browse]}
    - {name: rest, pause: 700ms}
    - {name: method, duration: 700ms, rate: 50, scenarios: [search]}
    - {name: plan-and-quota, duration: 1500ms, rate: 60, scenarios: [order-status]}
    - {name: checkout, duration: 800ms, rate: 70, scenarios: [checkout]}
scenarios:
  - name: browse
    flow: [{get: /products}]
  - name: search
    flow: [{get: /search, query: {q: "lamp ${random_int(1, 1000)}"}}]
  - name: order-status
    auth: {type: api_key, value: "${env.BASIC_KEY}"}
    flow: [{get: "/orders/${random_int(1, 500)}", name: "GET /orders/{id}"}]
  - name: checkout
    flow: [{post: /checkout, json: {country: DE}}]
validity: {max_start_lag: 5s, max_cpu: 100%}
thresholds: [rate(failed) < 1%]
"""
# Where the evidence for each cause is: no log says which throttle it was.
CAUSES = {
    "stage": "configuration",
    "method": "configuration",
    "usage_plan": "configuration",
    "quota": "access_log",
    "lambda_concurrency": "access_log",
}


@pytest.fixture
def loadgen(tmp_path: Path) -> LoadCommand:
    folder = tmp_path / "work"
    folder.mkdir()
    return LoadCommand(folder)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccess]:
    stack = tmp_path_factory.mktemp("stack") / "shop.yaml"
    stack.write_text(STACK, encoding="utf-8")
    with local_aws(("--no-functions", "--stack", str(stack))) as access:
        yield access


def test_five_causes_of_refusals_are_named_and_their_counts_are_the_sandboxs_own(
    loadgen: LoadCommand, shop: LocalAccess
) -> None:
    loadgen.environment = child_environment(shop, BASIC_KEY="basic-customer-0000000000001")
    (loadgen.folder / "profile.yaml").write_text(PROFILE, encoding="utf-8")

    finished = loadgen.run("loadgen", "run", "profile.yaml", "--json")
    truth = refused(loadgen.run_anew("sandbox", "limits", "--json").document)

    document = finished.document
    check_books(document)
    assert (finished.code, document["verdict"]) == (0, "pass"), finished.err
    named = {cause["cause"]: cause["count"] for cause in document["throttled_by_cause"]}
    throttles = AwsSession(local=shop).cloudwatch()
    started = datetime.fromisoformat(document["provenance"]["started_utc"]).timestamp()
    truth["lambda_concurrency"] = lambda_throttles(
        throttles, "checkout", start_s=started, end_s=started + 60
    )
    assert truth.keys() == set(CAUSES)
    assert min(truth.values()) > 3
    # A request that was refused at the moment when the next token came may be named otherwise.
    assert {cause: named.get(cause, 0) - count for cause, count in truth.items()} == pytest.approx(
        dict.fromkeys(truth, 0), abs=2
    )
    assert sum(named.values()) == sum(truth.values()) == document["outcomes"]["throttled"]
    evidence = {cause["cause"]: cause["evidence"] for cause in document["throttled_by_cause"]}
    assert evidence == CAUSES
    assert {limit["layer"] for limit in document["limits"]} > CAUSES.keys()


def refused(limits: Any) -> dict[str, int]:
    """What the sandbox itself says that each of its limits refused."""
    found: Counter[str] = Counter()
    for limit in [*limits["throttles"], *limits["quotas"]]:
        found[limit["level"].replace("-", "_")] += limit["refused"]
    return {level: count for level, count in found.items() if count}


LOCUSTFILE = """
from locust import FastHttpUser, HttpUser, constant, events, task

@events.test_start.add_listener
@events.test_stop.add_listener
def note(environment, **_):
    with open("events.txt", "a") as file:
        file.write("event\\n")

class Buyer(HttpUser):
    wait_time = constant(0.02)

    @task
    def order(self):
        self.client.post("/orders", json={"sku": "A-1"})
        with self.client.get("/stock?sku=A-1", name="/stock", catch_response=True) as response:
            response.failure("too few left")

class Looker(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def look(self):
        self.client.get("/products")
        self.client.post("/clicks", json={"on": "A-1"})
        self.client.get("/broken")

class Patient(HttpUser):
    @task
    def wait_long(self):
        self.client.get("/slow")
"""


def test_users_of_a_locustfile_run_under_the_same_measurement(loadgen: LoadCommand) -> None:
    (loadgen.folder / "locustfile.py").write_text(LOCUSTFILE, encoding="utf-8")

    def answer(seen: Seen) -> Reply:
        slow = seen.path == "/slow"
        return Reply(500 if seen.path == "/broken" else 200, after_s=60 if slow else 0)

    with counting_server(answer) as server:
        name = loadgen.profile(
            server.url,
            load={
                "model": "closed",
                "drain": "1s",
                "phases": [{"name": "hold", "duration": "1500ms", "users": 6}],
            },
            scenarios=[],
            locustfile={"file": "locustfile.py"},
            validity={"max_start_lag": "5s", "max_cpu": "100%", "max_cut": "50%"},
        )
        finished = loadgen.run("loadgen", "run", name, "--json", "--processes", "2")

    document = finished.document
    check_books(document)
    assert (finished.code, document["verdict"]) == (0, "pass"), finished.err
    steps = {step["path"]: step for step in document["steps"]}
    assert {path: step["requests"]["sent"] for path, step in steps.items()} == server.paths()
    assert {path: step["method"] for path, step in steps.items()} == {
        "/orders": "POST", "/stock": "GET", "/products": "GET", "/clicks": "POST",
        "/broken": "GET", "/slow": "GET",
    }  # fmt: skip
    assert document["requests"]["sent"] == len(server.seen)
    # Requests that the end of the drain cut have no event of Locust's, but the server saw them.
    assert document["requests"]["cut"] == steps["/slow"]["requests"]["cut"] == 2
    assert steps["/stock"]["outcomes"]["check_failed"] == server.paths()["/stock"]
    assert steps["/broken"]["outcomes"]["server_error"] == server.paths()["/broken"]
    bodies = {seen.path: json.loads(seen.body) for seen in server.seen if seen.method == "POST"}
    assert bodies == {"/orders": {"sku": "A-1"}, "/clicks": {"on": "A-1"}}
    assert server.most_at_once <= 6
    # Once in each process, at the beginning and at the end.
    assert (loadgen.folder / "events.txt").read_text() == "event\n" * 4
