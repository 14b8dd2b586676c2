"""The rim of every console script: a failure becomes one line, one document and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable

from core.console import Console
from core.errors import ExitCode, Interrupted, ToolError, exit_code_of


def run_command(console: Console, body: Callable[[], ExitCode]) -> ExitCode:
    """Runs `body` and gives its exit code, or that of the `ToolError` that ended it."""
    try:
        return body()
    except ToolError as error:
        return _report(console, str(error), exit_code_of(error))
    except KeyboardInterrupt:
        return _report(console, "interrupted", exit_code_of(Interrupted("")))
    except BrokenPipeError:
        # The reader of stdout went away (`| head`): nothing is left to say, and nowhere to.
        sys.stderr.close()
        return ExitCode.ERROR


def _report(console: Console, message: str, code: ExitCode) -> ExitCode:
    line = " ".join(message.split())
    console.error(line)
    if console.json_output:
        console.error_document(line, code)
    return code
