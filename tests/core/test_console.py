"""stdout is data, stderr is talk."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from core.command import run_command
from core.console import Console, folded
from core.errors import ExitCode, InputError


def test_results_go_to_stdout_and_talk_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.show("the answer")
    console.say("a step")

    captured = capsys.readouterr()

    assert (captured.out, captured.err) == ("the answer\n", "a step\n")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("one two three", ["one two", "  three"], id="continued further in"),
        pytest.param("  one two three", ["  one two", "    three"], id="from where it begins"),
        pytest.param("one\n\ntwo", ["one", "", "two"], id="empty lines stay"),
        pytest.param("averylongword-of a", ["averylongword-of", "  a"], id="words stay whole"),
        pytest.param(
            "four 12\N{NO-BREAK SPACE}ms", ["four", "  12\N{NO-BREAK SPACE}ms"], id="units"
        ),
    ],
)
def test_long_lines_of_text_are_continued(text: str, lines: list[str]) -> None:
    assert folded(text, 9).split("\n") == lines


def test_results_are_80_columns_wide_unless_they_are_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sentence = "word " * 30
    Console().show(sentence)
    Console().show_lines(sentence.strip())

    shown = capsys.readouterr().out.splitlines()

    assert [len(line) for line in shown] == [79, 71, 149]


def test_with_json_stdout_holds_the_document_alone(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(json_output=True)
    console.show("a table")
    console.document('{"a": 1}')

    captured = capsys.readouterr()

    assert json.loads(captured.out) == {"a": 1}
    assert captured.err == "a table\n"


@pytest.mark.parametrize(
    ("verbosity", "talk"),
    [(-1, "warning: w\n"), (0, "s\nwarning: w\n"), (1, "s\nd\nwarning: w\n")],
    ids=["quiet", "normal", "verbose"],
)
def test_how_much_is_said(capsys: pytest.CaptureFixture[str], verbosity: int, talk: str) -> None:
    console = Console(verbosity=verbosity)
    console.say("s")
    console.detail("d")
    console.warn("w")

    assert capsys.readouterr().err == talk


def test_square_brackets_and_colons_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    Console().say("sizes[0] [bold]not bold[/bold] a:b:c :smile:")

    assert capsys.readouterr().err == "sizes[0] [bold]not bold[/bold] a:b:c :smile:\n"


def test_progress_without_a_terminal_is_a_line_for_each_tenth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console()
    with console.progress(40, "calls") as progress:
        for number in range(40):
            progress.advance(f"call {number}")

    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 10
    assert lines[-1] == "calls: 40 of 40, call 39"


def test_an_error_is_one_line_a_document_and_an_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> ExitCode:
        raise InputError("file.json:\n  wrong", hint="mend it")

    code = run_command(Console(json_output=True), fail)

    captured = capsys.readouterr()
    assert code == ExitCode.INPUT
    assert captured.err == "error: file.json: wrong (mend it)\n"
    document = json.loads(captured.out)
    assert (document["verdict"], document["exit_code"]) == ("error", 2)
    assert document["errors"] == ["file.json: wrong (mend it)"]


def test_a_keyboard_interrupt_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    def stop() -> ExitCode:
        raise KeyboardInterrupt

    assert run_command(Console(), stop) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "error: interrupted\n"


def test_a_command_goes_on_when_nobody_reads_what_it_says() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    script = "from core.console import Console; c = Console(); c.say('x'); c.warn('y'); print('z')"
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=writing, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stdout) == (0, b"z\n")


class Interrupted(io.RawIOBase):
    """A stream on a descriptor, in the middle of whose first write a signal is handled."""

    def __init__(self, descriptor: int, handle: Callable[[], None]) -> None:
        self._descriptor, self._handlers = descriptor, [handle]

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Any) -> int:
        if self._handlers:
            self._handlers.pop()()
        return os.write(self._descriptor, data)


def test_a_signal_in_the_middle_of_a_write_can_be_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console()
    reading, writing = os.pipe()
    raw = Interrupted(writing, lambda: console.warn("stopping"))
    stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", line_buffering=True)
    monkeypatch.setattr(sys, "stderr", stream)

    console.say("a step")
    console.say("the last step")

    stream.close()
    os.close(writing)
    told = os.read(reading, 4096).decode()
    os.close(reading)
    # What was being written may be said twice.
    assert set(told.splitlines()) == {"a step", "the last step", "warning: stopping"}


def test_words_from_elsewhere_cannot_command_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.table import Table
    from rich.text import Text

    name = "[b]checkout\x1b[31m\x9b2J\x07\u202e\r"
    table = Table(name)
    table.add_row(Text(name))
    console = Console(verbosity=1)
    for shown in (name, Text(name), table):
        console.show(shown)
        console.say(shown)
    console.show_lines(f"{name}\n\tas it is")
    for talk in (console.detail, console.warn, console.error):
        talk(name)

    captured = capsys.readouterr()

    for text in (captured.out, captured.err):
        assert text.count("[b]checkout\ufffd[31m\ufffd2J") >= 4
        assert not set(text) & set("\x1b\x9b\x07\u202e\r")
    assert captured.out.endswith("as it is\n")
