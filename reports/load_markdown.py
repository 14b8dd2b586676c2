"""A load run as Markdown, short enough for a pull request or the step summary of a CI job."""

from __future__ import annotations

from reports.budget_panel import budget_table
from reports.concurrency import Forecast, forecast_of
from reports.concurrency_panel import concurrency_table
from reports.cost_panel import cost_table
from reports.figures import closed, moment
from reports.load_client_tables import client_lines
from reports.load_document import LoadDocument
from reports.load_endpoints import steps_table
from reports.load_facts import spent_sentences
from reports.load_findings import cautions, headline, subtitle, support, verdict_word
from reports.load_matters import exit_sentence, matters, next_step, validity_line
from reports.load_outcome_tables import causes_table, errors_table, failures_table, statuses_table
from reports.load_tables import thresholds_table
from reports.markdown import plain_line, short_table
from reports.prediction_comparison import comparison_table
from reports.search_tables import search_table
from reports.waterfall_markdown import time_lines


def render_load_markdown(document: LoadDocument) -> str:
    """The verdict line, what supports it, and the tables that are short on most runs."""
    started = moment(document.provenance.started_utc)
    lines = [f"## Load run {plain_line(document.name)}", ""]
    lines += [f"> **{plain_line(caution)}**\n" for caution in cautions(document)]
    lines += [f"**{verdict_word(document)}.** {plain_line(headline(document))}", ""]
    lines += [validity_line(document), ""]
    forecast = forecast_of(document)
    notes = [closed(note) for note in document.notes]
    said = [*support(document), exit_sentence(document), *notes]
    lines += [f"- {plain_line(sentence)}" for sentence in said]
    lines += _matters_lines(document, forecast)
    for table in (
        search_table(document.search) if document.search else None,
        thresholds_table(document),
        causes_table(document),
        errors_table(document),
        statuses_table(document),
        failures_table(document),
        steps_table(document),
        budget_table(document),
        cost_table(document),
        concurrency_table(forecast) if forecast else None,
    ):
        lines += short_table(table) if table is not None else []
    lines += _comparison_lines(document)
    lines += client_lines(document)
    lines += time_lines(document)
    closing = " ".join([f"{subtitle(document, started)}.", *spent_sentences(document)])
    lines.append(plain_line(closing))
    return "\n".join(lines).rstrip() + "\n"


def _matters_lines(document: LoadDocument, forecast: Forecast | None) -> list[str]:
    """The three findings that matter most, and what to do next."""
    found = enumerate(matters(document, forecast), start=1)
    lines = ["", *(f"{number}. {plain_line(finding)}" for number, finding in found)]
    step = plain_line(next_step(document, forecast))
    return [*lines, *([""] if len(lines) > 1 else []), f"**Next:** {step}", ""]


def _comparison_lines(document: LoadDocument) -> list[str]:
    """What was predicted beside what was measured, and what is not compared."""
    table = comparison_table(document.prediction) if document.prediction else None
    if table is None:
        return []
    notes = [f"- {plain_line(note)}" for note in table.notes]
    return [*short_table(table), *notes, *([""] if notes else [])]
