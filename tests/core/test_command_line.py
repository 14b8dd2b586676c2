"""Mistakes on the command line: one line with the option, what was expected and the value."""

from __future__ import annotations

import sys
from typing import Annotated

import pytest
import typer

from core.command_line import new_app, run_app


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        pytest.param(
            ["--size", "abc"], "--size: expected a whole number (got 'abc')", id="no whole number"
        ),
        pytest.param(["--size", ""], "--size: expected a whole number (got '')", id="empty"),
        pytest.param(
            ["--share", "half"], "--share: expected a number (got 'half')", id="no number"
        ),
        pytest.param(["--shape", "x"], "No such option: --shape", id="unknown option"),
        pytest.param(["x"], "Got unexpected extra argument(s) (x)", id="an argument too many"),
    ],
)
def test_a_wrong_value_is_named_with_its_option(
    arguments: list[str],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = new_app()

    @app.command()
    def measure(
        size: Annotated[int, typer.Option("--size", "-s")] = 1, share: float = 0.5
    ) -> None: ...

    monkeypatch.setattr(sys, "argv", ["measure", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_app(app, "measure")

    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"error: {line}")
    assert message.endswith("(see measure --help)\n")
    assert message.count("\n") == 1


def test_the_help_of_the_verb_is_pointed_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = new_app()
    app.callback()(lambda: None)

    @app.command()
    def weigh(thing: Annotated[str, typer.Argument(metavar="THING")]) -> None: ...

    monkeypatch.setattr(sys, "argv", ["measure", "weigh"])
    with pytest.raises(SystemExit):
        run_app(app, "measure")

    assert capsys.readouterr().err == "error: Missing argument 'THING' (see measure weigh --help)\n"
