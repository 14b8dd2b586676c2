"""Tables of those who asked: modelled clients, keys and versions, as far as a run has them."""

from __future__ import annotations

from reports.blocks import Table
from reports.load_document import LoadDocument
from reports.load_fairness import fairness_table
from reports.load_retry_tables import attempts_table, operations_table, retry_phases_table
from reports.load_versions import versions_table
from reports.markdown import plain_line, short_table


def client_tables(document: LoadDocument) -> list[Table]:
    """All that there are, in the order of a page."""
    retries = document.retries
    found: list[Table | None] = []
    if retries is not None:
        found += [operations_table(retries), attempts_table(retries), retry_phases_table(retries)]
    if document.fairness is not None:
        found.append(fairness_table(document.fairness))
    if document.versions is not None:
        found.append(versions_table(document.versions))
    return [table for table in found if table is not None]


def client_lines(document: LoadDocument) -> list[str]:
    """The same as Markdown: what is to be said of each table, and the table."""
    lines: list[str] = []
    for table in client_tables(document):
        said = [text for text in (table.lead, *table.notes) if text]
        lines += [f"- {plain_line(text)}" for text in said]
        lines += ["", *short_table(table)] if said else short_table(table)
    return lines
