"""`tune compare --export KIND=PATH`: a comparison as a page, a document or a summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import InputError
from reports.atomic_file import write_atomically
from reports.compare_document import CompareDocument
from reports.exports import check_exports, given_runs, parse_export
from reports.run_folder import document_text


def check_compare_exports(
    specs: Sequence[str], runs: Sequence[Path] = (), *, json_output: bool = False
) -> None:
    """Refuses exports that could not be written, or that a comparison of `runs` does not have.

    Raises:
        InputError: naming the export and what was expected.
    """
    for spec in specs:
        kind, equals, _ = spec.partition("=")
        if kind not in _WRITERS or not equals:
            kinds = ", ".join(f"{kind}=PATH" for kind in _WRITERS)
            raise InputError(f'--export {spec}: must be one of {kinds} (got "{spec}")')
    check_exports(specs, taken=given_runs(runs), json_output=json_output)


def export_comparison(document: CompareDocument, spec: str) -> Path:
    """Writes `document` as `spec` asks and gives the path.

    Raises:
        InputError: when the file cannot be written.
    """
    export = parse_export(spec)
    write_atomically(export.path, _WRITERS[export.kind](document))
    return export.path


def _html(document: CompareDocument) -> str:
    from reports.page import render_comparison

    return render_comparison(document)


def _markdown(document: CompareDocument) -> str:
    from reports.compare_markdown import render_compare_markdown

    return render_compare_markdown(document)


_WRITERS: dict[str, Callable[[CompareDocument], str]] = {
    "html": _html,
    "json": document_text,
    "md": _markdown,
}
