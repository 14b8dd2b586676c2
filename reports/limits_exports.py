"""`loadgen limits --export KIND=PATH`: a probe as a page, a document or a summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import InputError
from reports.atomic_file import write_atomically
from reports.exports import check_exports, parse_export
from reports.limits_document import LimitsDocument
from reports.run_folder import document_text


def check_limits_exports(specs: Sequence[str]) -> None:
    """Refuses exports that could not be written, or that a probe does not have.

    Raises:
        InputError: naming the export and what was expected.
    """
    for spec in specs:
        kind, equals, _ = spec.partition("=")
        if kind not in _WRITERS or not equals:
            kinds = ", ".join(f"{kind}=PATH" for kind in _WRITERS)
            raise InputError(f'--export {spec}: must be one of {kinds} (got "{spec}")')
    check_exports(specs)


def export_limits(document: LimitsDocument, spec: str) -> Path:
    """Writes `document` as `spec` asks and gives the path.

    Raises:
        InputError: when the file cannot be written.
    """
    export = parse_export(spec)
    write_atomically(export.path, _WRITERS[export.kind](document))
    return export.path


def _html(document: LimitsDocument) -> str:
    from reports.page import render_page

    return render_page([document])


def _markdown(document: LimitsDocument) -> str:
    from reports.limits_markdown import render_limits_markdown

    return render_limits_markdown(document)


_WRITERS: dict[str, Callable[[LimitsDocument], str]] = {
    "html": _html,
    "json": document_text,
    "md": _markdown,
}
