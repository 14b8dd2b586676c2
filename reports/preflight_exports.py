"""`loadgen preflight --export KIND=PATH`: a preflight as a page, a document or a summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import InputError
from reports.atomic_file import write_atomically
from reports.exports import check_exports, parse_export
from reports.preflight_document import PreflightDocument
from reports.run_folder import document_text


def check_preflight_exports(specs: Sequence[str], *, json_output: bool = False) -> None:
    """Refuses exports that could not be written, or that a preflight does not have.

    Raises:
        InputError: naming the export and what was expected.
    """
    for spec in specs:
        kind, equals, _ = spec.partition("=")
        if kind not in _WRITERS or not equals:
            kinds = ", ".join(f"{kind}=PATH" for kind in _WRITERS)
            raise InputError(f'--export {spec}: must be one of {kinds} (got "{spec}")')
    check_exports(specs, json_output=json_output)


def export_preflight(document: PreflightDocument, spec: str) -> Path:
    """Writes `document` as `spec` asks and gives the path.

    Raises:
        InputError: when the file cannot be written.
    """
    export = parse_export(spec)
    write_atomically(export.path, _WRITERS[export.kind](document))
    return export.path


def _html(document: PreflightDocument) -> str:
    from reports.page import render_preflight

    return render_preflight(document)


def _markdown(document: PreflightDocument) -> str:
    from reports.markdown import plain_line, short_table
    from reports.preflight_page import section_of

    section = section_of(document)
    lines = [f"## {plain_line(section.name)}", "", plain_line(section.headline), ""]
    lines += [f"> **{plain_line(caution)}**\n" for caution in section.cautions]
    lines += [f"- {plain_line(note)}" for note in [*section.support, *section.notes]]
    lines.append("")
    for table in section.tables:
        lines += [f"### {plain_line(table.title)}", "", *short_table(table)]
    return "\n".join(lines).rstrip() + "\n"


_WRITERS: dict[str, Callable[[PreflightDocument], str]] = {
    "html": _html,
    "json": document_text,
    "md": _markdown,
}
