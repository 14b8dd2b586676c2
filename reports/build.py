"""`reports build`: reads runs, writes the page and what else was asked for, says where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from core.console import Console
from core.errors import ExitCode
from reports.atomic_file import stream_of, write_atomically
from reports.collector import held_back
from reports.exports import check_exports, check_writable, given_runs
from reports.kinds import Document
from reports.page_links import way_to
from reports.run_folder import RESULT_NAME, read_document, result_file


def build_report(
    console: Console, runs: Sequence[Path], output: Path, exports: Sequence[str], *, chart: bool
) -> ExitCode:
    """Writes the page of `runs` to `output`, and each of `exports`.

    Raises:
        InputError: when an option is wrong, a run cannot be read, or a file cannot be written.
    """
    check_writable(output, f"--output {output}")
    taken = [*given_runs(runs), (f"--output {output}", output)]
    check_exports(exports, taken=taken, json_output=console.json_output)
    documents: list[Document] = []
    with held_back():
        runs = _finished(console, _once_each(console, runs))
        for run in runs:
            console.detail(f"reading {run}")
            documents.append(read_document(run))

        from reports.page import render_page

        page = render_page(documents, _night_folders(documents, runs, output))
    write_atomically(output, page)
    console.detail(f"wrote {len(documents)} run(s), {len(page.encode()) / 1024:.0f} KB")
    if chart:
        from reports.chart_view import show_charts

        show_charts(console, documents)
    written = [output, *_exported(console, documents, exports)]
    if console.json_output:
        console.document(_answer(written))
    else:
        for path in written:
            # What is on stdout itself needs no path there.
            if stream_of(path) != 1:
                console.document(str(path))
    return ExitCode.PASS


def _night_folders(
    documents: Sequence[Document], runs: Sequence[Path], output: Path
) -> dict[str, str]:
    """Where the folders of nights are, seen from the page."""
    if stream_of(output) is not None:
        return {}
    return {
        document.night_id: way_to(result_file(run).parent, output)
        for document, run in zip(documents, runs, strict=True)
        if document.kind == "nightly"
    }


def _exported(
    console: Console, documents: Sequence[Document], exports: Sequence[str]
) -> list[Path]:
    from reports.runs_exports import export_runs

    found = []
    for spec in exports:
        found.append(export_runs(documents, spec))
        console.detail(f"wrote {found[-1]}")
    return found


def _once_each(console: Console, runs: Sequence[Path]) -> Sequence[Path]:
    """Each run once: patterns of a shell overlap, and a run that counts twice is a wrong sum."""
    found: dict[Path, Path] = {}
    for run in runs:
        first = found.setdefault(result_file(run).resolve(), run)
        if first is not run:
            console.warn(f"{run}: given twice; it is on the page once")
    return list(found.values())


def _finished(console: Console, runs: Sequence[Path]) -> Sequence[Path]:
    """The runs that left a result; of several, the others are named on stderr and left out."""
    unfinished = [run for run in runs if run != result_file(run) and not result_file(run).exists()]
    if len(unfinished) == len(runs):
        return runs  # reading the first says what is wrong
    for run in unfinished:
        console.warn(f"skipped {run}: no {RESULT_NAME} in it")
    return [run for run in runs if run not in unfinished]


def _answer(written: Sequence[Path]) -> str:
    return json.dumps(
        {
            "schema_version": 1,
            "verdict": "pass",
            "exit_code": int(ExitCode.PASS),
            "errors": [],
            "path": str(written[0]),
            **({"exports": [str(path) for path in written[1:]]} if len(written) > 1 else {}),
        }
    )
