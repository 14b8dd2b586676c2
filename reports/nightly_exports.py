"""The files of a night: those in its folder, those of the plan's `outputs`, and each `--export`.

Each is whole or not there, and one that cannot be written costs no other: at three in the morning
nobody is there to try again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputErrors, ToolError
from reports.atomic_file import stream_of, write_atomically
from reports.nightly.document import NightlyDocument
from reports.nightly.plan import NightlyPlan
from reports.page_links import way_to
from reports.run_folder import RESULT_NAME, document_text

KINDS = ("html", "junit", "md", "json", "badge")
# What people wait for least comes last: drawing the page takes longest.
_IN_FOLDER = (
    ("json", RESULT_NAME),
    ("junit", "junit.xml"),
    ("badge", "badge.json"),
    ("md", "summary.md"),
    ("html", "report.html"),
)


@dataclass(frozen=True, slots=True)
class _File:
    """What to write, and where."""

    kind: str
    path: Path


def write_night(
    document: NightlyDocument, folder: Path, plan: NightlyPlan, exports: Sequence[str]
) -> list[Path]:
    """Writes all files of a night and gives their paths; `exports` are `KIND=PATH`, one of `KINDS`.

    Paths of the plan are relative to the plan's file, and their folders are made.

    Raises:
        InputErrors: some could not be written, after all others were.
    """
    texts: dict[tuple[str, str | None], str] = {}
    written: list[Path] = []
    faults: list[str] = []
    for file in _files(document, folder, plan, exports):
        try:
            _write(file, document, folder, texts)
        except ToolError as error:
            faults.append(str(error))
        except Exception as error:
            # A fault of the page must not cost the gates that a pipeline waits for.
            faults.append(f"could not make {file.path}: {type(error).__name__}: {error}")
        else:
            written.append(file.path)
    if faults:
        raise InputErrors(faults)
    return written


def _files(
    document: NightlyDocument, folder: Path, plan: NightlyPlan, exports: Sequence[str]
) -> Iterator[_File]:
    for kind, name in _IN_FOLDER:
        yield _File(kind, folder / name)
    beside = Path(document.provenance.plan_file).parent
    outputs = plan.outputs
    for kind, text in (
        ("json", outputs.json_),
        ("junit", outputs.junit),
        ("badge", outputs.badge),
        ("md", outputs.md),
        ("html", outputs.html),
    ):
        if text is not None:
            yield _File(kind, beside / text)
    for spec in exports:
        kind, _, target = spec.partition("=")
        yield _File(kind, Path(target))


def _write(
    file: _File,
    document: NightlyDocument,
    folder: Path,
    texts: dict[tuple[str, str | None], str],
) -> None:
    """One file; a text that was made for another is not made again."""
    way = None
    if file.kind == "html" and stream_of(file.path) is None:
        way = way_to(folder, file.path)
    key = (file.kind, way)
    if key not in texts:
        texts[key] = _html(document, way) if file.kind == "html" else _WRITERS[file.kind](document)
    if stream_of(file.path) is None:
        # Where that fails, writing says what is wrong, with the whole path.
        with suppress(OSError):
            file.path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file.path, texts[key])


def _html(document: NightlyDocument, way: str | None) -> str:
    from reports.page import render_page

    return render_page([document], {} if way is None else {document.night_id: way})


def _junit(document: NightlyDocument) -> str:
    from reports.junit import junit_text
    from reports.nightly.nightly_junit import nightly_suites

    return junit_text(nightly_suites(document))


def _badge(document: NightlyDocument) -> str:
    from reports.nightly.badge import badge_text

    return badge_text(document)


def _markdown(document: NightlyDocument) -> str:
    from reports.nightly_page.markdown import night_markdown

    return night_markdown(document)


_WRITERS: dict[str, Callable[[NightlyDocument], str]] = {
    "json": document_text,
    "junit": _junit,
    "badge": _badge,
    "md": _markdown,
}
