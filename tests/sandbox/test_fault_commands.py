"""The commands for a running sandbox: their output, their documents and their exit codes."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from admin_rig import AdminRig, running_admin

from sandbox.cli import main
from sandbox.faults.kinds import KINDS
from sandbox.gateway.limits import Enforcement
from sandbox.gateway.network import Delays
from sandbox.gateway.snapshot import ApiKey, Limit, Quota, Route, Snapshot, Stage, UsagePlan

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[AdminRig]:
    with running_admin() as rig:
        yield rig


@pytest.fixture
def rig(server: AdminRig, monkeypatch: pytest.MonkeyPatch) -> AdminRig:
    """A server without faults, which the environment names."""
    server.faults.clear()
    server.ledger.enforce(Enforcement(), server.now_s)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    return server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `sandbox` with arguments; gives the exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["sandbox", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        return int(stopped.value.code or 0), out, err

    return call


def active(rig: AdminRig) -> list[dict[str, Any]]:
    return [fault.document(rig.now_s) for fault in rig.faults.active(rig.now_s)]


def test_a_fault_is_added_as_the_help_shows_it(rig: AdminRig, run: Run) -> None:
    command = "fault add latency --ms 200 --share 0.1 --api orders --for 30"

    code, out, err = run(*command.split())

    (fault,) = active(rig)
    settings = {"kind": "latency", "ms": 200, "share": 0.1, "api": "orders", "for_s": 30}
    assert settings.items() <= fault.items()
    assert (code, err) == (0, "")
    assert re.fullmatch(
        r"f\d+  latency share=0\.1 api=orders ms=200 where=integration  \(30 s left, 0 hits\)\n",
        out,
    )


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ("status --status 503 --count 5 --message no", {"status": 503, "count": 5}),
        ("reset --after-bytes 10 --stage prod", {"after_bytes": 10, "stage": "prod"}),
        ("stall --ms 50 --then end", {"ms": 50, "then": "end"}),
        ("slow-body --bytes-per-s 100", {"bytes_per_s": 100}),
        ("latency --ms 5 --where gateway", {"where": "gateway"}),
        ("waf --route GET", {"route": "GET"}),
        (
            "throttle-control-plane --rate-rps 10 --burst 40 --service apigateway --operation X",
            {"rate_rps": 10, "burst": 40, "service": "apigateway", "operation": "X"},
        ),
        ("late-metrics --delay-s 60", {"delay_s": 60}),
        ("late-logs --delay-s 60", {"delay_s": 60}),
        ("lambda-throttle --reason CallerRateLimitExceeded", {"share": 1}),
        ("lambda-error --function f --error-type E", {"function": "f", "error_type": "E"}),
    ],
)
def test_each_option_reaches_the_sandbox(
    rig: AdminRig, run: Run, arguments: str, settings: dict[str, Any]
) -> None:
    code, out, _ = run("fault", "add", *arguments.split(), "--json", "-q")

    (fault,) = active(rig)
    assert code == 0
    assert {"kind": arguments.split()[0], **settings}.items() <= fault.items()
    assert json.loads(out) == {
        "schema_version": 1,
        "verdict": "pass",
        "exit_code": 0,
        "errors": [],
        "faults": [fault],
    }


def test_help_names_each_kind_and_each_setting(run: Run) -> None:
    code, out, _ = run("fault", "add", "--help")
    assert code == 0
    words = out.replace("-\n              ", "-").replace("\n", " ")
    for kind, model in KINDS.items():
        assert kind in words
        for setting in model.model_fields:
            option = "--for" if setting == "for_s" else f"--{setting.replace('_', '-')}"
            assert setting == "kind" or option in words


def test_faults_are_listed_and_cleared(rig: AdminRig, run: Run) -> None:
    run("fault", "add", "waf")
    run("fault", "add", "reset", "--for", "5")
    first, second = (fault["id"] for fault in active(rig))

    code, out, _ = run("fault", "list")
    assert code == 0
    assert out.splitlines() == [
        f"{first}  waf  (until cleared, 0 hits)",
        f"{second}  reset after_bytes=0  (5 s left, 0 hits)",
    ]
    assert run("fault", "clear", first) == (0, "", "1 fault cleared\n")
    assert [fault["id"] for fault in active(rig)] == [second]
    run("fault", "add", "waf")
    assert run("fault", "clear") == (0, "", "2 faults cleared\n")
    assert run("fault", "list") == (0, "", "no fault is active\n")
    assert json.loads(run("fault", "list", "--json")[1])["faults"] == []
    assert json.loads(run("fault", "clear", "--json")[1])["removed"] == 0


def test_the_enforcement_is_shown_and_changed(rig: AdminRig, run: Run) -> None:
    assert run("enforcement") == (0, "exact\n", "")
    assert run("enforcement", "shards=4,spread=hashed") == (0, "shards=4,spread=hashed\n", "")
    assert rig.ledger.enforcement == Enforcement(shards=4, spread="hashed")
    shown = json.loads(run("enforcement", "--json", "-q")[1])["enforcement"]
    assert (shown["shards"], shown["text"]) == (4, "shards=4,spread=hashed")


def test_the_network_is_shown_and_changed(rig: AdminRig, run: Run) -> None:
    assert run("network") == (0, "off\n", "")
    assert run("network", "--delay-ms", "5", "--jitter-ms", "10")[:2] == (
        0,
        "5 ms each way, jitter 10 ms\n",
    )
    assert rig.network.delays == Delays(delay_ms=5, jitter_ms=10)
    shown = json.loads(run("network", "--json", "-q")[1])["network"]
    assert (shown["delay_ms"], shown["jitter_ms"], shown["seed"]) == (5, 10, 0)
    assert run("network", "off") == (0, "off\n", "")
    assert rig.network.delays is None


def test_limits_are_shown_as_they_are(rig: AdminRig, run: Run) -> None:
    route = Route("GET /", "GET", "/", "r1", None)
    stage = Stage(kind="REST", api_id="api1", api_name="orders", name="prod", routes=(route,))
    plan = UsagePlan("plan1", "gold", Limit(0.0, 3.0), Quota(500, "DAY"))
    key = ApiKey("key1", "one", "secret", enabled=True)
    assert "no limit has seen a request yet" in run("limits")[2]
    snapshot = Snapshot(stages={stage.key: stage}, plans={plan.id: plan})
    gate = rig.ledger.gate_for(snapshot, stage, route, plan, key)
    for _ in range(5):
        gate.admit(rig.now_s, 1e9)

    code, out, err = run("limits")

    rows = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "enforcement: exact\n")
    assert ["usage-plan", "plan1:key1", "0", "3", "0.0", "3", "2"] in rows
    assert ["account", "account", "10,000", "5,000", "4,997.0", "3", "0"] in rows
    assert ["plan1:key1", "500", "a", "day", "3", "497", "3", "0"] in rows
    document = json.loads(run("limits", "--json", "-q")[1])
    assert document["verdict"] == "pass"
    assert document["throttles"] == rig.ledger.document(rig.now_s)["throttles"]


def test_no_limit_is_shortened_in_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    route = Route("POST /orders", "POST", "/orders", "r1", None)
    stage = Stage(kind="REST", api_id="y7yjsq51zk", api_name="orders", name="prod", routes=(route,))
    of_methods = {stage.key: {"/orders/POST": Limit(1000.0, 2000.0)}}
    plan = UsagePlan("rixtrm", "gold", Limit(1000.0, 2000.0), Quota(1_000_000, "MONTH"), of_methods)
    key = ApiKey("qiyxzmj3ep", "one", "secret", enabled=True)
    snapshot = Snapshot(stages={stage.key: stage}, plans={plan.id: plan})
    with running_admin() as rig:
        rig.ledger.gate_for(snapshot, stage, route, plan, key).admit(rig.now_s, 1e9)

        code, out, _ = run("limits", "--endpoint", rig.url)

    assert code == 0
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= 80
    names = "".join(line[17:42].strip() for line in out.splitlines())
    assert "rixtrm:qiyxzmj3ep:y7yjsq51zk:prod:/orders/POST" in names


def test_a_fault_is_one_line_whatever_its_names_are(rig: AdminRig, run: Run) -> None:
    run("fault", "add", "waf", "--stage", "a\nb\x1b[31m")
    out = run("fault", "list")[1]
    assert "stage=a b\ufffd[31m" in out
    assert out.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("fault add fire", "fault: kind: must be one of latency"),
        ("fault add latency", "fault latency: ms: is needed"),
        ("fault add latency --ms 5 --status 503", "fault latency: status: this kind has no such"),
        ("fault add latency --ms 5 --share 2", "fault latency: share: Input should be less than"),
        ("fault add latency --ms soon", "--ms"),
        ("fault add latency --ms nan", "fault latency: ms: must be a finite number (got nan)"),
        ("fault add latency --ms 5 --for inf", "for_s: must be a finite number (got inf)"),
        ("fault add", "KIND"),
        ("fault clear f9999", "there is no active fault 'f9999'"),
        ("fault clear a/b", "there is no active fault 'a/b'"),
        ("enforcement shards=0", "enforcement: shards: Input should be greater than or equal to 1"),
        ("network fast", "network: must be off, or options (got fast)"),
        ("network off --delay-ms 5", "network: off goes with no other option"),
        ("network --jitter-ms 5", "network: delay_ms: is needed"),
        ("network --delay-ms nan", "network: delay_ms: must be a finite number (got nan)"),
        ("enforcement many", "enforcement: could not read 'many'"),
        ("limits --endpoint ftp://127.0.0.1", "endpoint: "),
        ("limits --endpoint http://[", "endpoint: "),
        ("limits --endpoint 127.0.0.1:4599", "endpoint: "),
        ("limits --endpoint http://127.0.0.1:x", "endpoint: "),
        ("limits --endpoint http://127.0.0.1:99999", "--endpoint: must be an http URL"),
        ("limits --endpoint http://", "--endpoint: must be an http URL with a host (got http://)"),
    ],
)
def test_a_wrong_word_ends_with_2(rig: AdminRig, run: Run, command: str, message: str) -> None:
    code, out, err = run(*command.split())
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert active(rig) == []


def test_a_wrong_word_is_in_the_document_as_well(rig: AdminRig, run: Run) -> None:
    code, out, _ = run("enforcement", "many", "--json")
    document = json.loads(out)
    assert (code, document["verdict"], document["exit_code"]) == (2, "error", 2)
    assert "could not read 'many'" in document["errors"][0]


@pytest.mark.parametrize(
    "command",
    ["fault add waf", "fault list", "fault clear", "limits", "enforcement exact", "network off"],
)
def test_without_a_sandbox_commands_end_with_1(run: Run, command: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        code, out, err = run(*command.split(), "--endpoint", url)

    assert (code, out) == (1, "")
    assert err.startswith(f"error: no sandbox answers at {url}: ")
    assert "sandbox up" in err


def test_what_is_no_sandbox_is_not_taken_for_one(sandbox: Any, run: Run) -> None:
    # Answers HTTP, but not on this path with what a sandbox would say.
    code, _, err = run("limits", "--endpoint", f"{sandbox.endpoint_url}/2015-03-31")
    assert code == 1
    assert "no sandbox answers at" in err
