"""However a command ends: one line, one document, one exit code."""

from __future__ import annotations

import json

import pytest

from core.command import run_command
from core.console import Console
from core.errors import ExitCode, InputError


def ending_with(error: BaseException, console: Console) -> ExitCode:
    def body() -> ExitCode:
        raise error

    return run_command(console, body)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        pytest.param(InputError("no\nregion"), 2, "error: no region", id="one that is foreseen"),
        pytest.param(
            KeyError("RequestId"),
            1,
            "error: unexpected KeyError: 'RequestId'",
            id="a fault of ours",
        ),
        pytest.param(
            ValueError("half \ud83d\x1b[2J"),
            1,
            "error: unexpected ValueError: half \ufffd\ufffd[2J",
            id="a message that cannot be shown",
        ),
        pytest.param(
            ZeroDivisionError(), 1, "error: unexpected ZeroDivisionError (-v", id="no word"
        ),
        pytest.param(KeyboardInterrupt(), 130, "error: interrupted", id="Ctrl-C"),
    ],
)
def test_a_failure_is_one_line_one_document_and_its_exit_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = ending_with(error, Console(json_output=True))

    out, err = capsys.readouterr()
    assert ended == code
    assert err.startswith(line)
    assert len(err.splitlines()) == 1
    document = json.loads(out)
    assert (document["verdict"], document["exit_code"]) == ("error", code)
    assert [f"error: {message}" for message in document["errors"]] == err.splitlines()


def test_verbose_shows_where_a_fault_of_ours_is(capsys: pytest.CaptureFixture[str]) -> None:
    ending_with(KeyError("RequestId"), Console(verbosity=1))

    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "in ending_with" in err or "in body" in err
    assert err.splitlines()[-1] == "error: unexpected KeyError: 'RequestId'"
