"""`tune compare RUN RUN`: reads, compares, shows and writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.console import Console
from core.errors import ExitCode
from reports.compare_exports import check_compare_exports, export_comparison
from reports.run_folder import document_text
from tuner.compare.comparison import compare_tunings
from tuner.compare.tunings import read_pair
from tuner.compare.verdicts import parse_tolerance
from tuner.compare.view import show_comparison


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What the command line says, not yet checked."""

    before: Path
    after: Path
    tolerance: str
    exports: tuple[str, ...] = ()


def compare(options: CompareOptions, console: Console) -> ExitCode:
    """What changed from one run to the other; gives 0, or 3 for a regression, 4 for a doubt.

    Raises:
        InputError: when a run cannot be read or an option is wrong.
    """
    tolerance_share = parse_tolerance(options.tolerance)
    runs = [options.before, options.after]
    check_compare_exports(options.exports, runs, json_output=console.json_output)
    document = compare_tunings(*read_pair(options.before, options.after), tolerance_share)
    show_comparison(console, document)
    for spec in options.exports:
        console.say(f"written: {export_comparison(document, spec)}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(document.exit_code)
