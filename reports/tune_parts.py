"""The tables that only some tunings have, in the order in which readers meet them."""

from __future__ import annotations

from reports.blocks import Table
from reports.document import TuneDocument
from reports.tune_arch import arch_table
from reports.tune_cold import cold_table
from reports.tune_monthly import monthly_tables
from reports.tune_payloads import payloads_table
from reports.tune_slo import slo_table


def tables_of(document: TuneDocument) -> list[Table]:
    """Limit, payloads, cold starts, architectures, the month: those that the document has."""
    return [*special_tables(document), *monthly_tables(document)]


def special_tables(document: TuneDocument) -> list[Table]:
    """The same without the month, which a page has beside its costs."""
    found = [
        slo_table(document),
        payloads_table(document),
        cold_table(document),
        arch_table(document),
    ]
    return [table for table in found if table is not None]
