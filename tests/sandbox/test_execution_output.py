"""What handlers print: gathered a little at a time, the end of it kept."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
from execution_rig import call, request, version, with_executor, write_handlers

from sandbox.execution import output as output_module
from sandbox.execution.output import LIMIT_BYTES, Output, OutputTail

# The platform's own lines of a call, by far.
PLATFORM_BYTES = 2000


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return write_handlers(tmp_path_factory.mktemp("code"))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_source_that_never_ends_is_read_a_little_at_a_time():
    source = os.open("/dev/zero", os.O_RDONLY)
    tail = OutputTail()
    try:
        for _ in range(100):
            assert tail.read_some(source)
            assert tail.is_behind
    finally:
        os.close(source)
    output = tail.take()
    assert len(output.data) == LIMIT_BYTES
    assert output.dropped_bytes > 0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param([b"abc"], Output(b"abc"), id="little is kept"),
        pytest.param([b"ab", b"cde"], Output(b"abcde"), id="up to the limit"),
        pytest.param([b"ab", b"cdef"], Output(b"bcdef", 1), id="the end is kept"),
        pytest.param([b"abcdefgh"], Output(b"defgh", 3), id="of one chunk as well"),
        pytest.param([], Output(), id="nothing"),
    ],
)
def test_the_end_is_kept_and_the_rest_is_counted(written, expected):
    reading_end, writing_end = os.pipe()
    os.set_blocking(reading_end, False)
    tail = OutputTail(limit_bytes=5)
    try:
        for part in written:
            os.write(writing_end, part)
            assert tail.read_some(reading_end)
            assert not tail.is_behind
        assert tail.read_some(reading_end), "empty is not ended"
        output = tail.take()
        assert (output.data, output.dropped_bytes) == (expected.data, expected.dropped_bytes)
        assert [end for end, _ in output.marks[-1:]] == ([len(output.data)] if written else [])
        assert tail.take() == Output(), "taken once"
        os.close(writing_end)
        writing_end = None
        assert not tail.read_some(reading_end)
    finally:
        os.close(reading_end)
        if writing_end is not None:
            os.close(writing_end)


def test_each_chunk_tells_when_it_came(monkeypatch):
    now_s = iter([1.0, 1.0, 2.5, 9.0])
    monkeypatch.setattr(output_module.time, "time", lambda: next(now_s))
    reading_end, writing_end = os.pipe()
    os.set_blocking(reading_end, False)
    tail = OutputTail(limit_bytes=8)
    try:
        for part in (b"ab", b"cd", b"efg"):
            os.write(writing_end, part)
            tail.read_some(reading_end)
        assert tail.take() == Output(b"abcdefg", 0, ((4, 1000), (7, 2500)))
        os.write(writing_end, b"x")
        tail.read_some(reading_end)
        assert tail.take() == Output(b"x", 0, ((1, 9000),))
    finally:
        os.close(reading_end)
        os.close(writing_end)


def test_times_of_what_was_dropped_are_dropped(monkeypatch):
    numbers = iter(range(1, 1000))
    monkeypatch.setattr(output_module.time, "time", lambda: float(next(numbers)))
    reading_end, writing_end = os.pipe()
    os.set_blocking(reading_end, False)
    tail = OutputTail(limit_bytes=5)
    try:
        for _ in range(9):
            os.write(writing_end, b"ab")
            tail.read_some(reading_end)
        assert tail.take() == Output(b"babab", 13, ((1, 7000), (3, 8000), (5, 9000)))
    finally:
        os.close(reading_end)
        os.close(writing_end)


def test_a_handler_that_prints_without_end_leaves_a_bounded_log(code):
    [result] = call(version(code, "pour", timeout_s=1), {})
    assert result.report.status == "timeout"
    assert len(result.log) < LIMIT_BYTES + PLATFORM_BYTES
    lines = result.log.decode().splitlines()
    assert re.match(r"\[sandbox\] \d+ bytes before were dropped: ", lines[-3])
    assert [line.split()[0] for line in lines[-2:]] == ["END", "REPORT"]


@pytest.mark.skipif(sys.platform != "linux", reason="pipes are enlarged on Linux only")
def test_the_end_of_what_an_enlarged_pipe_holds_is_in_the_calls_own_log(code):
    results = call(version(code, "enlarge"), *[{}] * 3)
    assert [result.log.decode().splitlines().count("the end") for result in results] == [1, 1, 1]


def test_a_thread_that_prints_on_after_the_answer_fills_nothing(code):
    """It prints while the next calls of another function are served, until all is closed."""
    spec, other = version(code, "pour_on"), version(code, "echo", function_name="other")

    async def work(executor):
        await executor.invoke(spec, request())
        for _ in range(5):
            await executor.invoke(other, request())
        return await executor.invoke(spec, request())

    result = with_executor(work)
    assert result.report.status == "success"
    assert len(result.log) < LIMIT_BYTES + PLATFORM_BYTES


def test_the_platforms_json_lines_stand_alone_after_unfinished_lines(code):
    [result] = call(version(code, "pour", timeout_s=1, log_format="JSON"), {})
    dropped, report = [json.loads(line) for line in result.log.splitlines()[-2:]]
    assert dropped["type"] == "platform.logsDropped"
    assert dropped["record"]["droppedBytes"] > 0
    assert report["type"] == "platform.report"
