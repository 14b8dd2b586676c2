"""What is said on a terminal: the state of a run and its answer, within 80 columns."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console as RichConsole
from rich.table import Table

from core.console import Console
from core.errors import ExitCode
from loadgen.live import live_line, live_table, live_view
from loadgen.messages import Failure
from loadgen.now import Now, now_of
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.result import Stop
from loadgen.threshold_words import measured_words, state_word
from loadgen.thresholds import rules_of
from loadgen.view import show_document
from reports.load_document import LoadDocument, ThresholdResult
from tests.loadgen.made_runs import Made, Seen, profile_of, tally_of
from tests.loadgen.test_result import (
    BY_LOG,
    BY_WIRE,
    GUARD,
    HOLD,
    KILLED,
    LATE,
    SPIKE,
    WARM,
    document_of,
    mixed,
)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    caught = capsys.readouterr()
    return (caught.out + caught.err).replace("\N{NO-BREAK SPACE}", " ")


def rendered(table: Table) -> str:
    text = io.StringIO()
    RichConsole(file=text, width=80).print(table)
    lines = text.getvalue().replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert all(len(line) <= 80 for line in lines)
    return " ".join(" ".join(lines).split())


def cells(text: str, first: str) -> list[str]:
    """The cells of the row of a table that begins with `first`."""
    [row] = [line for line in text.splitlines() if line.startswith(first + " ")]
    return row.removeprefix(first).split()


# -- while it goes on -----------------------------------------------------------------------------

FAILS = ThresholdResult(
    that="rate(ok) > 99%", scope="phase hold", value=0.5, limit=0.99, unit="share", ok=False
)
HOLDS = FAILS.model_copy(update={"ok": True, "value": 1.0})
NOW = Now(
    elapsed_s=12.3,
    total_s=90.0,
    phase="hold",
    planned="300 requests/s",
    offered_rps=301,
    admitted_rps=250,
    throttled_rps=51,
    failed_rps=2,
    completed=3210,
    throttled_by_cause=(("stage", 400), ("quota", 12)),
    p50_ms=20.0,
    p95_ms=123.0,
    p99_ms=None,
    in_flight=17,
    users=0,
    dropped=3,
    start_lag_p99_ms=0.16,
    cpu_shares=(0.31, 0.07),
    thresholds=(FAILS, HOLDS),
)


def test_the_live_table_shows_how_the_run_stands() -> None:
    text = rendered(live_table(NOW))
    for words in (
        "12 s of 1 min 30 s hold: 300 requests/s",
        "301 offered, 250 admitted, 51 throttled, 2 failed",
        "response p50 20.0 ms, p95 123 ms, p99 -",
        "3,210 completed, 17 in flight, 3 dropped",
        "throttled by stage throttle 400, quota 12",
        "start lag p99 160 µs, CPU 31 %, 7.0 %",
        "does not hold rate(ok) > 99% (phase hold): 50 %",
        "holds rate(ok) > 99% (phase hold): 100 %",
    ):
        assert words in text


def test_a_line_says_the_same_shortly() -> None:
    assert live_line(NOW).replace("\N{NO-BREAK SPACE}", " ") == (
        "12 s of 1 min 30 s, hold: 301 offered, 250 admitted, 51 throttled, 2 failed a second; "
        "p95 123 ms, 17 in flight, 3 dropped; does not hold: rate(ok) > 99% (phase hold)"
    )
    quiet = replace(NOW, dropped=0, thresholds=(HOLDS,))
    assert live_line(quiet).endswith("17 in flight")


def test_the_figures_of_the_moment_come_from_the_books() -> None:
    profile = profile_of(
        {"name": "hold", "duration": "20s", "rate": 10.0}, thresholds=["rate(throttled) < 1%"]
    )
    seen = [Seen(second, ms=100 if second > 1 else 900) for second in range(15)]
    tally = tally_of(profile, Made([*seen, Seen(11, 5, ms=5, kind=BY_WIRE)]))
    rules = rules_of(profile.thresholds, tally.phases, tally.steps)
    now = now_of(tally, rules, 14.5, 20.0)
    assert (now.offered_rps, now.admitted_rps, now.throttled_rps, now.failed_rps) == (15, 10, 5, 0)
    assert now.p99_ms == pytest.approx(100, rel=2e-3)  # the slow ones are over
    assert now.throttled_by_cause == (("throttle", 5),)
    assert (now.phase, now.completed, now.cpu_shares) == ("hold", 155, (0.3,))
    assert now.thresholds[0].ok is False
    assert now_of(tally, rules, 23.0, 20.0).phase == "drain"


@pytest.mark.parametrize(
    ("now_s", "phase", "offered"),
    [(2.0, "warm", 10), (4.5, "warm", 10), (5.0, "hold", 40), (8.9, "hold", 40), (9.0, "drain", 0)],
)
def test_the_phase_of_the_moment_is_that_of_its_rates(
    now_s: float, phase: str, offered: int
) -> None:
    profile = profile_of(WARM, HOLD)
    seen = [Seen(second, 10 if second < 2 else 40, phase=int(second >= 2)) for second in range(6)]
    now = now_of(tally_of(profile, Made(seen)), (), now_s, 6.0)
    assert (now.phase, now.offered_rps) == (phase, offered)
    assert now.planned == ("requests in flight end" if phase == "drain" else "10 requests/s")


def test_a_burst_at_the_end_is_no_drain() -> None:
    tally = tally_of(profile_of(HOLD, SPIKE), Made([Seen(0), Seen(4, 20, phase=1)]))
    assert [now_of(tally, (), now_s, 4.0).phase for now_s in (6.1, 7.1, 8.1)] == [
        "hold",
        "spike",
        "drain",
    ]


def test_before_anything_is_known_there_are_no_figures() -> None:
    profile = profile_of(HOLD, thresholds=["rate(ok) > 1%"])
    tally = tally_of(profile, Made([], seconds=0))
    rules = rules_of(profile.thresholds, tally.phases, tally.steps)
    text = rendered(live_table(now_of(tally, rules, 0.0, 4.0)))
    assert "response p50 -, p95 -, p99 -" in text
    assert "not judged rate(ok) > 1%: not yet" in text


@pytest.mark.parametrize(
    ("total_s", "verbosity", "lines"),
    [(20, 0, 4), (200, 0, 10), (20, -1, 0)],
    ids=["every 5 seconds", "each tenth of a long run", "quiet"],
)
def test_where_nobody_watches_there_is_a_line_now_and_then(
    total_s: int, verbosity: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = profile_of({"name": "hold", "duration": f"{total_s}s", "rate": 10.0})
    tally = tally_of(profile, Made([Seen(0)]))
    with live_view(Console(verbosity=verbosity), (), float(total_s)) as update:
        for second in range(1, total_s + 1):
            update(tally, second + 0.02)
    text = said(capsys)
    assert len(text.splitlines()) == lines
    assert "\x1b" not in text


# -- after ----------------------------------------------------------------------------------------


def shown(document: LoadDocument, capsys: pytest.CaptureFixture[str]) -> str:
    show_document(Console(), document)
    text = said(capsys)
    assert "\x1b" not in text
    return text


def test_the_answer_has_steps_causes_phases_and_thresholds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    profile, tally = mixed()
    thresholds = ("p95(response) < 300ms", "rate(throttled) < 1%", "p95(connect) < 1s")
    document = document_of(profile.model_copy(update={"thresholds": thresholds}), tally)
    text = shown(document, capsys)
    assert cells(text, "browse items") == [
        "39", "30", "9", "0", "200", "200", "200", "200",
    ]  # fmt: skip
    assert cells(text, "POST /orders") == ["7", "6", "0", "1", "100", "100", "100", "100"]
    assert cells(text, "all")[:4] == ["46", "36", "9", "1"]
    assert cells(text, "throttled: stage throttle")[:3] == ["6", "13", "%"]
    assert "the access log says (4)" in text
    assert cells(text, "hold  ")[2:] == ["7.75", "4.25", "2.25", "1", "100"]
    assert cells(text, "p95(response) < 300ms")[-2:] == ["ms", "holds"]
    assert "does not hold" in text
    assert "no connection was made  not judged" in text
    assert text.index("browse items") < text.index("p95(response)")


def test_times_are_those_of_ok_responses_where_many_were_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    profile = profile_of(HOLD)
    refused = [Seen(0, 98, ms=50), Seen(1, 100, ms=2, kind=BY_WIRE)]
    text = shown(document_of(profile, tally_of(profile, Made(refused))), capsys)
    assert cells(text, "browse items") == ["198", "98", "100", "0", "50.0", "50.0", "50.0", "50.0"]
    assert "times: ms, from when a request was due; ok: of those that were ok" in text

    well = [Seen(0, 99, ms=50), Seen(1, 1, ms=2, kind=BY_WIRE)]
    text = shown(document_of(profile, tally_of(profile, Made(well))), capsys)
    assert "times: ms, of all completed requests; response counts from" in text


def test_a_table_is_never_wider_than_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    name = "GET /a/very/long/path/that/nobody/would/ever/write/{but}/{somebody}/{does}"
    profile = profile_of(
        {"name": "a phase with quite a long name as well", "duration": "4s", "rate": 10.0},
        HOLD,
        scenarios=[{"name": "s", "flow": [{"get": "/x", "name": name}]}],
        thresholds=[
            {"that": "rate(connection_error:no_connection) < 0.0001%", "step": name, "window": "2s"}
        ],
    )
    seen = [Seen(0, 1_000_000, ms=123_456), Seen(1, 1_000_000, kind=BY_LOG), Seen(2, 9, kind=LATE)]
    text = shown(document_of(profile, tally_of(profile, Made(seen))), capsys)
    start = text.index("\n\n")
    end = text.index("\ntimes:")
    assert max(len(line) for line in text[start:end].splitlines()) <= 80


@pytest.mark.parametrize(
    ("changed", "first", "said_before"),
    [
        ({"ends": KILLED}, "Invalid measurement: ", "Injector 0 ended early"),
        ({"stop": GUARD}, "Stopped by a guard: ", "guards.max_requests is 100"),
        ({"stop": Stop("signal", "", 3.0, ExitCode.TERMINATED)}, "Interrupted: ", "Stopped 3.0 s"),
        ({"errors": ["the token could not be fetched"]}, "Error: ", "The token could not be"),
    ],
    ids=["invalid", "refused", "interrupted", "error"],
)
def test_what_is_wrong_stands_before_the_tables(
    changed: dict[str, Any], first: str, said_before: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(document_of(*mixed(), **changed), capsys)
    assert text.startswith(first)
    assert text.index(said_before) < text.index("browse items")


def test_nothing_sent_has_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    profile = profile_of(HOLD)
    text = shown(document_of(profile, tally_of(profile, Made([], seconds=1))), capsys)
    assert "─" not in text
    assert "generator:" in text


def test_the_generator_and_its_losses_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(document_of(*mixed(), notes=["from the sandbox"]), capsys)
    assert "generator: start lag p99 100 µs, CPU at most 30 % of a core, 3 dropped, 2 cut" in text
    assert "note: from the sandbox" in text
    assert "cost: $0\n  local\n" in text


def test_failed_checks_are_shown_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    profile = profile_of(HOLD)
    reasons = [Failure(0, 0, "checks.json.$[0].name: expected Lamp, got Chair", 1200)]
    reasons += [Failure(0, 1, f"capture id{n}: nothing found", 2) for n in range(11)]
    check = Kind(Outcome.CHECK_FAILED)
    tally = tally_of(profile, Made([Seen(0, 1222, kind=check)], failures=reasons))
    text = shown(document_of(profile, tally), capsys)
    words = " ".join(text.split())
    assert "browse items checks.json.$[0].name: expected Lamp, got Chair 1,200 POST" in words
    assert "failed checks 1,222 100 % failed checks of" in words, "nobody claims a cause"
    assert text.count("nothing found") == 9
    assert "2 more reasons, in the result" in text
    assert "failed checks of" not in shown(document_of(*mixed()), capsys)


def test_status_codes_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    statuses = {"200": 1893, "429": 820, "no response": 68}
    text = shown(document_of(*mixed(), statuses=statuses), capsys)
    assert "\nstatus codes: 200 x 1,893, 429 x 820, no response x 68\n" in text
    assert "status codes" not in shown(document_of(*mixed()), capsys)


def test_with_json_the_answer_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show_document(Console(json_output=True), document_of(*mixed()))
    caught = capsys.readouterr()
    assert caught.out == ""
    assert "browse items" in caught.err


@pytest.mark.parametrize(
    ("unit", "value", "limit", "words"),
    [
        ("ms", 412.4, 300, "412 ms"),
        ("share", 0.0, 0.01, "0 %"),
        ("share", 0.05, 0.01, "5.0 %"),
        ("share", 0.0007, 0.0005, "0.070 %"),
        ("share", 0.01001, 0.01, "1.001 %"),
        ("rps", 49.96, 50, "50.0/s"),
        ("count", 12345.0, 0, "12,345"),
        ("ms", None, 300, "no request completed"),
    ],
)
def test_a_measured_value_can_be_told_from_its_limit(
    unit: Any, value: float | None, limit: float, words: str
) -> None:
    result = ThresholdResult(
        that="x", scope="the run", value=value, limit=limit, unit=unit, ok=None,
        detail="no request completed",
    )  # fmt: skip
    assert measured_words(result).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"ok": True}, "holds"),
        ({"ok": False}, "does not hold"),
        ({"ok": None}, "not judged"),
        ({"ok": None, "detail": "not yet"}, "not yet"),
        ({"ok": None, "detail": "not yet", "value": None}, "not judged"),
        ({"ok": False, "aborted": True}, "ended the run"),
    ],
)
def test_a_state_is_a_word(changed: dict[str, Any], word: str) -> None:
    assert state_word(FAILS.model_copy(update=changed)) == word


def test_every_kind_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    profile = profile_of(HOLD)
    seen = [
        Seen(0, 1, kind=Kind(outcome, cause, evidence))
        for outcome in Outcome
        for cause in Cause
        for evidence in Evidence
        if outcome is not Outcome.OK
    ]
    text = shown(document_of(profile, tally_of(profile, Made(seen))), capsys)
    assert "throttled: Lambda concurrency" in text
