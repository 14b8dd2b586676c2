"""The order in which a page tells of a load run: can it be trusted, what it costs, what happened.

What the data lack has no row, and a part without rows is not there; `reports.load_absent` names it.
"""

from __future__ import annotations

from reports.budget_panel import budget_figure, budget_table
from reports.cold_panel import cold_figure, init_figure
from reports.concurrency import Forecast
from reports.concurrency_panel import concurrency_figure, concurrency_table
from reports.cost_panel import cost_figure, cost_table, function_costs_table
from reports.figures import closed
from reports.load_charts import time_figures
from reports.load_client_tables import client_tables
from reports.load_curve import curve_figure
from reports.load_document import LoadDocument
from reports.load_endpoints import steps_table
from reports.load_facts import (
    TWO_CLOCKS,
    books_of,
    facts_of,
    health_of,
    spent_sentences,
    validity_sentence,
)
from reports.load_outcome_tables import causes_table, errors_table, failures_table, statuses_table
from reports.load_parts import (
    Panel,
    Part,
    Row,
    beside,
    figure_row,
    part,
    shown,
    table_row,
)
from reports.load_spectrum import percentile_figure
from reports.load_tables import (
    latency_table,
    limits_table,
    phases_table,
    thresholds_table,
)
from reports.prediction_comparison import comparison_tables
from reports.search_charts import search_figures
from reports.search_tables import search_table
from reports.waterfall_chart import waterfall_figure
from reports.waterfall_tables import cold_tables, time_tables

_NO_LIMITS = "No limit was read: the profile or the target does not allow it."


def parts_of(document: LoadDocument, anchor: str, forecast: Forecast | None) -> list[Part]:
    """All parts that have anything in them, in the order of the page."""
    return shown(
        [
            _validity(document, anchor),
            _search(document, anchor),
            _cost(document, anchor),
            _time(document, anchor),
            _rates(document, anchor),
            _limits(document, anchor),
            _capacity(document, anchor, forecast),
            _budget(document, anchor),
            _latency(document, anchor),
            _steps(document, anchor),
            _thresholds(document, anchor),
            _provenance(document, anchor),
        ]
    )


def _validity(document: LoadDocument, anchor: str) -> Part:
    warnings = [closed(warning) for warning in document.validity.warnings]
    health = Panel(
        title="What the load generator did",
        sentences=[validity_sentence(document)],
        points=warnings,
        facts=health_of(document),
    )
    books = Panel(title="Where the requests went", facts=books_of(document))
    notes = [closed(note) for note in document.notes]
    rows = [
        beside(health, books),
        beside(Panel(title="Worth knowing", points=notes)) if notes else None,
    ]
    return part(anchor, "validity", "Validity of the measurement", rows)


def _search(document: LoadDocument, anchor: str) -> Part:
    search = document.search
    rows: list[Row | None] = []
    if search is not None:
        rows.append(beside(*(Panel(figure=figure) for figure in search_figures(search, anchor))))
        rows.append(table_row(search_table(search)))
    return part(anchor, "search", "The search", rows)


def _cost(document: LoadDocument, anchor: str) -> Part:
    spent = Panel(title="What this run cost", sentences=spent_sentences(document))
    rows = [
        figure_row(cost_figure(document, anchor)),
        table_row(cost_table(document)),
        table_row(function_costs_table(document)),
        beside(spent),
    ]
    return part(anchor, "cost", "Cost", rows)


def _time(document: LoadDocument, anchor: str) -> Part:
    figure = waterfall_figure(document.waterfall, anchor) if document.waterfall else None
    rows = [figure_row(figure), *(table_row(table) for table in time_tables(document))]
    return part(anchor, "time", "Decomposition", rows)


def _rates(document: LoadDocument, anchor: str) -> Part:
    answers = (statuses_table(document), failures_table(document))
    rows = [
        *(figure_row(figure) for figure in time_figures(document, anchor)),
        table_row(causes_table(document)),
        table_row(errors_table(document)),
        beside(*(Panel(table=table) for table in answers if table is not None)),
    ]
    return part(anchor, "rates", "Rates, refusals and failures", rows)


def _limits(document: LoadDocument, anchor: str) -> Part:
    limits = limits_table(document)
    predicted = comparison_tables(document.prediction) if document.prediction else []
    rows = [
        table_row(limits)
        if limits is not None
        else beside(Panel(title="Limits in force", sentences=[_NO_LIMITS])),
        *(table_row(table) for table in predicted),
    ]
    return part(anchor, "limits", "Limits", rows)


def _capacity(document: LoadDocument, anchor: str, forecast: Forecast | None) -> Part:
    rows = []
    if forecast is not None:
        rows.append(figure_row(concurrency_figure(forecast, anchor)))
        rows.append(table_row(concurrency_table(forecast)))
    rows.append(figure_row(cold_figure(document, anchor)))
    init = init_figure(document.cold_starts, anchor) if document.cold_starts else None
    rows += [table_row(table) for table in cold_tables(document)]
    rows.append(figure_row(init))
    return part(anchor, "capacity", "Concurrency and cold starts", rows)


def _budget(document: LoadDocument, anchor: str) -> Part:
    rows = [figure_row(budget_figure(document, anchor)), table_row(budget_table(document))]
    return part(anchor, "budget", "Error budget", rows)


def _latency(document: LoadDocument, anchor: str) -> Part:
    spectrum, latencies = percentile_figure(document, anchor), latency_table(document)
    rows = [
        beside(
            Panel(figure=spectrum) if spectrum is not None else None,
            Panel(table=latencies, sentences=[TWO_CLOCKS]) if latencies is not None else None,
            css="spectrum",
        ),
        figure_row(curve_figure(document, anchor)),
    ]
    return part(anchor, "latency", "Latency", rows)


def _steps(document: LoadDocument, anchor: str) -> Part:
    tables = [steps_table(document), phases_table(document), *client_tables(document)]
    rows = [table_row(table) for table in tables]
    return part(anchor, "steps", "Steps and phases", rows)


def _thresholds(document: LoadDocument, anchor: str) -> Part:
    return part(anchor, "thresholds", "Thresholds", [table_row(thresholds_table(document))])


def _provenance(document: LoadDocument, anchor: str) -> Part:
    rows = [beside(Panel(title="What it takes to repeat this", facts=facts_of(document)))]
    return part(anchor, "provenance", "Provenance", rows)
