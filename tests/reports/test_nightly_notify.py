"""People are told of a night when its state changes, and of nothing else, and no secret leaks."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core.console import Console
from reports.history.record import AlarmState, NightRecord
from reports.nightly.document import NightGate, NightlyDocument, NightVerdict
from reports.nightly.message import slack_body, webhook_body
from reports.nightly.notify import Told, tell
from reports.nightly.plan import NightlyPlan, TuneStep, Webhook
from reports.nightly.post import Answer, NotPosted, http_post
from reports.nightly.state_change import alarm_words, failed_budgets, state_changes
from tests.reports.nightly_documents import hostile_night, night_document

PASS = night_document("pass", series=1)
FAILED = night_document("failed", series=1)
INVALID = night_document("invalid", series=1)
NEW = night_document("first night", series=1)
SECRET = "T0KEN-of-the-hook"


def record(
    document: NightlyDocument, state: AlarmState | None = None, failed: list[str] | None = None
) -> NightRecord:
    """The night before, as it was like `document`."""
    alarms = [alarm.model_copy(update={"state": state or alarm.state}) for alarm in document.alarms]
    return NightRecord(
        night_id="before", sequence=document.sequence - 1, night="2026-11-26", plan="shop",
        started_utc="", finished_utc="", verdict=document.verdict, exit_code=document.exit_code,
        alarms=alarms, failed=failed_budgets(document) if failed is None else failed,
    )  # fmt: skip


def like(document: NightlyDocument, verdict: NightVerdict) -> NightlyDocument:
    return document.model_copy(update={"verdict": verdict})


def with_budget(document: NightlyDocument) -> NightlyDocument:
    gate = NightGate(
        step="orders", scope="the run", metric="errors", kind="budget", text="errors < 1 %",
        status="failed", message="measured 2 %, limit 1 %",
    )  # fmt: skip
    return document.model_copy(update={"gates": [*document.gates, gate]})


# -- what is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "previous", "told"),
    [
        pytest.param(PASS, record(PASS), False, id="pass again"),
        pytest.param(FAILED, record(PASS), True, id="pass, then failed"),
        pytest.param(FAILED, record(FAILED), False, id="the same alarm on a later night"),
        pytest.param(PASS, record(FAILED), True, id="failed, then pass"),
        pytest.param(INVALID, record(PASS), True, id="first invalid night"),
        pytest.param(INVALID, record(INVALID), False, id="second invalid night"),
        pytest.param(like(PASS, "inconclusive"), record(PASS), True, id="inconclusive begins"),
        pytest.param(NEW, record(NEW), False, id="inconclusive goes on"),
        pytest.param(PASS, record(NEW), True, id="there is a baseline now"),
        pytest.param(NEW, None, False, id="first night"),
        pytest.param(PASS, None, False, id="a history that is gone"),
        pytest.param(INVALID, None, True, id="first night, invalid"),
        pytest.param(FAILED, record(FAILED, "muted"), True, id="mute ended"),
        pytest.param(FAILED, record(FAILED, "suspect"), True, id="suspect is confirmed"),
        pytest.param(like(FAILED, "interrupted"), record(PASS), False, id="interrupted"),
        pytest.param(PASS, record(like(PASS, "interrupted")), False, id="after an interruption"),
        pytest.param(night_document("suspect", series=1), record(PASS), False, id="only suspected"),
        pytest.param(with_budget(FAILED), record(FAILED), True, id="a budget fails as well"),
        pytest.param(with_budget(FAILED), record(with_budget(FAILED)), False, id="it fails again"),
        pytest.param(
            with_budget(FAILED),
            record(FAILED).model_copy(update={"failed": None}),
            False,
            id="budgets of the night before are not known",
        ),
    ],
)
def test_only_changes_are_told(
    document: NightlyDocument, previous: NightRecord | None, *, told: bool
) -> None:
    assert bool(state_changes(document, previous)) == told


def test_an_alarm_is_told_in_a_sentence() -> None:
    [verdict, alarm] = state_changes(FAILED, record(PASS))

    assert verdict == "Verdict: failed; the night before: pass."
    assert alarm.startswith("p95 of GET /search in orders: +8.5 % (interval 4.3 to 13 %)")
    assert alarm.endswith("since 2026-11-25; confirmed: 2 reruns")


def test_what_is_no_longer_muted_says_so() -> None:
    muted = record(FAILED, "muted")

    assert state_changes(FAILED, muted) == [
        f"{alarm_words(FAILED.alarms[0])}; it is no longer muted"
    ]


# -- messages -------------------------------------------------------------------------------------


def test_the_webhook_gets_verdict_alarms_and_link() -> None:
    found = json.loads(webhook_body(FAILED, ["changed"], "https://ci.example/1"))

    assert found["schema_version"] == 1
    assert (found["verdict"], found["exit_code"], found["plan"]) == ("failed", 3, "shop")
    assert found["changes"] == ["changed"]
    assert found["report_url"] == "https://ci.example/1"
    assert [alarm["alarm_id"] for alarm in found["alarms"]] == [FAILED.alarms[0].alarm_id]


def test_a_night_of_many_changes_stays_a_small_message() -> None:
    many = FAILED.model_copy(update={"alarms": FAILED.alarms * 500})
    changes = state_changes(many, record(PASS))
    body = webhook_body(many, changes, None)
    found = json.loads(body)

    assert len(body) < 30_000
    assert (len(found["alarms"]), found["alarms_left_out"]) == (20, 480)
    assert (len(found["changes"]), found["changes_left_out"]) == (20, 481)


def test_slack_gets_a_verdict_five_lines_and_a_link() -> None:
    changes = [f"change {number}" for number in range(9)]
    found = json.loads(slack_body(FAILED, changes, "https://ci.example/1"))
    texts = [block["text"]["text"] for block in found["blocks"]]

    assert "*shop, night of 2026-11-27: failed*" in texts[0]
    assert texts[1].split("\n") == [
        "- change 0", "- change 1", "- change 2", "- change 3", "- and 5 more",
    ]  # fmt: skip
    assert texts[2] == "<https://ci.example/1|The report>"


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)"])
def test_without_an_address_of_the_report_there_is_no_link(url: str | None) -> None:
    assert b"|The report>" not in slack_body(FAILED, ["x"], url)


def test_names_cannot_command_slack() -> None:
    mention = "<!channel> & <https://evil.example|here> " + "&" * 9_000
    found = json.loads(slack_body(hostile_night(), [mention] * 9, "https://a.example/<b>|c"))

    for block in found["blocks"]:
        text = block["text"]["text"]
        assert len(text) <= 3_000
        assert "<!channel>" not in text
        assert "<script>" not in text
    assert found["blocks"][-1]["text"]["text"] == "<https://a.example/%3Cb%3E%7Cc|The report>"


# -- over HTTP ------------------------------------------------------------------------------------


class Hook:
    """A real server on 127.0.0.1 that answers with the statuses it is given."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.requests.append((self.path, dict(self.headers), body))
                status, headers, answer = hook.answers.pop(0) if hook.answers else (200, {}, b"ok")
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.host}/services/{SECRET}"
        self._thread = threading.Thread(
            target=partial(self.server.serve_forever, poll_interval=0.01)
        )
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def _server() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def hook(_server: Hook, monkeypatch: pytest.MonkeyPatch) -> Hook:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    _server.requests, _server.answers = [], []
    return _server


def plan(url: str, kind: str = "webhook") -> NightlyPlan:
    return NightlyPlan(
        name="shop",
        steps=(TuneStep(name="thumbnail", function="thumbnail"),),
        notify=(Webhook(kind=kind, url=url),),  # type: ignore[arg-type]
        report_url="https://ci.example/1",
    )


def told(url: str, kind: str = "webhook", pauses: list[float] | None = None) -> list[str]:
    sleep = (pauses if pauses is not None else []).append
    found = tell(FAILED, [record(PASS)], plan(url, kind), console=Console(), sleep=sleep)
    assert len(found.untold) == len(found.notes)
    return list(found.notes)


@pytest.mark.parametrize("kind", ["webhook", "slack"])
def test_a_change_is_posted_as_json(hook: Hook, kind: str) -> None:
    assert told(hook.url, kind) == []

    [(path, headers, body)] = hook.requests
    assert path == f"/services/{SECRET}"
    assert headers["Content-Type"] == "application/json"
    assert ("blocks" in json.loads(body)) == (kind == "slack")


def test_without_a_change_nothing_is_posted(hook: Hook) -> None:
    assert tell(PASS, [record(PASS)], plan(hook.url), console=Console()) == Told([], [])
    assert hook.requests == []


@pytest.mark.parametrize(
    ("tonight", "before", "missed", "changes"),
    [
        pytest.param(
            FAILED, [PASS, FAILED, FAILED], [1, 2], ["Verdict: failed; last told, of", "p95 of"],
            id="an alarm of nights that nobody heard of",
        ),
        pytest.param(FAILED, [PASS, FAILED, FAILED], [1], [], id="told a night later"),
        pytest.param(PASS, [PASS, FAILED], [1], [], id="it is again as is known"),
        pytest.param(
            PASS, [PASS, FAILED, PASS], [2],
            ["Verdict: pass; last told, of"],
            id="that it passes again",
        ),
        pytest.param(FAILED, [FAILED], [0], ["Verdict: failed.", "p95 of"], id="never told"),
    ],
)  # fmt: skip
def test_what_a_place_missed_is_told_by_a_later_night(
    hook: Hook,
    tonight: NightlyDocument,
    before: list[NightlyDocument],
    missed: list[int],
    changes: list[str],
) -> None:
    nights = [
        record(night).model_copy(update={"untold": ["notify[0] (webhook)"] * (number in missed)})
        for number, night in enumerate(before)
    ]

    tell(tonight, nights, plan(hook.url), console=Console())

    found = [json.loads(body)["changes"] for _, _, body in hook.requests]
    expected = [changes] if changes else []
    assert [[line[: len(start)] for line, start in zip(*each, strict=True)] for each in zip(
        found, expected, strict=True
    )] == expected  # fmt: skip


def test_who_was_told_is_not_told_again_because_another_was_not(hook: Hook) -> None:
    two = plan(hook.url).model_copy(
        update={"notify": (Webhook(kind="slack", url=""), Webhook(kind="webhook", url=hook.url))}
    )
    untold = tell(FAILED, [record(PASS)], two, console=Console()).untold
    last = record(FAILED).model_copy(update={"untold": untold})

    again = tell(FAILED, [record(PASS), last], two, console=Console())

    assert again.untold == untold == ["notify[0] (slack)"]
    assert len(hook.requests) == 1


@pytest.mark.parametrize(
    ("answers", "requests", "pauses", "note"),
    [
        pytest.param([(500, {}, b"")], 2, [2.0], None, id="500, then well"),
        pytest.param([(429, {"Retry-After": "3"}, b"")], 2, [3.0], None, id="429 says when"),
        pytest.param(
            [(429, {"Retry-After": "600"}, b"")], 1, [], "it answered 429", id="429 for too long"
        ),
        pytest.param(
            [(503, {}, b""), (502, {}, b"")], 2, [2.0], "it answered 502", id="twice not well"
        ),
        pytest.param(
            [(404, {}, b"no_service")], 1, [], "it answered 404 (no_service)", id="404"
        ),
        pytest.param(
            [(403, {}, SECRET.encode())], 1, [], "it answered 403", id="it repeats the secret"
        ),
        pytest.param(
            [(302, {"Location": "/other"}, b"")], 1, [],
            "it was redirected to something that is no POST", id="302",
        ),
        pytest.param([(308, {"Location": "/other"}, b"")], 2, [], None, id="308 to the same host"),
        pytest.param(
            [(307, {"Location": "http://localhost:1/"}, b"")], 1, [],
            "it was redirected to another host", id="307 to another host",
        ),
        pytest.param(
            [(307, {"Location": "/"}, b"")] * 9, 4, [], "it was redirected too often", id="loop"
        ),
    ],
)  # fmt: skip
def test_what_a_service_may_answer(
    hook: Hook,
    answers: list[tuple[int, dict[str, str], bytes]],
    requests: int,
    pauses: list[float],
    note: str | None,
) -> None:
    hook.answers = list(answers)
    paused: list[float] = []

    notes = told(hook.url, pauses=paused)

    assert len(hook.requests) == requests
    assert paused == pauses
    expected = f"notify[0] (webhook): could not tell of the night: {note}"
    assert notes == ([expected] if note else [])


@pytest.mark.parametrize(
    ("url", "note"),
    [
        ("", "it has no address"),
        (f"ftp://host/{SECRET}", "its address is neither https nor http"),
        (f"/{SECRET}", "its address is neither https nor http"),
        (f"http://127.0.0.1:x/{SECRET}", "its address is no URL"),
        (f"http://\x00/{SECRET}", "its address is no URL"),
    ],
)
def test_an_address_that_is_none(url: str, note: str) -> None:
    [told_note] = told(url)

    assert told_note.endswith(note)


def test_where_nobody_listens_it_is_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pauses: list[float] = []

    [note] = told(f"http://127.0.0.1:{port}/{SECRET}", pauses=pauses)

    assert note.endswith("no connection")
    assert pauses == [2.0]


def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(NotPosted, match="no answer in time") as failure:
            http_post(url, b"{}", timeout_s=0.05)

    # It may have arrived: a second one would be read twice.
    assert not failure.value.again


@pytest.mark.parametrize("status", [200, 404])
def test_the_address_is_in_no_log(
    hook: Hook, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    hook.answers = [(status, {}, b"")]
    caplog.set_level(logging.DEBUG)
    console = Console(verbosity=1)

    told = tell(FAILED, [record(PASS)], plan(hook.url), console=console)

    assert SECRET not in caplog.text
    assert SECRET not in "".join([*told.notes, *told.untold, *capsys.readouterr()])
    assert not logging.getLogger("httpx").disabled


def test_one_place_that_is_gone_does_not_keep_another_from_being_told() -> None:
    posted: list[str] = []

    def post(url: str, body: bytes) -> Answer:
        posted.append(url)
        return Answer(404 if url == "first" else 200)

    both = plan("first").model_copy(
        update={"notify": tuple(Webhook(kind="slack", url=url) for url in ("first", "second"))}
    )
    told = tell(FAILED, [], both, console=Console(), post=post)

    assert posted == ["first", "second"]
    assert told.notes == ["notify[0] (slack): could not tell of the night: it answered 404"]
    assert told.untold == ["notify[0] (slack)"]
