"""`loadgen run` as a user meets it: what a server saw is in the result, and the exit code says how
it went."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.loadgen.hostile_server import hostile_server
from tests.system.conftest import CommandHere, Finished
from tests.system.load_rig import (
    LoadCommand,
    Reply,
    Seen,
    check_books,
    counting_server,
    flow,
    open_load,
)

pytestmark = pytest.mark.system

FIELDS = {
    "schema_version", "kind", "name", "verdict", "exit_code", "errors", "notes", "target",
    "requests", "outcomes", "throttled_by_cause", "errors_by_cause", "rates", "response_ms",
    "service_ms", "steps", "phases", "seconds", "thresholds", "validity", "limits", "spent",
    "provenance",
}  # fmt: skip
SLICE_FIELDS = {"requests", "outcomes", "throttled_by_cause", "response_ms", "service_ms"}
PERCENTILES = {"p50", "p90", "p95", "p99", "max"}


@pytest.fixture
def loadgen(tmp_path: Path) -> LoadCommand:
    folder = tmp_path / "work"
    folder.mkdir()
    return LoadCommand(folder)


# -- nothing is lost ------------------------------------------------------------------------------


class Shop:
    """Sells carts by number: who asks for a cart has to bring the number that it was given."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.given: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()

    def answer(self, seen: Seen) -> Reply:
        if seen.method == "POST":
            number = f"c-{next(self._numbers)}"
            self.given[number] += 1
            return Reply(201, json.dumps({"cart": {"id": number}}).encode())
        if seen.path.startswith("/carts/"):
            self.asked[seen.path.rpartition("/")[2]] += 1
        return Reply()


def test_flows_of_two_processes_are_in_the_result_request_by_request(loadgen: LoadCommand) -> None:
    shop = Shop()
    cart = [
        {
            "post": "/carts",
            "json": {"user": "${uuid}"},
            "checks": {"status": 201},
            "capture": {"cart": "json: cart.id"},
        },
        {"think": "50ms"},
        {"get": "/carts/${cart}", "name": "GET /carts/{id}"},
    ]
    with counting_server(shop.answer) as server:
        profile = loadgen.profile(
            server.url,
            load=open_load(
                rate=200,
                processes=2,
                phases=[
                    {"name": "warm-up", "duration": "300ms", "rate": 50, "measure": False},
                    {"name": "hold", "duration": "1s", "rate": 200},
                    {"name": "rush", "burst": 30, "within": "100ms"},
                ],
            ),
            scenarios=[flow(*cart, name="cart", weight=3), flow({"get": "/products"}, name="look")],
            thresholds=["rate(failed) < 1%", {"that": "count(ok) > 0", "step": "GET /carts/{id}"}],
        )
        exports = ("--export", "html=page.html")
        finished = loadgen.run_anew("loadgen", "run", profile, "--json", *exports)

    document = finished.document
    assert (finished.code, document["verdict"], document["errors"]) == (0, "pass", []), finished.err
    check_books(document)
    check_document(document)
    assert document == json.loads((loadgen.result_folder / "result.json").read_text())
    # The whole run: of the warm-up as well.
    phases = {phase["name"]: phase["requests"] for phase in document["phases"]}
    assert sum(phase["sent"] for phase in phases.values()) == len(server.seen)
    assert document["requests"]["sent"] == phases["hold"]["sent"] + phases["rush"]["sent"]
    assert document["outcomes"]["ok"] == document["requests"]["sent"]
    # `unit: requests` is the default: two thirds of an arrival's requests would be too many.
    assert 130 < phases["hold"]["sent"] < 270
    # Each cart that was given was asked for, once.
    assert shop.asked == shop.given
    steps = {step["name"]: step["requests"]["sent"] for step in document["steps"]}
    assert steps["POST /carts"] == steps["GET /carts/{id}"] > steps["GET /products"] > 0
    assert document["validity"]["injectors"] == 2
    assert [threshold["ok"] for threshold in document["thresholds"]] == [True, True]
    assert (loadgen.folder / "page.html").read_text().startswith("<!doctype html>")
    assert "written: page.html" in finished.err


def check_document(document: Any) -> None:
    """All that a pipeline may look for is there."""
    assert document.keys() >= FIELDS
    for part in [document, *document["steps"], *document["phases"]]:
        assert part.keys() >= SLICE_FIELDS
        assert part["response_ms"].keys() >= PERCENTILES
        assert part["service_ms"].keys() >= PERCENTILES
    assert document["validity"].keys() >= {"verdict", "reasons"}
    assert document["thresholds"][0].keys() >= {"that", "scope", "value", "limit", "ok"}


def test_requests_without_an_answer_at_the_end_of_the_drain_are_counted_as_cut(
    loadgen: LoadCommand,
) -> None:
    slow = itertools.cycle([0.05, 0.05, 30.0])
    with counting_server(lambda seen: Reply(after_s=next(slow))) as server:
        finished = loadgen.load(server.url, load=open_load(drain="300ms"))

    requests = finished.document["requests"]
    check_books(finished.document)
    assert requests["sent"] == len(server.seen)
    assert requests["cut"] == len(server.seen) // 3
    assert (finished.code, finished.document["verdict"]) == (5, "invalid")
    assert f"{requests['cut']} of {requests['sent']} requests were cut" in finished.err


ODD = ("/normal", "/binary-error", "/close-in-body", "/reset-first", "/chunked")


def test_a_broken_server_fails_a_threshold_and_each_of_its_answers_is_one_outcome(
    loadgen: LoadCommand,
) -> None:
    with hostile_server() as server:
        finished = loadgen.load(
            server.url,
            load=open_load(rate=200, arrivals="uniform"),
            scenarios=[flow({"get": path}, name=path.strip("/")) for path in ODD],
            thresholds=["rate(failed) < 1%", "p95(ok_response) < 30s"],
        )
        seen = Counter(server.seen)

    document = finished.document
    assert (finished.code, document["verdict"]) == (3, "failed"), finished.err
    check_books(document)
    assert {step["path"]: step["requests"]["completed"] for step in document["steps"]} == seen
    assert document["outcomes"] == {
        "ok": seen["/normal"] + seen["/chunked"],
        "server_error": seen["/binary-error"],
        "connection_error": seen["/close-in-body"] + seen["/reset-first"],
        "throttled": 0,
        "client_error": 0,
        "timeout": 0,
        "check_failed": 0,
    }
    causes = {cause["cause"]: cause["count"] for cause in document["errors_by_cause"]}
    assert causes["reset"] == seen["/reset-first"]
    assert causes["closed_early"] == seen["/close-in-body"]
    assert [threshold["ok"] for threshold in document["thresholds"]] == [False, True]


def test_arrivals_beyond_max_in_flight_are_dropped_counted_and_make_the_run_invalid(
    loadgen: LoadCommand,
) -> None:
    with counting_server(lambda seen: Reply(after_s=0.4)) as server:
        finished = loadgen.load(
            server.url, "-q", "--no-records", load=open_load(rate=150, max_in_flight=10)
        )

    document = finished.document
    requests = document["requests"]
    check_books(document)
    assert requests["offered"] == requests["sent"] + requests["dropped"]
    assert requests["sent"] == len(server.seen)
    assert requests["dropped"] > 50
    assert server.most_at_once <= 10
    assert (finished.code, document["verdict"]) == (5, "invalid")
    assert document["validity"]["verdict"] == "invalid"
    (reason,) = document["validity"]["reasons"]
    assert "arrivals were dropped" in reason
    assert "raise load.max_in_flight" in reason
    # Quiet, with JSON: nothing but the document. Without records: none.
    assert finished.err == ""
    assert {path.name for path in loadgen.result_folder.iterdir()} == {
        "result.json",
        "frames.ndjson.gz",
    }


def test_users_wait_for_their_answers_and_there_are_never_more_of_them_than_planned(
    loadgen: LoadCommand,
) -> None:
    with counting_server(lambda seen: Reply(after_s=0.02)) as server:
        finished = loadgen.load(
            server.url,
            load={
                "model": "closed",
                "processes": 2,
                # Nobody waits for users who think when all is over.
                "think": {"between": ["0s", "40ms"]},
                "phases": [
                    {"name": "ramp", "duration": "1s", "users": [1, 7]},
                    {"name": "hold", "duration": "500ms", "users": 7},
                ],
            },
            scenarios=[flow({"get": "/x"}, {"think": "10ms"}, {"get": "/y"})],
        )

    document = finished.document
    check_books(document)
    assert (finished.code, document["verdict"]) == (0, "pass"), finished.err
    assert document["requests"]["sent"] == len(server.seen) > 20
    assert 3 <= server.most_at_once <= 7
    assert document["requests"]["dropped"] == document["requests"]["cut"] == 0
    assert document["provenance"]["model"] == "closed"
    paths = server.paths()
    # Who was between the two when the time was up did not go on.
    assert paths["/y"] <= paths["/x"] <= paths["/y"] + 7


def test_users_who_think_do_not_hold_up_the_end(loadgen: LoadCommand) -> None:
    with counting_server() as server:
        finished = loadgen.load(
            server.url,
            load={
                "model": "closed",
                "think": "1h",
                "drain": "1h",
                "phases": [{"name": "hold", "duration": "300ms", "users": 4}],
            },
        )

    assert finished.code == 0, finished.err
    assert finished.document["requests"]["completed"] == len(server.seen) == 4


# -- thresholds and guards ------------------------------------------------------------------------


def test_a_threshold_that_aborts_ends_the_run_early(loadgen: LoadCommand) -> None:
    with counting_server(lambda seen: Reply(503)) as server:
        finished = loadgen.load(
            server.url,
            load=open_load(rate=50, duration="30s"),
            thresholds=[{"that": "rate(server_error) < 10%", "abort": True}],
        )

    document = finished.document
    check_books(document)
    assert (finished.code, document["verdict"]) == (3, "failed"), finished.err
    assert document["requests"]["sent"] == len(server.seen) < 750
    assert document["thresholds"][0]["aborted"] is True
    assert "a threshold ended the run" in document["errors"][0]
    assert document["phases"][0]["to_s"] < 15


def test_a_guard_stops_users_who_sent_more_than_they_may(loadgen: LoadCommand) -> None:
    with counting_server(lambda seen: Reply(after_s=0.005)) as server:
        finished = loadgen.load(
            server.url,
            load={"model": "closed", "phases": [{"name": "hold", "duration": "30s", "users": 4}]},
            guards={"max_requests": 100},
        )

    document = finished.document
    check_books(document)
    assert (finished.code, document["verdict"]) == (6, "refused"), finished.err
    assert document["requests"]["sent"] == len(server.seen)
    assert "guards.max_requests is 100" in document["errors"][0]


REFUSED = [
    pytest.param(
        {"target": {"url": "http://shop.example.com"}},
        "target shop.example.com is neither loopback nor a name of API Gateway",
        id="a host that nobody allowed",
    ),
    pytest.param(
        {"guards": {"max_requests": 50}},
        "the plan has about 100 requests, above guards.max_requests 50",
        id="more requests than allowed",
    ),
    pytest.param(
        {"guards": {"max_rate": 50}},
        "the plan peaks at 100 requests/s, above guards.max_rate 50",
        id="a higher rate than allowed",
    ),
]


@pytest.mark.parametrize(("parts", "message"), REFUSED)
def test_a_guard_refuses_a_plan_before_a_single_request(
    loadgen: LoadCommand, parts: dict[str, Any], message: str
) -> None:
    with counting_server() as server:
        finished = loadgen.load(server.url, **parts)

    assert finished.code == 6, finished.err
    assert message in finished.err
    assert finished.document["exit_code"] == 6
    assert message in finished.document["errors"][0]
    assert server.seen == []
    assert not (loadgen.folder / "runs").exists()


def test_a_dry_run_shows_the_plan_and_sends_nothing(loadgen: LoadCommand) -> None:
    with counting_server() as server:
        finished = loadgen.load(server.url, "--dry-run")

    document = finished.document
    assert (finished.code, document["verdict"]) == (0, "pass")
    assert document["plan"]["requests"] == 100
    assert document["plan"]["cost_usd"] == {"least": 0, "most": 0}
    assert "plan: about 100 requests" in finished.err
    assert server.seen == []
    assert not (loadgen.folder / "runs").exists()


# -- command lines that cannot work ---------------------------------------------------------------

BAD = [
    (["nowhere.yaml"], "nowhere.yaml"),
    (["profile.yaml", "--set", "load.speed=9"], "load.speed"),
    (["profile.yaml", "--env", "production"], "production"),
    (["profile.yaml", "--export", "pdf=page.pdf"], "pdf"),
    (["profile.yaml", "--processes", "0"], "--processes"),
    (["profile.yaml", "--set", "auth={type: bearer, file: none.txt}"], "none.txt"),
    (["profile.yaml", "--sandbox", "--set", "sandbox.stack=none"], "none"),
    (["profile.yaml", "--set", "http.ca_file=none.pem"], "none.pem"),
    (["--speed"], "--speed"),
    ([], "PROFILE"),
]


@pytest.mark.parametrize(("arguments", "named"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_a_bad_command_line_is_told_in_one_line(
    loadgen: LoadCommand, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    loadgen.profile("http://127.0.0.1:9")

    finished = CommandHere(loadgen, capsys).run("loadgen", "run", *arguments)

    assert finished.code == 2
    check_one_line(finished, named)
    assert not (loadgen.folder / "runs").exists()


def test_a_bad_command_line_is_all_that_the_process_tells(loadgen: LoadCommand) -> None:
    finished = loadgen.run("loadgen", "run", "nowhere.yaml")

    assert finished.code == 2
    check_one_line(finished, "nowhere.yaml")


def check_one_line(finished: Finished, named: str) -> None:
    """The command said what is wrong, and nothing that a person would not understand."""
    (line,) = [line for line in finished.err.splitlines() if line.startswith("error: ")]
    assert named in line
    assert "Traceback" not in finished.err
    assert finished.out == ""
