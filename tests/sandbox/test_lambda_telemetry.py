"""What invocations leave behind: metrics by the minute, and log events."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import lambda_rig as rig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api_errors import ApiError
from sandbox.execution.contract import InvokeResult, Report
from sandbox.lambda_api import invocations, telemetry
from sandbox.lambda_api.names import FunctionReference
from sandbox.lambda_api.records import Alias
from sandbox.lambda_api.telemetry import LambdaMetrics, log_events

F = FunctionReference("f")
NOON_S = 1_767_607_200.0
REPORT = Report(1.0, 1, 1, None, "success")
RESULT = InvokeResult(b"null", None, b"", REPORT)


def held(duration_ms: float, **more: object) -> dict[str, object]:
    return {"duration_ms": {"128": duration_ms}, "init_ms": 0, "hold": True, **more}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that invocations begin at, in its first element."""
    now_s = [NOON_S]
    monkeypatch.setattr(invocations.time, "time", lambda: now_s[0])
    return now_s


def recorded(work: Any, *functions: Any, **more: Any) -> rig.Recorder:
    """What `work` leaves behind; refusals are part of it."""
    metrics, recorder = LambdaMetrics(), rig.Recorder()

    async def calls(service: Any, context: Any) -> None:
        await work(service.invoker.call, context)

    rig.run(calls, *functions, metrics=metrics, log_sink=recorder, **more)
    metrics.drain(recorder)
    return recorder


async def refused(call: Any, *arguments: Any, **more: Any) -> None:
    with pytest.raises(ApiError):
        await call(*arguments, **more)


def test_each_invocation_counts_for_account_function_and_resource(clock: list[float]) -> None:
    async def work(call: Any, context: Any) -> None:
        for number in range(3):
            await call(F, b"{}", f"id-{number}")
        await call(FunctionReference("f", "1"), b"{}", "id")
        await call(FunctionReference("g"), b"{}", "id")

    function = rig.function(versions={"1": rig.version("1")})
    seen = recorded(work, function, rig.function("g"))
    counts = {
        values: sum(seen.of("Invocations", *values).values())
        for values in ((), ("f",), ("f", "f"), ("f", "f:1"), ("g",), ("g", "g"), ("f", "f:live"))
    }
    assert list(counts.values()) == [5, 4, 3, 1, 1, 1, 0]
    assert seen.of("Errors") == {0: 5}
    assert seen.of("Throttles") == {0: 5}
    assert seen.of("Duration") == {1.0: 5}
    assert seen.units["Duration"] == "Milliseconds"
    assert seen.units["Invocations"] == seen.units["ConcurrentExecutions"] == "Count"
    assert seen.minutes == {int(NOON_S)}


def test_durations_are_without_init_and_in_milliseconds() -> None:
    async def work(call: Any, context: Any) -> None:
        await call(F, b"{}", "id")

    model = {"duration_ms": {"128": 12.34}, "init_ms": 500}
    assert recorded(work, rig.function(model=model)).of("Duration", "f") == {12.34: 1}


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        pytest.param({**rig.QUICK, "failure": "error"}, {}, id="an exception"),
        pytest.param({**rig.QUICK, "failure": "oom"}, {}, id="out of memory"),
        pytest.param({"duration_ms": {"128": 4000}}, {"timeout_s": 3}, id="a timeout"),
    ],
)
def test_failures_are_errors_and_invocations(model: Any, changes: Any) -> None:
    async def work(call: Any, context: Any) -> None:
        await call(F, b"{}", "id")

    latest = rig.version(model=model, **changes)
    seen = recorded(work, rig.function(latest=latest, running=latest))
    assert seen.of("Invocations", "f") == {1: 1}
    assert seen.of("Errors", "f") == {1: 1}
    assert sum(seen.of("Duration", "f").values()) == 1


def test_an_answer_that_is_too_large_is_an_error() -> None:
    async def work(call: Any, context: Any) -> None:
        await call(F, b"{}", "id")

    seen = recorded(work, rig.function(model={**rig.QUICK, "response": "x" * 6_291_556}))
    assert seen.of("Errors", "f") == {1: 1}


def test_what_is_throttled_is_no_invocation() -> None:
    async def work(call: Any, context: Any) -> None:
        await refused(call, F, b"{}", "id")
        await refused(call, FunctionReference("f", "$LATEST"), b"{}", "id")

    seen = recorded(work, rig.function(reserved_concurrency=0))
    assert seen.of("Throttles") == seen.of("Throttles", "f") == {1: 2}
    assert seen.of("Throttles", "f", "f") == seen.of("Throttles", "f", "f:$LATEST") == {1: 1}
    assert {name for name, _ in seen.values} == {"Throttles"}
    assert seen.events == {}


def test_what_does_not_exist_is_not_counted() -> None:
    async def work(call: Any, context: Any) -> None:
        await refused(call, FunctionReference("absent"), b"{}", "id")
        await refused(call, F, b"{}", "id", source_arn="arn:aws:execute-api:r:a:b")

    assert recorded(work, rig.function()).values == {}


def test_the_versions_of_a_weighted_alias_are_told_apart() -> None:
    async def work(call: Any, context: Any) -> None:
        for number in range(40):
            await call(FunctionReference("f", "live"), b"{}", f"id-{number}")
        await call(FunctionReference("f", "plain"), b"{}", "id")

    function = rig.function(
        versions={"1": rig.version("1"), "2": rig.version("2")},
        aliases={
            "live": Alias("live", "1", "", "r", {"2": 0.5}),
            "plain": Alias("plain", "1", "", "r"),
        },
    )
    seen = recorded(work, function)
    first, second = (sum(seen.of("Invocations", "f", "f:live", n).values()) for n in "12")
    assert first + second == 40
    assert seen.of("Invocations", "f", "f:live") == {1: 40}
    assert seen.of("Invocations", "f", "f:plain") == {1: 1}
    assert seen.of("Invocations", "f", "f:plain", "1") == {}


def test_concurrency_is_told_at_each_start() -> None:
    async def work(call: Any, context: Any) -> None:
        async def after(pause_s: float, name: str) -> None:
            await asyncio.sleep(pause_s)
            await call(FunctionReference(name), b"{}", "id")

        pauses = [(0.0, "f"), (0.1, "f"), (0.2, "g"), (0.3, "r"), (1.05, "f")]
        await asyncio.gather(*(after(*pause) for pause in pauses))

    functions = [rig.function(name, model=held(1000)) for name in ("f", "g")]
    reserving = rig.function("r", model=held(1000), reserved_concurrency=7)
    seen = recorded(work, *functions, reserving)
    assert seen.of("ConcurrentExecutions") == {1: 1, 2: 1, 3: 1, 4: 2}
    assert seen.of("ConcurrentExecutions", "f") == {1: 1, 2: 2}
    assert seen.of("ConcurrentExecutions", "r", "r") == {1: 1}
    assert seen.of("UnreservedConcurrentExecutions") == {1: 1, 2: 1, 3: 2}
    # What runs unreserved and all that is reserved, at each of the five starts.
    assert seen.of("ClaimedAccountConcurrency") == {8: 1, 9: 1, 10: 3}


def test_a_call_counts_in_the_minute_in_which_it_began_when_it_ends(clock: list[float]) -> None:
    metrics, early, late = LambdaMetrics(), rig.Recorder(), rig.Recorder()

    async def work(service: Any, context: Any) -> None:
        running = asyncio.ensure_future(service.invoker.call(F, b"{}", "id"))
        await asyncio.sleep(1)
        clock[0] = NOON_S + 125
        metrics.drain(early)
        await running
        metrics.drain(late)

    rig.run(work, rig.function(model=held(2000)), metrics=metrics)
    assert early.of("Invocations") == {}
    assert early.of("ConcurrentExecutions") == {1: 1}
    assert late.of("Invocations") == {1: 1}
    assert late.of("ConcurrentExecutions") == {}
    assert late.minutes == {int(NOON_S)}


def test_a_call_that_was_broken_off_is_no_invocation_and_runs_no_more() -> None:
    async def work(call: Any, context: Any) -> None:
        running = asyncio.ensure_future(call(F, b"{}", "id"))
        await rig.settle()
        running.cancel()
        await asyncio.wait([running])
        await call(F, b"{}", "id")

    seen = recorded(work, rig.function(model=held(1000)))
    assert seen.of("Invocations") == {1: 1}
    assert seen.of("ConcurrentExecutions", "f") == {1: 2}


def test_events_count_as_well() -> None:
    async def work(service: Any, context: Any) -> None:
        await service.invoker.invoke({"FunctionName": "f", "InvocationType": "Event"})
        await asyncio.sleep(10)

    metrics, recorder = LambdaMetrics(), rig.Recorder()
    model = {**rig.QUICK, "failure": "error"}
    rig.run(work, rig.function(model=model), metrics=metrics, log_sink=recorder)
    metrics.drain(recorder)
    assert recorder.of("Errors", "f") == {1: 3}, "with the two that follow an error"
    assert sum(map(len, recorder.events.values())) == 3 * 3 + 1


def begin(metrics: LambdaMetrics, name: str = "f", now_s: float = NOON_S) -> Any:
    return metrics.begin(name, None, None, now_s, reserved_by_all=0, is_reserved=False)


def lasting(duration_ms: float) -> InvokeResult:
    return replace(RESULT, report=replace(REPORT, duration_ms=duration_ms))


@given(st.lists(st.floats(0.01, 900_000), max_size=50))
def test_durations_keep_four_digits_and_none_is_lost(durations_ms: list[float]) -> None:
    metrics, recorder = LambdaMetrics(), rig.Recorder()
    for duration_ms in durations_ms:
        metrics.end(begin(metrics), lasting(duration_ms))
    metrics.drain(recorder)
    kept = sorted(value for value, count in recorder.of("Duration").items() for _ in range(count))
    assert kept == pytest.approx(sorted(durations_ms), rel=0.0005)


def test_what_was_handed_over_is_forgotten() -> None:
    metrics, first, second = LambdaMetrics(), rig.Recorder(), rig.Recorder()
    running = begin(metrics)
    for number in range(100):
        metrics.end(begin(metrics, f"gone-{number}"), RESULT)
    metrics.drain(first)
    assert first.of("Invocations") == {1: 100}
    assert list(metrics._series) == [("f", "", "")]
    assert list(metrics._functions) == ["f"]
    metrics.end(running, RESULT)
    metrics.drain(second)
    assert second.of("Invocations", "f") == {1: 1}
    assert metrics._series == metrics._functions == {}


def test_a_minute_with_many_calls_takes_bounded_memory() -> None:
    metrics = LambdaMetrics()
    for number in range(50_000):
        metrics.end(begin(metrics), lasting(100 + number / 1000))
    [series] = metrics._series.values()
    [minute] = series.minutes.values()
    assert len(minute.durations_ms) < 600
    assert sum(minute.durations_ms.values()) == 50_000


# Log events


def test_the_lines_of_a_call_go_to_the_stream_of_its_environment() -> None:
    async def work(call: Any, context: Any) -> None:
        for number in range(2):
            await call(F, b"{}", f"id-{number}")

    latest = rig.version(log_group="/mine")
    seen = recorded(work, rig.function(latest=latest, running=latest))
    [((group, stream), events)] = seen.events.items()
    assert group == "/mine"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    assert [text.split()[0] for _, text in events] == [
        "INIT_START",
        *["START", "END", "REPORT"] * 2,
    ]
    assert events[1][1] == "START RequestId: id-0 Version: $LATEST\n"
    assert [at_ms for at_ms, _ in events] == sorted(at_ms for at_ms, _ in events)


def test_without_a_group_of_its_own_a_function_has_the_usual_one() -> None:
    async def work(call: Any, context: Any) -> None:
        await asyncio.gather(*(call(F, b"{}", f"id-{number}") for number in range(3)))

    seen = recorded(work, rig.function(model=held(1000)))
    assert {group for group, _ in seen.events} == {"/aws/lambda/f"}
    assert len(seen.events) == 3, "a stream for each environment"


def test_what_could_not_be_started_is_logged_as_well() -> None:
    recorder = rig.Recorder()

    async def work(service: Any, context: Any) -> InvokeResult:
        latest = rig.version(runtime="provided.al2023", environment={})
        context.store.put(rig.function(latest=latest, running=latest))
        return await service.invoker.call(F, b"{}", "id")

    result: InvokeResult = rig.run(work, run_loop=asyncio.run, log_sink=recorder)
    assert result.report.error_type == "Runtime.InvalidEntrypoint"
    [((_, stream), events)] = recorder.events.items()
    assert "/[$LATEST]" in stream
    assert any("INIT_REPORT" in text for _, text in events)


def test_what_a_real_handler_prints_has_the_time_at_which_it_did(make_zip: Any) -> None:
    source = (
        "import time, os\n"
        "def handler(event, context):\n"
        "    print('first', flush=True)\n"
        "    time.sleep(0.3)\n"
        "    print('sécond\\n\\nunfinished', end='', flush=True)\n"
        "    return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']\n"
    )
    recorder = rig.Recorder()

    async def work(service: Any, context: Any) -> InvokeResult:
        code = context.packages.add(make_zip({"app.py": source}))
        latest = replace(rig.version(environment={}), code=code)
        context.store.put(rig.function(latest=latest, running=latest))
        return await service.invoker.call(F, b"{}", "id")

    result: InvokeResult = rig.run(work, run_loop=asyncio.run, log_sink=recorder)
    [((_, stream), events)] = recorder.events.items()
    assert json.loads(result.payload) == stream
    texts = [text for _, text in events]
    assert texts[2:6] == ["first\n", "sécond\n", "\n", "unfinished\n"]
    times_ms = dict(zip(texts, (at_ms for at_ms, _ in events), strict=True))
    assert times_ms["sécond\n"] - times_ms["first\n"] >= 250
    assert list(times_ms.values()) == sorted(times_ms.values())


def logged(log: bytes, *marks: tuple[int, int]) -> list[tuple[int, str]]:
    return log_events(InvokeResult(b"", None, log, REPORT, log_marks=marks))


@pytest.mark.parametrize(
    ("log", "marks", "events"),
    [
        pytest.param(b"", (), [], id="nothing"),
        pytest.param(b"a\nb\n", ((4, 5),), [(5, "a\n"), (5, "b\n")], id="at once"),
        pytest.param(b"a\nb\n", ((2, 5), (4, 7)), [(5, "a\n"), (7, "b\n")], id="one by one"),
        pytest.param(b"ab\n", ((1, 5), (3, 7)), [(7, "ab\n")], id="in two pieces"),
        pytest.param(b"a\nb\n", ((3, 5), (4, 7)), [(5, "a\n"), (7, "b\n")], id="and a half"),
        pytest.param(b"a\n\n", ((3, 5),), [(5, "a\n"), (5, "\n")], id="an empty line"),
        pytest.param(b"a\rb\n", ((4, 5),), [(5, "a\rb\n")], id="a carriage return"),
        pytest.param(b"a\nb", ((3, 5),), [(5, "a\n"), (5, "b")], id="no end"),
        pytest.param(b"\xff\n", ((2, 5),), [(5, "\ufffd\n")], id="no text"),
        pytest.param(b"a\nb\n", ((2, 5),), [(5, "a\n"), (5, "b\n")], id="marks end early"),
    ],
)
def test_a_line_has_the_time_at_which_it_was_complete(log: Any, marks: Any, events: Any) -> None:
    assert logged(log, *marks) == events


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=6), st.integers(0, 9)), max_size=8))
def test_events_are_the_log_again(parts: list[tuple[bytes, int]]) -> None:
    log, marks, now_ms = b"", [], 1
    for part, pause_ms in parts:
        log += part
        now_ms += pause_ms
        marks.append((len(log), now_ms))
    events = logged(log, *marks)
    assert "".join(text for _, text in events).count("\n") == log.count(b"\n")
    assert all(text.count("\n") <= 1 for _, text in events)
    assert [at_ms for at_ms, _ in events] == sorted(at_ms for at_ms, _ in events)
    assert telemetry._lines(log) == [line for line in re.split(rb"(?<=\n)", log) if line]
