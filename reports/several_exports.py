"""`tune fn-a fn-b --export KIND=PATH`: several tunings as page, document, tables or summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.atomic_file import write_atomically
from reports.exports import parse_export
from reports.run_folder import document_text
from reports.several_document import SeveralDocument

if TYPE_CHECKING:
    import pandas as pd

    from reports.document import TuneDocument


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
    return _frame(document).to_csv(index=False, lineterminator="\n")


def _parquet(document: SeveralDocument) -> bytes:
    from reports.parquet import parquet_bytes

    return parquet_bytes(_frame(document))


def _frame(document: SeveralDocument) -> pd.DataFrame:
    from reports.tune_frame import frame_of_all

    return frame_of_all(_tunings(document))


def _tunings(document: SeveralDocument) -> Sequence[TuneDocument]:
    return [result.document for result in document.functions if result.document is not None]


def _markdown(document: SeveralDocument) -> str:
    from reports.several_markdown import render_several_markdown

    return render_several_markdown(document)


def _junit(document: SeveralDocument) -> str:
    """A suite for each tuning, and one for the functions that have none."""
    from reports.gates import gates_of, unmeasured_gates
    from reports.junit import junit_text

    suites = [gates_of(tuning) for tuning in _tunings(document)]
    return junit_text([*suites, *unmeasured_gates(document)])


_WRITERS: dict[str, Callable[[SeveralDocument], str | bytes]] = {
    "html": _html,
    "json": document_text,
    "csv": _csv,
    "md": _markdown,
    "junit": _junit,
    "parquet": _parquet,
}
