"""The rim of every console script: a failure becomes one line, one document and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from core.console import Console
from core.errors import ExitCode, Interrupted, ToolError, exit_code_of
from core.text import one_line


def run_command(console: Console, body: Callable[[], ExitCode]) -> ExitCode:
    """Runs `body` and gives its exit code, or that of the failure that ended it.

    A failure that nobody foresaw is one line as well; its traceback is shown with -v.
    """
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
    except Exception as error:
        return _report_unforeseen(console, error)


def _report_unforeseen(console: Console, error: Exception) -> ExitCode:
    hint = ""
    if console.verbosity >= 1:
        sys.stderr.write(traceback.format_exc())
    else:
        hint = " (-v shows where; please report it)"
    what = ": ".join(part for part in (type(error).__name__, str(error)) if part)
    message = f"unexpected {what}{hint}"
    return _report(console, message, ExitCode.ERROR)


def _report(console: Console, message: str, code: ExitCode) -> ExitCode:
    line = one_line(message)
    console.error(line)
    if console.json_output:
        console.error_document(line, code)
    return code
