"""The wire client against a server that is broken, slow and unusual in every way that it knows.

Whatever a server does, a request has exactly one answer with the right cause, is sent once, ends in
its time, and leaves no connection open. The client runs in a child process.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.loadgen.hostile_scripts import (
    HUGE_HEADER_BYTES,
    JSON,
    LARGE_BYTES,
    NOT_UTF_8,
    SCRIPTS,
)
from tests.loadgen.hostile_server import (
    HostileServer,
    ca_file,
    full_listener,
    hostile_server,
    mute_listener,
    refusing_port,
    server_tls,
)

Answer = dict[str, Any]
SHORT_S = 0.4
# Far more than any plan needs, far less than the server would wait: a hang shows.
HANG_S = 30.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What comes of a path, and whether its connection serves the next request."""

    status: int = 200
    cause: str = "NONE"
    body: bytes | None = JSON  # None: however much came in time
    kept: bool = False
    timeout_s: float = 20.0


def broken(cause: str, status: int = 0, body: bytes = b"") -> Expected:
    return Expected(status, cause, body)


def too_slow(status: int = 0, body: bytes | None = b"") -> Expected:
    return Expected(status, "RESPONSE_TIMEOUT", body, timeout_s=SHORT_S)


Plan = dict[str, Any]
HALF = JSON[:-4]
EXPECTED = {
    "/normal": Expected(kept=True),
    "/binary-error": Expected(500, body=NOT_UTF_8, kept=True),
    "/empty": Expected(body=b"", kept=True),
    "/no-content": Expected(204, body=b"", kept=True),
    "/not-modified": Expected(304, body=b"", kept=True),
    "/no-reason": Expected(kept=True),
    "/odd-status": Expected(299, kept=True),
    "/chunked": Expected(kept=True),
    "/trailers": Expected(kept=True),
    "/until-close": Expected(),
    "/until-dropped": Expected(),
    "/http-1.0": Expected(),
    "/http-1.0-length": Expected(),
    "/last": Expected(),
    "/last-but-open": Expected(),
    "/stale": Expected(),
    "/gzip": Expected(body=gzip.compress(JSON, mtime=0), kept=True),
    "/large": Expected(body=b"x" * LARGE_BYTES, kept=True),
    "/huge-head": Expected(kept=True),
    "/continue": Expected(kept=True),
    "/early-hints": Expected(kept=True),
    "/dribble": Expected(kept=True),
    "/garbage-after": Expected(),
    "/response-after": Expected(),
    "/malformed": broken("MALFORMED"),
    "/not-http": broken("MALFORMED"),
    "/bad-length": broken("MALFORMED", 200),
    "/two-lengths": broken("MALFORMED", 200),
    "/bad-chunk": broken("MALFORMED", 200),
    "/close-first": broken("CLOSED_EARLY"),
    "/close-in-head": broken("CLOSED_EARLY"),
    "/close-in-body": broken("CLOSED_EARLY", 200, HALF),
    "/close-in-chunks": broken("CLOSED_EARLY", 200, JSON),
    "/close-after-continue": broken("CLOSED_EARLY"),
    "/reset-first": broken("RESET"),
    "/reset-in-body": broken("RESET", 200, HALF),
    "/silent": too_slow(),
    "/hold-in-head": too_slow(),
    "/hold-in-body": too_slow(200, HALF),
    "/endless-head": too_slow(),
    "/endless-body": too_slow(200, None),
    "/flood-head": broken("MALFORMED"),
    "/flood-body": too_slow(200, None),
    "/unread": too_slow(),
}


HEADS = (
    "/normal",
    "/chunked",
    "/huge-head",
    "/no-content",
    "/not-modified",
    "/last",
    "/early-hints",
)
SECURED = (
    "/until-close", "/until-dropped", "/http-1.0-length", "/stale", "/close-in-head",
    "/normal", "/large", "/chunked", "/dribble", "/garbage-after", "/last", "/binary-error",
    "/close-first", "/close-in-body", "/reset-first", "/silent", "/hold-in-body", "/flood-body",
)  # fmt: skip
CERTIFICATES: dict[str, dict[str, Any]] = {
    "right": {},
    "name": {"name": "elsewhere.example"},
    "unknown": {},
    "expired": {"expired": True},
}
# Plans whose requests cannot arrive.
NOT_HTTP = {
    "http 127.0.0.1 mute",
    "http 127.0.0.1 refused",
    "http 127.0.0.1 full",
    "http nothing.invalid",
}

FINE = (200, "NONE", JSON)


def agrees(answer: Answer, it: Expected) -> bool:
    status, cause, body = short(answer)
    return (status, cause) == (it.status, it.cause) and it.body in (None, body)


def short(answer: Answer) -> tuple[int, str, bytes]:
    """What the answer says: status, cause, body."""
    return answer["status"], answer["cause"], answer["body"].encode("latin-1")


@dataclass(slots=True)
class Told:
    """What the child did with all plans, and what the servers saw of it."""

    asked: dict[str, list[str]]
    plans: dict[str, dict[str, Any]]
    descriptors: int
    seen: Counter[str]
    open_connections: int

    def answers(self, plan: str) -> list[Answer]:
        """The answers of a plan, in the order of its steps."""
        assert "raised" not in self.plans[plan], self.plans[plan]
        answers: list[Answer] = self.plans[plan]["answers"]
        return answers


def plans_for(plain: str, secured: str, ports: dict[str, int], folder: Path) -> dict[str, Plan]:
    """All that the child does, by name."""
    plans: dict[str, Plan] = {
        path: {"url": plain, "steps": [f"GET {path}", "GET /normal"], "timeout_s": it.timeout_s}
        for path, it in EXPECTED.items()
    }
    plans |= {
        f"HEAD {path}": {"url": plain, "steps": [f"HEAD {path}", "GET /normal"]} for path in HEADS
    }
    plans |= {
        f"kept, then {path}": {"url": plain, "steps": ["GET /normal", f"GET {path}"]}
        for path in ("/close-first", "/reset-first", "/close-in-head")
    }
    trusts = {"ca_file": str(ca_file(folder / "right")), "timeout_s": SHORT_S, "connect_s": SHORT_S}
    for path in SECURED:
        limits = {"timeout_s": 20.0} if EXPECTED[path].cause != "RESPONSE_TIMEOUT" else {}
        plans[f"TLS {path}"] = (
            trusts | limits | {"url": secured, "steps": [f"GET {path}", "GET /normal"]}
        )
    for name, port in ports.items():
        scheme, _, host = name.partition(" ")
        plans[name] = trusts | {"url": f"{scheme}://{host.split()[0]}:{port}", "steps": ["GET /"]}
    unread = {"url": plain, "steps": [f"POST /unread {LARGE_BYTES}"], "timeout_s": SHORT_S}
    plans |= {
        "unread body": unread,
        "cut body": {"url": plain, "steps": ["GET /large", "GET /normal"], "keep_body_bytes": 1000},
        "large request": {"url": plain, "steps": [f"POST /normal {LARGE_BYTES}", "GET /normal"]},
        "one connection": {
            "url": plain,
            "steps": ["GET /dribble"] * 5,
            "together": True,
            "max_connections": 1,
        },
        "one connection, broken": {
            "url": plain,
            "steps": ["GET /close-first"] * 5,
            "together": True,
            "max_connections": 1,
        },
        "not kept": {"url": plain, "steps": ["GET /normal"] * 3, "keep_alive": False},
        "killed": {
            "url": plain,
            "steps": ["GET /silent"] * 3,
            "together": True,
            "kill_after_s": 0.2,
        },
        "localhost": {"url": plain.replace("127.0.0.1", "localhost"), "steps": ["GET /normal"]},
    }
    return plans


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All plans, run once."""
    folder = tmp_path_factory.mktemp("certificates")
    with ExitStack() as stack:
        servers = {"plain": stack.enter_context(hostile_server())}
        for name, options in CERTIFICATES.items():
            (folder / name).mkdir()
            context = server_tls(folder / name, **options)
            servers[name] = stack.enter_context(hostile_server(context))
        port = {name: int(server.url.rpartition(":")[2]) for name, server in servers.items()}
        ports = {
            "https 127.0.0.1 name": port["name"],
            "https 127.0.0.1 unknown": port["unknown"],
            "https 127.0.0.1 expired": port["expired"],
            "https 127.0.0.1 plain": port["plain"],
            "https 127.0.0.1 mute": stack.enter_context(mute_listener()),
            "http 127.0.0.1 mute": stack.enter_context(mute_listener()),
            "http 127.0.0.1 refused": stack.enter_context(refusing_port()),
            "http 127.0.0.1 full": stack.enter_context(full_listener()),
            "http nothing.invalid": 80,
        }
        plans = plans_for(servers["plain"].url, servers["right"].url, ports, folder)
        out = subprocess.run(
            [sys.executable, "-m", "tests.loadgen.wire_child"],
            input=json.dumps(plans),
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )
        assert out.returncode == 0, out.stderr
        assert not out.stderr
        seen = servers["plain"].seen + servers["right"].seen
        return Told(
            asked={name: plan["steps"] for name, plan in plans.items()},
            seen=seen,
            open_connections=sum(map(left_open, servers.values())),
            **json.loads(out.stdout),
        )


def left_open(server: HostileServer) -> int:
    """The connections that stay open; the server needs a moment to see that one was closed."""
    until = time.monotonic() + 5
    while server.open_connections() and time.monotonic() < until:
        time.sleep(0.005)
    return server.open_connections()


def test_every_script_of_the_server_is_expected_to_give_something() -> None:
    assert set(EXPECTED) == set(SCRIPTS)


@pytest.mark.parametrize("path", EXPECTED)
def test_a_request_has_the_one_answer_that_the_server_gave(told: Told, path: str) -> None:
    it = EXPECTED[path]
    answer = told.answers(path)[0]
    assert agrees(answer, it), short(answer)


@pytest.mark.parametrize("path", EXPECTED)
def test_the_next_request_is_answered_whatever_happened_before_it(told: Told, path: str) -> None:
    after = told.answers(path)[1]
    assert short(after) == FINE
    assert (after["connect_ns"] == 0) == EXPECTED[path].kept


@pytest.mark.parametrize("path", sorted(SCRIPTS))
def test_a_request_reaches_the_server_once(told: Told, path: str) -> None:
    reaching = [steps for name, steps in told.asked.items() if name not in NOT_HTTP]
    asked = sum(step.split()[1] == path for steps in reaching for step in steps)
    assert told.seen[path] == asked


def test_clocks_are_in_order(told: Told) -> None:
    for plan in EXPECTED:
        for answer in told.answers(plan):
            connected_ns = answer["connect_ns"] + answer["tls_ns"]
            assert 0 <= connected_ns <= answer["end_ns"]
            if answer["bytes_in"]:
                assert connected_ns <= answer["first_byte_ns"] <= answer["end_ns"]
            else:
                assert answer["first_byte_ns"] == 0 or answer["cause"] == "CLOSED_EARLY"


def test_all_bytes_are_counted_also_those_of_what_is_not_kept(told: Told) -> None:
    cut, after = told.answers("cut body")
    assert cut["body"] == "x" * 1000
    assert cut["bytes_in"] == LARGE_BYTES + len(cut["head"])
    assert short(after) == FINE


@pytest.mark.parametrize(
    ("path", "header"),
    [
        pytest.param("/normal", "content-type: application/json", id="short"),
        pytest.param("/huge-head", "x-huge: " + "h" * HUGE_HEADER_BYTES, id="huge"),
        pytest.param("/dribble", "content-length: 12", id="byte by byte"),
        pytest.param("/early-hints", "content-length: 12", id="not those of the hints"),
        pytest.param("/trailers", "transfer-encoding: chunked", id="not the trailers"),
    ],
)
def test_the_head_is_that_of_the_final_response(told: Told, path: str, header: str) -> None:
    lines = told.answers(path)[0]["head"].split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert header in lines
    assert not any(line.startswith(("link:", "x-sum:")) for line in lines)


@pytest.mark.parametrize("path", HEADS)
def test_a_response_to_head_has_no_body(told: Told, path: str) -> None:
    answer, after = told.answers(f"HEAD {path}")
    assert short(answer) == (EXPECTED[path].status, "NONE", b"")
    assert short(after) == FINE
    assert (after["connect_ns"] == 0) == EXPECTED[path].kept


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/close-first", "CLOSED_EARLY"),
        ("/reset-first", "RESET"),
        ("/close-in-head", "CLOSED_EARLY"),
    ],
)
def test_a_kept_connection_that_breaks_is_no_reason_to_send_again(
    told: Told, path: str, cause: str
) -> None:
    fine, cut = told.answers(f"kept, then {path}")
    assert short(fine) == FINE
    assert short(cut) == (0, cause, b"")
    assert cut["connect_ns"] == 0


@pytest.mark.parametrize("path", SECURED)
def test_tls_changes_nothing(told: Told, path: str) -> None:
    it = EXPECTED[path]
    answer, after = told.answers(f"TLS {path}")
    if path == "/until-dropped":
        # Without an end of TLS, nobody knows whether this is the end of the body.
        it = replace(it, cause="CLOSED_EARLY")
    if it.cause == "RESET" and answer["cause"] == "CLOSED_EARLY":
        # Some versions of the ssl module show a reset as an early end.
        it = replace(it, cause="CLOSED_EARLY")
    assert agrees(answer, it), short(answer)
    assert answer["tls_ns"] > 0
    assert short(after) == FINE
    assert (after["tls_ns"] == 0) == it.kept


@pytest.mark.parametrize(
    ("plan", "cause"),
    [
        pytest.param("https 127.0.0.1 name", "TLS", id="a certificate of another name"),
        pytest.param("https 127.0.0.1 unknown", "TLS", id="a certificate of an unknown authority"),
        pytest.param("https 127.0.0.1 expired", "TLS", id="a certificate that expired"),
        pytest.param("https 127.0.0.1 plain", "TLS", id="a server without TLS"),
        pytest.param("https 127.0.0.1 mute", "CONNECT_TIMEOUT", id="a handshake that hangs"),
        pytest.param("http 127.0.0.1 mute", "RESPONSE_TIMEOUT", id="a server that never reads"),
        pytest.param("http 127.0.0.1 refused", "REFUSED", id="a port that nobody listens on"),
        pytest.param("http 127.0.0.1 full", "CONNECT_TIMEOUT", id="a queue that is full"),
        pytest.param("http nothing.invalid", "DNS", id="a name that does not exist"),
    ],
)
def test_without_a_connection_there_is_an_answer_with_its_cause(
    told: Told, plan: str, cause: str
) -> None:
    (answer,) = told.answers(plan)
    assert short(answer) == (0, cause, b"")
    assert answer["bytes_in"] == 0


def test_a_body_that_the_server_does_not_read_ends_in_time(told: Told) -> None:
    assert short(told.answers("unread body")[0]) == (0, "RESPONSE_TIMEOUT", b"")


def test_a_large_request_is_sent_whole(told: Told) -> None:
    assert [short(one) for one in told.answers("large request")] == [FINE, FINE]


def test_who_finds_no_connection_waits_for_one(told: Told) -> None:
    assert [short(one) for one in told.answers("one connection")] == [FINE] * 5
    assert told.plans["one connection"]["opened"] == 1


def test_a_broken_connection_gives_its_place_to_the_next(told: Told) -> None:
    answers = told.answers("one connection, broken")
    assert [one["cause"] for one in answers] == ["CLOSED_EARLY"] * 5
    assert told.plans["one connection, broken"]["opened"] == 5


def test_connections_are_not_kept_where_that_is_not_wanted(told: Told) -> None:
    answers = told.answers("not kept")
    assert [short(one) for one in answers] == [FINE] * 3
    assert all(one["connect_ns"] > 0 for one in answers)
    assert told.plans["not kept"]["kept"] == 0


def test_the_next_address_of_a_name_is_tried(told: Told) -> None:
    assert short(told.answers("localhost")[0]) == FINE


def test_a_request_that_is_given_up_takes_its_connection_with_it(told: Told) -> None:
    assert told.answers("killed") == []
    assert told.plans["killed"]["kept"] == 0


def test_nothing_is_left_open(told: Told) -> None:
    assert {name: plan["left"] for name, plan in told.plans.items() if plan["left"]} == {}
    assert told.descriptors == 0
    assert told.open_connections == 0
