"""`--export KIND=PATH`: a run as a page, a document, a table, a summary or gates.

Specs are checked before a run begins, so that a typing error costs no measurement. Nothing heavy
is imported until an export is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from reports.atomic_file import stream_of, write_atomically
from reports.parquet import check_parquet

if TYPE_CHECKING:
    from reports.kinds import Document

KINDS = ("html", "json", "csv", "md", "junit", "parquet")
# What a file of a kind is called, where the kind is no name for that.
_EXTENSIONS = {"junit": "xml"}


@dataclass(frozen=True, slots=True)
class Export:
    """What to write, and where."""

    kind: str
    path: Path


def parse_export(spec: str, kinds: Collection[str] = KINDS) -> Export:
    """A checked `KIND=PATH`, of one of `kinds`.

    Raises:
        InputError: if the kind is unknown, the path is missing, nothing can be written there, or
            what writes that kind is not installed.
    """
    kind, equals, target = spec.partition("=")
    if kind not in kinds or not equals:
        listed = ", ".join(f"{name}=PATH" for name in kinds)
        raise InputError(f'--export {spec}: must be one of {listed} (got "{spec}")')
    if not target:
        example = f"{kind}=report.{_EXTENSIONS.get(kind, kind)}"
        raise InputError(f'--export {spec}: needs a path after "=", as in {example} (got none)')
    path = Path(target)
    check_writable(path, f"--export {spec}")
    if kind == "parquet":
        check_parquet(f"--export {spec}")
    return Export(kind, path)


def check_exports(
    specs: Sequence[str],
    kinds: Collection[str] = KINDS,
    taken: Sequence[tuple[str, Path]] = (),
    *,
    json_output: bool = False,
) -> None:
    """Refuses exports that could not be written, or of which one would replace another.

    `taken` are paths that are read or written besides, each with the option that says so. With
    `json_output`, stdout is one document and takes no other.

    Raises:
        InputError: as `parse_export` does, or if two go to one file.
    """
    for option, path in (*taken, *((f"--export {spec}", _path_of(spec)) for spec in specs)):
        if json_output and stream_of(path) == 1:
            raise InputError(f"{option}: must be a file of its own, since --json is on stdout")
    others: dict[Path, str] = {}
    exports = [(f"--export {spec}", parse_export(spec, kinds).path) for spec in specs]
    for option, path in (*taken, *exports):
        place = path.resolve()
        if place in others:
            raise InputError(f"{option}: must have a path of its own (got that of {others[place]})")
        others[place] = option


def given_runs(runs: Sequence[Path]) -> list[tuple[str, Path]]:
    """The files that are read of `runs`, as `check_exports` takes them: none may be replaced."""
    from reports.run_folder import result_file

    files = {result_file(run).resolve(): f"the run {run}" for run in runs}
    return [(name, path) for path, name in files.items()]


def _path_of(spec: str) -> Path:
    return Path(spec.partition("=")[2])


def check_writable(path: Path, option: str) -> None:
    """Refuses a path where no file can be written; `option` names where it came from.

    Raises:
        InputError: if the path is a directory, or its directory is missing or read-only.
    """
    try:
        _check_place(path, option)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{option}: could not be written: {reason}") from error


def _check_place(path: Path, option: str) -> None:
    if str(path) == "-":
        raise InputError(f'{option}: must be a file (got "-")', hint="/dev/stdout is one")
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
    from reports.run_frames import frame_of

    return frame_of(document).to_csv(index=False, lineterminator="\n")


def _parquet(document: Document) -> bytes:
    from reports.parquet import parquet_bytes
    from reports.run_frames import frame_of

    return parquet_bytes(frame_of(document))


def _markdown(document: Document) -> str:
    from reports.runs_markdown import render_run_markdown

    return render_run_markdown(document)


def _junit(document: Document) -> str:
    from reports.gates import suites_of
    from reports.junit import junit_text

    return junit_text(suites_of([document]))


_WRITERS: dict[str, Callable[[Document], str | bytes]] = {
    "html": _html,
    "json": _json,
    "csv": _csv,
    "md": _markdown,
    "junit": _junit,
    "parquet": _parquet,
}
