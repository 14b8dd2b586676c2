"""When nothing goes well: which check, which status, and an exit code that says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadgen.redact import check_no_secret
from tests.system.load_rig import LoadCommand, Reply, Seen, counting_server, flow, open_load

pytestmark = pytest.mark.system

KEY = "the-api-key-8f3Lq"


@pytest.fixture
def loadgen(tmp_path: Path) -> LoadCommand:
    folder = tmp_path / "work"
    folder.mkdir()
    return LoadCommand(folder)


def echo(seen: Seen) -> Reply:
    """One item, its name wrong, with the key that it was asked with; POST is broken."""
    body = json.dumps([{"name": "Chair", "owner": seen.headers["x-api-key"]}]).encode()
    return Reply(500 if seen.method == "POST" else 200, body)


def test_a_run_in_which_nothing_is_ok_fails_and_says_why(loadgen: LoadCommand) -> None:
    scenarios = [
        flow({"get": "/a", "checks": {"json": {"$[0].name": "Lamp"}}}, name="a"),
        flow({"get": "/b", "checks": {"json": {"[0].owner": "me"}}}, name="b"),
        flow({"get": "/c", "capture": {"id": "$[0].id"}}, name="c"),
        flow({"post": "/d"}, name="d"),
    ]
    auth = {"type": "api_key", "value": KEY}
    with counting_server(echo) as server:
        finished = loadgen.load(
            server.url, scenarios=scenarios, auth=auth, load=open_load(unit="scenarios")
        )

    document = finished.document
    counts = server.paths()
    assert (finished.code, document["verdict"]) == (3, "failed")
    assert document["errors"][0].startswith(f"none of {counts.total()} completed requests was ok")
    assert document["statuses"] == {"200": counts.total() - counts["/d"], "500": counts["/d"]}
    assert {(one["step"], one["reason"]): one["count"] for one in document["failures"]} == {
        ("GET /a", "checks.json.$[0].name: expected Lamp, got Chair"): counts["/a"],
        ("GET /b", "checks.json.[0].owner: expected me, got <hidden>"): counts["/b"],
        ("GET /c", "capture id: nothing found"): counts["/c"],
    }
    assert "expected Lamp, got Chair" in finished.err
    assert f"status codes: 200 x {counts.total() - counts['/d']}, 500 x" in finished.err
    check_no_secret(loadgen.folder / "runs", [KEY])
    assert KEY not in finished.out + finished.err


def test_the_plan_of_a_quiet_dry_run_is_on_stdout(loadgen: LoadCommand) -> None:
    name = loadgen.profile("http://127.0.0.1:9", load=open_load(rate=1))
    finished = loadgen.run("loadgen", "run", name, "--dry-run", "-q")

    assert (finished.code, finished.err) == (0, "")
    assert finished.out.startswith("target: http://127.0.0.1:9")
    assert ": hold, 1 request/s\nplan: about 1 request in 1" in finished.out
