"""How every command of `reports` runs its body: with a console, ending in an exit code."""

from __future__ import annotations

from collections.abc import Callable

import typer

from core.command import run_command
from core.console import Console
from core.errors import ExitCode


def end(
    body: Callable[[Console], ExitCode], *, json_output: bool, quiet: bool, verbose: bool
) -> None:
    """Runs `body` and ends the command with its exit code."""
    console = Console(verbosity=-1 if quiet else int(verbose), json_output=json_output)
    raise typer.Exit(run_command(console, lambda: body(console)))
