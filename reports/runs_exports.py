"""`reports build RUN... --export KIND=PATH`: the same runs as page, summary, gates and tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from reports.atomic_file import write_atomically
from reports.exports import parse_export
from reports.kinds import Document

Documents = Sequence[Document]


def export_runs(documents: Documents, spec: str) -> Path:
    """Writes `documents` as `spec` asks and gives the path.

    Raises:
        InputError: as `reports.exports.parse_export` does, or if the file cannot be written.
    """
    export = parse_export(spec)
    write_atomically(export.path, _WRITERS[export.kind](documents))
    return export.path


def _html(documents: Documents) -> str:
    from reports.page import render_page

    return render_page(documents)


def _json(documents: Documents) -> str:
    """All documents in one, in the order in which they were given."""
    runs = [document.model_dump(mode="json") for document in documents]
    whole = {"schema_version": 1, "kind": "runs", "runs": runs}
    return json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _csv(documents: Documents) -> str:
    from reports.run_frames import long_frame

    return long_frame(documents).to_csv(index=False, lineterminator="\n")


def _parquet(documents: Documents) -> bytes:
    from reports.parquet import parquet_bytes
    from reports.run_frames import long_frame

    return parquet_bytes(long_frame(documents))


def _markdown(documents: Documents) -> str:
    from reports.runs_markdown import render_runs_markdown

    return render_runs_markdown(documents)


def _junit(documents: Documents) -> str:
    from reports.gates import suites_of
    from reports.junit import junit_text

    return junit_text(suites_of(documents))


_WRITERS: dict[str, Callable[[Documents], str | bytes]] = {
    "html": _html,
    "json": _json,
    "csv": _csv,
    "md": _markdown,
    "junit": _junit,
    "parquet": _parquet,
}
