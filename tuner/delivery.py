"""Hands an answer over: on the terminal, in the exported files and as the JSON document."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.console import Console
from core.errors import ExitCode
from reports.document import TuneDocument
from reports.exports import export_document
from reports.run_folder import document_text
from tuner.answer_view import show_document


def deliver(
    document: TuneDocument,
    exports: Sequence[str],
    console: Console,
    apply: Callable[[TuneDocument], TuneDocument] | None = None,
    *,
    chart: bool = False,
) -> ExitCode:
    """Shows and writes `document`; gives its exit code.

    `apply` does what is to be done with the answer once it was shown, and adds that to it.

    Raises:
        InputError: when an export cannot be written; the answer has been shown by then.
    """
    show_document(console, document)
    if chart:
        from reports.chart_view import show_charts

        show_charts(console, [document])
    if document.visualization_url is not None:
        console.detail(f"chart: {document.visualization_url}")
    for error in document.errors:
        console.error(error)
    if apply is not None:
        document = apply(document)
    for spec in exports:
        console.say(f"written: {export_document(document, spec)}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(document.exit_code)
