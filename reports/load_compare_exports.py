"""`reports compare --export KIND=PATH` for two load runs or two probes of limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from reports.atomic_file import write_atomically
from reports.exports import parse_export
from reports.limits_compare_document import LimitsCompareDocument
from reports.load_compare_document import LoadCompareDocument
from reports.run_folder import document_text

Compared = TypeVar("Compared")


def write_exports(
    document: Compared, specs: Sequence[str], writers: Mapping[str, Callable[[Compared], str]]
) -> list[Path]:
    """Writes each export, all of them checked before, and gives the paths.

    Raises:
        InputError: when a file cannot be written.
    """
    exports = [parse_export(spec, tuple(writers)) for spec in specs]
    for export in exports:
        write_atomically(export.path, writers[export.kind](document))
    return [export.path for export in exports]


def _load_html(document: LoadCompareDocument) -> str:
    from reports.page import render_load_comparison

    return render_load_comparison(document)


def _load_markdown(document: LoadCompareDocument) -> str:
    from reports.load_compare_markdown import render_load_compare_markdown

    return render_load_compare_markdown(document)


def _load_csv(document: LoadCompareDocument) -> str:
    from reports.load_compare_frame import frame_of

    return frame_of(document).to_csv(index=False, lineterminator="\n")


def _load_junit(document: LoadCompareDocument) -> str:
    from reports.junit import junit_text
    from reports.load_compare_gates import gate_suite

    return junit_text([gate_suite(document)])


def _limits_html(document: LimitsCompareDocument) -> str:
    from reports.page import render_limits_comparison

    return render_limits_comparison(document)


def _limits_markdown(document: LimitsCompareDocument) -> str:
    from reports.limits_compare_view import render_limits_compare_markdown

    return render_limits_compare_markdown(document)


LOAD_WRITERS: Mapping[str, Callable[[LoadCompareDocument], str]] = {
    "html": _load_html,
    "md": _load_markdown,
    "json": document_text,
    "csv": _load_csv,
    "junit": _load_junit,
}
LIMITS_WRITERS: Mapping[str, Callable[[LimitsCompareDocument], str]] = {
    "html": _limits_html,
    "md": _limits_markdown,
    "json": document_text,
}
