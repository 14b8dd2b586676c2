"""Savings that are sure enough to stand on the line of a template where the memory size is set."""

from __future__ import annotations

from reports.document import TuneDocument
from reports.nightly.document import SavingFound

# By the lower bound of its 90 % interval; for less hardly anybody changes a setting.
LEAST_SAVING_SHARE = 0.05


def savings_of(document: TuneDocument, step: str) -> SavingFound | None:
    """The saving of the recommended size over today's; None where it is not surely above 5 %.

    None as well of a run that did not end with an answer: its best size so far is no advice.
    """
    taken, current_mb = document.recommendation, document.current.memory_mb
    if document.verdict != "pass" or taken is None or taken.saving is None:
        return None
    low, _ = taken.saving.cost_interval
    if taken.memory_mb == current_mb or low <= LEAST_SAVING_SHARE:
        return None
    return SavingFound(
        step=step,
        function=document.function.name,
        from_mb=current_mb,
        to_mb=taken.memory_mb,
        saving_share=taken.saving.cost_share,
        saving_interval=taken.saving.cost_interval,
    )
