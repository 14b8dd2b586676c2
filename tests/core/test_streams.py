"""Streams that are closed, full, or of an encoding that lacks what is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.streams import json_for

# A command with an answer in words and one in JSON; \udcff is a byte of a file name, no text.
_SCRIPT = """
import typer
from core.command import run_command
from core.command_line import Json, new_app, run_app
from core.console import Console
from core.errors import ExitCode

app = new_app()

@app.command()
def weigh(thing: str, json_output: Json = False) -> None:
    console = Console(json_output=json_output)

    def body() -> ExitCode:
        console.say("a step")
        answer = "\\u2212 12\\u00a0ms \\u2260 \\udcff"
        console.document('{"said": "%s"}' % answer if json_output else answer)
        return ExitCode.PASS

    raise typer.Exit(run_command(console, body))

run_app(app, "weigh")
"""


def weighed(redirection: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    command = f'exec "{sys.executable}" -c "$SCRIPT" thing {redirection}'
    environment = {**os.environ, "SCRIPT": _SCRIPT, "PYTHONIOENCODING": f"{encoding}:strict"}
    return subprocess.run(  # noqa: S602 # the shell is what redirects
        command, shell=True, env=environment, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    ("redirection", "code", "out", "last"),
    [
        pytest.param(">&-", 0, b"", b"a step", id="stdout closed"),
        pytest.param(
            "2>&-", 0, "− 12\N{NO-BREAK SPACE}ms ≠ ".encode() + b"\xff\n", b"", id="stderr"
        ),
        pytest.param(
            "--json >/dev/full",
            2,
            b"",
            b"error: could not write to stdout: No space left on device",
            id="a full disk",
        ),
        pytest.param(
            "--help >/dev/full",
            2,
            b"",
            b"error: could not write to stdout: No space left on device",
            id="no room for the help",
        ),
    ],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_stream_that_takes_nothing_is_no_fault_of_ours(
    redirection: str, code: int, out: bytes, last: bytes
) -> None:
    done = weighed(redirection)

    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, lines[-1] if lines else b"") == (code, out, last)
    assert b"Traceback" not in done.stderr


def test_words_that_an_encoding_lacks_are_said_as_near_as_it_comes() -> None:
    done = weighed("", encoding="ascii")

    assert (done.returncode, done.stdout) == (0, b"- 12 ms ? \xff\n")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", None])
def test_a_document_is_utf_8_in_every_encoding(encoding: str | None) -> None:
    text = json.dumps({"said": "− 12\N{NO-BREAK SPACE}ms, 😀"}, ensure_ascii=False)
    broken = '{"path": "a\udcff"}'

    assert json.loads(json_for(encoding, text).encode(encoding or "utf-8")) == json.loads(text)
    assert json_for(encoding, broken) == '{"path": "a\\udcff"}'
