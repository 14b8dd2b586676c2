"""What is taken from a run into the history: its figures, how sure they are, and all behind them.

Both kinds of run keep what their figures are made of (histograms by blocks of time, billed time by
memory size, the parts of a bill), so that a later version can derive them again, and at any prices.
"""

from __future__ import annotations

from reports.document import TuneDocument
from reports.history.record import Purpose, RunRecord
from reports.load_document import LoadDocument
from reports.nightly.night_facts import NightFacts
from reports.nightly.observe_load import absent_of_load, load_record
from reports.nightly.observe_tune import absent_of_tune, tune_record


def record_of(
    document: LoadDocument | TuneDocument,
    *,
    plan: str,
    step: str,
    night: NightFacts,
    purpose: Purpose = "night",
) -> RunRecord:
    """The record of one run of `step`, which `night` made for `purpose`."""
    if isinstance(document, TuneDocument):
        return tune_record(document, plan=plan, step=step, night=night, purpose=purpose)
    return load_record(document, plan=plan, step=step, night=night, purpose=purpose)


def absent_figures(document: LoadDocument | TuneDocument) -> list[str]:
    """What somebody may look for in the record and does not find, and why, in words."""
    if isinstance(document, TuneDocument):
        return absent_of_tune(document)
    return absent_of_load(document)
