"""`tune import FILE|URL`: what power tuning has measured, by our rules; nothing is invoked."""

from __future__ import annotations

from dataclasses import dataclass

from core.console import Console
from core.errors import ExitCode, InputError
from tuner.objective import Goal, check_objective
from tuner.power_tuning.output_file import read_output

_OBJECTIVES = ("cost", "speed", "balanced")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the command line says, not yet checked."""

    source: str
    objective: str | None
    weight: float | None


def import_output(options: ImportOptions, console: Console) -> ExitCode:
    """Shows what the means say and leave open; inconclusive, whatever they are.

    Raises:
        InputError: when the source cannot be read or an option is wrong.
    """
    goal = _goal(options)
    output = read_output(options.source)
    # scipy takes longer to import than most mistakes take to be found.
    from tuner.power_tuning.import_view import document_of, show_reading
    from tuner.power_tuning.reading import read_points

    reading = read_points(output, goal)
    show_reading(console, output, reading)
    if console.json_output:
        console.document(document_of(output, reading))
    return ExitCode.INCONCLUSIVE


def _goal(options: ImportOptions) -> Goal:
    if options.objective not in (None, *_OBJECTIVES):
        raise InputError(
            f"--objective: expected one of {', '.join(_OBJECTIVES)} here: the others need samples "
            f"(got {options.objective!r})"
        )
    return check_objective(options.objective, options.weight)
