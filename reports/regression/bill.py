"""What a load run costs, priced anew: a change of the price list is no change of the code."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from reports.history.record import RunRecord
from reports.load_cost_parts import LoadCostPart
from reports.regression.series import Observation


def usd_per_million(bill: Sequence[LoadCostPart], requests: int | None) -> float | None:
    """US dollars for a million admitted requests; None where nothing of the bill is known."""
    known = [part.usd for part in bill if part.usd is not None]
    return sum(known) / requests * 1e6 if known and requests else None


def bill_observations(records: Sequence[RunRecord]) -> list[Observation]:
    """ln(cost of a million admitted requests) of each night, at the last night's prices.

    `records` are ascending. Of the parts that the last night knows, and only of nights that know
    all of them as well as it: a night whose logs could not be read has the service time as the
    most that a call can have been billed, and is not dearer for it. A bill says nothing of how sure
    it is.
    """
    if not records:
        return []
    prices = {_name(part): part.unit_usd for part in records[-1].bill}
    found = []
    for record in records:
        parts = {_name(part): part for part in record.bill}
        if not prices or not prices.keys() <= parts.keys():
            continue
        priced = [parts[name].model_copy(update={"unit_usd": usd}) for name, usd in prices.items()]
        value = usd_per_million(priced, record.bill_requests)
        if value:
            found.append(Observation(record.sequence, log(value), None))
    return found


def unlike_bills(records: Sequence[RunRecord], tonight: RunRecord) -> int:
    """How many of the nights are left out because they do not know what tonight's bill does."""
    wanted = {_name(part) for part in tonight.bill}
    return sum(not wanted <= {_name(part) for part in record.bill} for record in records)


def _name(part: LoadCostPart) -> tuple[str, str, str]:
    return part.part, part.function or "", part.bound
