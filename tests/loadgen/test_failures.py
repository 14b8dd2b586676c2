"""Reasons of failed checks: what they say, how many there are, and what they never show."""

from __future__ import annotations

import pytest

from loadgen.failures import MOST_REASONS, OTHER_REASONS, FailureLog, Reason
from loadgen.messages import Failure
from loadgen.redact import Secrets
from tests.loadgen.flow_rig import session

KEY = "the-api-key-8f3Lq"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def text(reason: Reason, *secrets: str, **of_session: object) -> str:
    log = FailureLog(Secrets(secrets))
    log.add(0, 0, reason, session(**of_session) if of_session else None)  # type: ignore[arg-type]
    [failure] = log.take()
    return failure.reason


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason("checks.json.$.a", "Lamp", "Chair"), "checks.json.$.a: expected Lamp, got Chair"),
        (Reason("capture id", None, "nothing found"), "capture id: nothing found"),
        (Reason("checks.json.a", "x", ""), "checks.json.a: expected x, got an empty text"),
        (
            Reason("checks.json.a", "e" * 100, "g" * 200),
            f"checks.json.a: expected {'e' * 31}…, got {'g' * 55}…",
        ),
        (Reason("c" * 200, "e", "g"), "c" * 119 + "…"),
        (Reason("c", "a\nb\tc", "\x1b[31mred"), "c: expected a b c, got [31mred"),
        (Reason("c", "x", "\0\1\2"), "c: expected x, got <binary, 3 bytes>"),
        (Reason("c", "x", "\ud800"), "c: expected x, got ?"),
    ],
)
def test_a_reason_is_one_short_line(reason: Reason, said: str) -> None:
    assert text(reason) == said
    assert len(said) <= 120


@pytest.mark.parametrize(
    "got",
    [KEY, f"denied for {KEY}!", f'{{"key": "{KEY}"}}', "x" * 50 + KEY, "x" * 4_085 + KEY],
    ids=["alone", "within", "JSON", "at the cut", "at the end of what is looked at"],
)
def test_a_secret_that_a_server_echoes_is_not_shown(got: str) -> None:
    said = text(Reason("checks.json.a", got, got), KEY)
    assert KEY[:6] not in said


@pytest.mark.parametrize(
    ("got", "left"),
    [
        (JWT, "c: <hidden>"),
        (f"Bearer {JWT}", "c: Bearer <hidden>"),
        ('{"access_token": "abc123"}', 'c: {"access_token": "<hidden>"}'),
        ("a=1&password=letmein", "c: a=1&password=<hidden>"),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(got: str, left: str) -> None:
    assert text(Reason("c", None, got)) == left


def test_what_a_flow_captured_and_its_passwords_are_not_shown() -> None:
    reason = Reason("c", None, "captured-9 hunter2 7 Lamp")
    said = text(
        reason,
        captured={"session": "captured-9", "n": 7},
        rows={"users": {"password": "hunter2", "item": "Lamp"}},
    )
    assert said == "c: <hidden> <hidden> 7 Lamp"


def test_failures_are_counted_by_phase_step_and_reason() -> None:
    log = FailureLog(Secrets())
    one, other = Reason("c", "1", "2"), Reason("c", "1", "3")
    for phase, step, reason in [(0, 0, one), (0, 0, one), (1, 0, one), (0, 1, one), (0, 0, other)]:
        log.add(phase, step, reason)
    assert log.take() == [
        Failure(0, 0, "c: expected 1, got 2", 2),
        Failure(1, 0, "c: expected 1, got 2", 1),
        Failure(0, 1, "c: expected 1, got 2", 1),
        Failure(0, 0, "c: expected 1, got 3", 1),
    ]
    assert log.take() == []
    log.add(0, 0, one)
    assert log.take() == [Failure(0, 0, "c: expected 1, got 2", 1)]


def test_however_many_reasons_there_are_few_are_kept() -> None:
    log = FailureLog(Secrets())
    for number in range(1_000):
        log.add(0, 0, Reason("c", None, f"number {number}"))
    log.add(0, 1, Reason("c", None, "of another step"))
    counts = {(one.step, one.reason): one.count for one in log.take()}
    assert len(counts) == MOST_REASONS + 2
    assert counts[0, f"c: {OTHER_REASONS}"] == 1_000 - MOST_REASONS
    assert counts[1, "c: of another step"] == 1
    log.add(0, 0, Reason("c", None, "number 0"))
    assert log.take()[0].reason == "c: number 0", "those that were first are still known"
