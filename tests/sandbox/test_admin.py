"""What a running sandbox says about itself, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from admin_rig import AdminRig, NoPlane, running_admin

from sandbox.admin import AdminApplication
from sandbox.faults import FaultSet, parse_fault
from sandbox.gateway.limits import Enforcement, LimitLedger
from sandbox.gateway.network import Delays, Network
from sandbox.gateway.snapshot import Limit, Route, Snapshot, Stage
from sandbox.http import Request

ROUTE = Route("GET /", "GET", "/", "r1", None)
STAGE = Stage(kind="HTTP", api_id="api1", api_name="orders", name="$default", routes=(ROUTE,))


@pytest.fixture(scope="module")
def server() -> Iterator[AdminRig]:
    with running_admin() as rig:
        yield rig


@pytest.fixture
def rig(server: AdminRig) -> AdminRig:
    """The server as it is after its start, but for the numbers of faults."""
    server.faults.clear()
    server.ledger.enforce(Enforcement(), server.now_s)
    return server


def ask(rig: AdminRig, method: str, path: str, **arguments: Any) -> httpx.Response:
    with httpx.Client(base_url=rig.url, trust_env=False) as client:
        return client.request(method, f"/_sandbox/{path}", **arguments)


def test_health_answers(rig: AdminRig) -> None:
    answer = ask(rig, "GET", "health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["content-type"] == "application/json"


def test_a_fault_is_added_listed_and_removed(rig: AdminRig) -> None:
    added = ask(rig, "POST", "faults", json={"kind": "latency", "ms": 200, "for_s": 30})
    fault_id = added.json()["id"]

    assert added.status_code == 201
    assert ask(rig, "GET", "faults").json() == {"faults": [added.json()]}
    assert [fault.id for fault in rig.faults.active(rig.now_s)] == [fault_id]
    removed = ask(rig, "DELETE", f"faults/{fault_id}")
    assert (removed.status_code, removed.json()) == (200, {"removed": 1})
    assert ask(rig, "GET", "faults").json() == {"faults": []}


def test_a_fault_may_say_who_will_end_it(rig: AdminRig) -> None:
    owned = ask(rig, "POST", "faults", json={"kind": "waf", "owner": "stack orders"}).json()
    ask(rig, "POST", "faults", json={"kind": "waf"})
    shown = ask(rig, "GET", "faults").json()["faults"]
    assert [fault.get("owner") for fault in shown] == ["stack orders", None]
    assert owned["owner"] == "stack orders"


def test_an_expired_fault_is_gone(rig: AdminRig) -> None:
    fault = rig.faults.add(parse_fault({"kind": "waf", "for_s": 30}), rig.now_s)
    rig.now_s += 30
    assert ask(rig, "DELETE", f"faults/{fault.id}").status_code == 404
    assert ask(rig, "GET", "faults").json() == {"faults": []}


def test_all_faults_are_removed_at_once(rig: AdminRig) -> None:
    for _ in range(3):
        ask(rig, "POST", "faults", json={"kind": "waf"})
    assert ask(rig, "DELETE", "faults").json() == {"removed": 3}
    assert rig.faults.active(rig.now_s) == ()


@pytest.mark.parametrize(
    ("body", "enforcement"),
    [
        ({"shards": 4, "sync_ms": 500}, Enforcement(shards=4, sync_ms=500)),
        ("shards=4,spread=hashed", Enforcement(shards=4, spread="hashed")),
        ("exact", Enforcement()),
    ],
)
def test_the_enforcement_is_changed_while_it_runs(
    rig: AdminRig, body: Any, enforcement: Enforcement
) -> None:
    changed = ask(rig, "PUT", "enforcement", json=body)

    assert changed.status_code == 200
    assert rig.ledger.enforcement == enforcement
    assert ask(rig, "GET", "enforcement").json() == changed.json()
    assert changed.json()["text"] == str(enforcement)


def test_the_network_is_changed_while_it_runs(rig: AdminRig) -> None:
    far = ask(rig, "PUT", "network", json={"delay_ms": 5, "jitter_ms": 10}).json()
    assert rig.network.delays == Delays(delay_ms=5, jitter_ms=10)
    assert far["text"] == "5 ms each way, jitter 10 ms"
    assert ask(rig, "GET", "network").json() == far
    assert ask(rig, "DELETE", "network").json()["text"] == "off"
    assert rig.network.delays is None


def test_limits_are_the_ledgers_truth(rig: AdminRig) -> None:
    snapshot = Snapshot(stages={STAGE.key: STAGE}, account_limit=Limit(0.0, 3.0))
    gate = rig.ledger.gate_for(snapshot, STAGE, ROUTE)
    for _ in range(5):
        gate.admit(rig.now_s, 0.0)

    document = ask(rig, "GET", "limits").json()

    assert document == rig.ledger.document(rig.now_s)
    assert [(entry["admitted"], entry["refused"]) for entry in document["throttles"]] == [(3, 2)]


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "error", "message"),
    [
        ("GET", "nothing", b"", 404, "NotFoundException", "there is no /_sandbox/nothing"),
        ("GET", "", b"", 404, "NotFoundException", "there is no /_sandbox/"),
        ("DELETE", "faults/f9999", b"", 404, "NotFoundException", "no active fault 'f9999'"),
        ("DELETE", "faults/", b"", 404, "NotFoundException", "no active fault ''"),
        ("GET", "faults/f1", b"", 405, "MethodNotAllowedException", "takes DELETE (got GET)"),
        ("POST", "limits", b"{}", 405, "MethodNotAllowedException", "takes GET (got POST)"),
        ("PATCH", "enforcement", b"", 405, "MethodNotAllowedException", "takes GET, PUT"),
        ("POST", "faults", b"", 400, "ValidationException", "the body is not JSON"),
        ("POST", "faults", b"{", 400, "ValidationException", "the body is not JSON"),
        ("POST", "faults", b"\xff", 400, "ValidationException", "the body is not JSON"),
        ("POST", "faults", b'{"kind":"latency","ms":NaN}', 400, "ValidationException", "NaN"),
        ("POST", "faults", b'{"kind":"waf","owner":1}', 400, "ValidationException", "(got 1)"),
        ("POST", "faults", b"[]", 400, "ValidationException", "fault: must be a JSON object"),
        ("POST", "faults", b'{"kind":"fire"}', 400, "ValidationException", "(got 'fire')"),
        ("PUT", "enforcement", b"4", 400, "ValidationException", "enforcement: must be a JSON"),
        ("PUT", "enforcement", b'"shards=0"', 400, "ValidationException", "enforcement: shards"),
        ("PUT", "network", b"[]", 400, "ValidationException", "network: must be a JSON object"),
        ("PUT", "network", b"{}", 400, "ValidationException", "network: delay_ms: is needed"),
        ("POST", "network", b"{}", 405, "MethodNotAllowedException", "takes GET, PUT, DELETE"),
        ("PUT", "enforcement", b'{"x":1}', 400, "ValidationException", "enforcement: x: there is"),
    ],
)
def test_what_makes_no_sense_is_refused(
    rig: AdminRig, method: str, path: str, content: bytes, status: int, error: str, message: str
) -> None:
    answer = ask(rig, method, path, content=content)

    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (status, error)
    assert message in answer.json()["message"]
    assert rig.faults.active(rig.now_s) == ()
    assert rig.ledger.enforcement == Enforcement()
    assert (status == 405) == ("allow" in answer.headers)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("http://localhost:8080", 201),
        ("http://127.0.0.1:4599", 201),
    ],
)
def test_web_pages_of_other_origins_are_refused(rig: AdminRig, origin: str, status: int) -> None:
    answer = ask(rig, "POST", "faults", json={"kind": "waf"}, headers={"Origin": origin})

    assert answer.status_code == status
    assert len(rig.faults.active(rig.now_s)) == (status == 201)


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        (b"/_sandbox/health", True),
        (b"/_sandbox/anything?x=1", True),
        (b"/_sandbox", False),
        (b"/orders/_sandbox/health", False),
        (b"/2015-03-31/functions", False),
    ],
)
def test_only_paths_below_its_own_are_taken(path: bytes, *, taken: bool) -> None:
    application = AdminApplication(FaultSet(), LimitLedger(), Network(NoPlane()))
    found = application.match(Request("GET", path, []))
    assert (found is not None) == taken
