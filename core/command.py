"""The rim of every console script: a failure becomes one line, one document and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from core.console import Console
from core.errors import ExitCode, InputErrors, Interrupted, ToolError, exit_code_of
from core.text import one_line


def run_command(console: Console, body: Callable[[], ExitCode]) -> ExitCode:
    """Runs `body` and gives its exit code, or that of the failure that ended it.

    A failure that nobody foresaw is one line as well; its traceback is shown with -v.
    """
    try:
        return body()
    except InputErrors as error:
        return _report(console, exit_code_of(error), *error.messages)
    except ToolError as error:
        return _report(console, exit_code_of(error), str(error))
    except KeyboardInterrupt:
        return _report(console, exit_code_of(Interrupted("")), "interrupted")
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
    return _report(console, ExitCode.ERROR, message)


def _report(console: Console, code: ExitCode, *messages: str) -> ExitCode:
    lines = [one_line(message) for message in messages]
    for line in lines:
        console.error(line)
    if console.json_output:
        console.error_document(lines, code)
    return code
