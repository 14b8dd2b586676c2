"""`tune fn-a fn-b --export KIND=PATH`: several tunings as one page, document, table or summary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reports.atomic_file import write_atomically
from reports.exports import parse_export
from reports.run_folder import document_text
from reports.several_document import SeveralDocument


def export_several(document: SeveralDocument, spec: str) -> Path:
    """Writes `document` as `spec` asks and gives the path.

    Raises:
        InputError: when the file cannot be written.
    """
    export = parse_export(spec)
    write_atomically(export.path, _WRITERS[export.kind](document))
    return export.path


def _html(document: SeveralDocument) -> str:
    from reports.page import render_several

    return render_several(document)


def _csv(document: SeveralDocument) -> str:
    from reports.tune_frame import frame_of_all

    found = [result.document for result in document.functions if result.document is not None]
    return frame_of_all(found).to_csv(index=False, lineterminator="\n")


def _markdown(document: SeveralDocument) -> str:
    from reports.several_markdown import render_several_markdown

    return render_several_markdown(document)


_WRITERS: dict[str, Callable[[SeveralDocument], str]] = {
    "html": _html,
    "json": document_text,
    "csv": _csv,
    "md": _markdown,
}
