"""`--export KIND=PATH`: a run as a page, a document, a table or a summary.

Specs are checked before a run begins, so that a typing error costs no measurement. Nothing heavy
is imported until an export is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from reports.atomic_file import write_atomically

if TYPE_CHECKING:
    from reports.kinds import Document


@dataclass(frozen=True, slots=True)
class Export:
    """What to write, and where."""

    kind: str
    path: Path


def parse_export(spec: str) -> Export:
    """A checked `KIND=PATH`.

    Raises:
        InputError: if the kind is unknown, the path is missing, or nothing can be written there.
    """
    kind, equals, target = spec.partition("=")
    if kind not in _WRITERS or not equals:
        kinds = ", ".join(f"{name}=PATH" for name in _WRITERS)
        raise InputError(f'--export {spec}: must be one of {kinds} (got "{spec}")')
    if not target:
        raise InputError(
            f'--export {spec}: needs a path after "=", as in {kind}=report.{kind} (got none)'
        )
    path = Path(target)
    check_writable(path, f"--export {spec}")
    return Export(kind, path)


def check_exports(specs: Sequence[str]) -> None:
    """Refuses exports that could not be written, or of which one would replace another.

    Raises:
        InputError: as `parse_export` does, or if two go to one file.
    """
    taken: dict[Path, str] = {}
    for spec in specs:
        path = parse_export(spec).path.resolve()
        if path in taken:
            raise InputError(
                f"--export {spec}: must have a path of its own (got that of {taken[path]})"
            )
        taken[path] = spec


def check_writable(path: Path, option: str) -> None:
    """Refuses a path where no file can be written; `option` names where it came from.

    Raises:
        InputError: if the path is a directory, or its directory is missing or read-only.
    """
    if path.is_dir():
        raise InputError(f'{option}: must be a file (got the directory "{path}")')
    if not path.parent.is_dir():
        raise InputError(
            f'{option}: the directory must exist (got "{path.parent}")', hint="make it first"
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f'{option}: must be writable (got "{path}")')


def export_document(document: Document, spec: str) -> Path:
    """Writes `document` as `spec` asks and gives the path.

    Raises:
        InputError: as `parse_export` does, or if the file cannot be written.
    """
    export = parse_export(spec)
    write_atomically(export.path, _WRITERS[export.kind](document))
    return export.path


def _html(document: Document) -> str:
    from reports.page import render_page

    return render_page([document])


def _json(document: Document) -> str:
    from reports.run_folder import document_text

    return document_text(document)


def _csv(document: Document) -> str:
    from reports import load_frame, tune_frame

    if document.kind == "limits":
        raise InputError("--export csv: a probe of limits has no table of its own")
    if document.kind == "load":
        frame = load_frame.frame_of(document)
    else:
        frame = tune_frame.frame_of(document)
    return frame.to_csv(index=False, lineterminator="\n")


def _markdown(document: Document) -> str:
    from reports.limits_markdown import render_limits_markdown
    from reports.load_markdown import render_load_markdown
    from reports.tune_markdown import render_tune_markdown

    if document.kind == "load":
        return render_load_markdown(document)
    if document.kind == "limits":
        return render_limits_markdown(document)
    return render_tune_markdown(document)


_WRITERS: dict[str, Callable[[Document], str]] = {
    "html": _html,
    "json": _json,
    "csv": _csv,
    "md": _markdown,
}
