"""Any runs as Markdown that a CI job can show: the verdict, a table of the runs, then each run.

Services cut or refuse a summary above a mebibyte, so that the last runs of a long list are left
out, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports import limits_words, load_findings, tune_findings
from reports.blocks import Column, Table, TableRow
from reports.figures import moment
from reports.kinds import Document
from reports.limits_markdown import render_limits_markdown
from reports.load_markdown import render_load_markdown
from reports.markdown import plain_line, short_table
from reports.nightly_page import night_words
from reports.nightly_page.markdown import night_markdown
from reports.story import names_of, story_of
from reports.tune_markdown import render_tune_markdown

# The limit of GitHub's step summaries, 2026-11; other services allow more.
MOST_BYTES = 1024 * 1024
_ROOM_BYTES = 1024  # for what is said of runs that are left out
_KINDS = {"tune": "tuning", "load": "load run", "limits": "probe of limits", "nightly": "night"}


def render_runs_markdown(documents: Sequence[Document]) -> str:
    """One story of several runs, in the order of the page; of one run, its own summary."""
    if len(documents) == 1:
        return render_run_markdown(documents[0])
    kinds = list(_KINDS)
    runs = sorted(documents, key=lambda document: kinds.index(document.kind))
    parts = [_story(runs)]
    size = len(parts[0].encode())
    for number, document in enumerate(runs):
        part = render_run_markdown(document)
        size += len(part.encode()) + 1
        if size > MOST_BYTES - _ROOM_BYTES:
            parts.append(_left_out(len(runs) - number))
            break
        parts.append(part)
    return "\n".join(parts)


def render_run_markdown(document: Document) -> str:
    """The summary of one run."""
    if document.kind == "load":
        return render_load_markdown(document)
    if document.kind == "limits":
        return render_limits_markdown(document)
    if document.kind == "nightly":
        return night_markdown(document)
    return render_tune_markdown(document)


def _story(runs: Sequence[Document]) -> str:
    story = story_of([("", document) for document in runs])
    lines = [
        f"# {len(runs)} runs",
        "",
        f"**{story.verdict_word}.** {plain_line(f'{story.headline} {story.validity_line}')}",
        "",
        *short_table(_table(runs)),
        *(f"- {plain_line(sentence)}" for sentence in story.links),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _table(runs: Sequence[Document]) -> Table:
    columns = [Column(name, is_text=True) for name in ("Run", "Kind", "Verdict", "Finding", "From")]
    rows = [
        TableRow(
            [name, _KINDS[run.kind], *_words(run), moment(run.provenance.started_utc)],
        )
        for name, run in zip(names_of(runs), runs, strict=True)
    ]
    return Table("Runs", columns, rows)


def _words(run: Document) -> tuple[str, str]:
    """The verdict of a run in a word, and its finding in a sentence."""
    if run.kind == "load":
        return load_findings.verdict_word(run), load_findings.headline(run)
    if run.kind == "limits":
        return limits_words.verdict_word(run), limits_words.headline(run)
    if run.kind == "nightly":
        return night_words.verdict_word(run), night_words.headline(run)
    return tune_findings.verdict_word(run), tune_findings.headline(run)


def _left_out(count: int) -> str:
    runs = "1 run is" if count == 1 else f"{count} runs are"
    return f"{runs} not told here: the summary would be over 1 MiB. The page has all of them.\n"
