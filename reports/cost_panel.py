"""What a million requests cost, part by part: a bar, its table, and the month at a stated rate.

The cost is of all phases, so that it is divided by all requests that were admitted, warm-up and
all. Prices are list prices of the first tier; a part that is not known is named, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports import svg
from reports.blocks import Column, Table, TableRow
from reports.figure import Data, DataRow, Figure
from reports.figures import ABSENT, column, listed, part_of, rate, requests, significant, usd
from reports.hatch import INIT_FILL, Fill
from reports.load_cost_parts import CostBound, CostPartName, LoadCostPart
from reports.load_document import LoadDocument
from reports.parts_chart import FULL, MIDDLE, SMALL, Bar, PartsChart, Piece, draw_parts_chart

MONTH_S = 30.4375 * 24 * 3600
_MILLION = 1e6
_TITLE = "Cost of a million requests"

_NAMES: dict[CostPartName, str] = {
    "api_requests": "API Gateway requests",
    "lambda_requests": "Lambda requests",
    "lambda_duration": "Lambda duration",
    "lambda_init": "Lambda INIT",
    "logs": "logs",
    "data_transfer": "data transfer",
}
# As where the time goes: gateway amber, function green, its start red; the rest is grey.
_FILLS: dict[CostPartName, Fill] = {
    "api_requests": Fill("c-refused", svg.REFUSED),
    "lambda_requests": Fill("c-admitted", svg.ADMITTED),
    "lambda_duration": Fill("c-taken c-fill", svg.RECOMMENDED),
    "lambda_init": INIT_FILL,
    "logs": Fill("c-unnamed", svg.UNNAMED, svg.MUTED, "dots"),
    "data_transfer": Fill("c-unnamed", svg.UNNAMED, svg.MUTED, "level"),
}
_BOUNDS: dict[CostBound, str] = {"about": "", "at_most": "at most ", "at_least": "at least "}


@dataclass(frozen=True, slots=True)
class Cost:
    """A part over all functions; `usd` is None where one of them is not known."""

    part: CostPartName
    amount: float | None
    unit: str
    unit_usd: float | None
    usd: float | None
    bound: CostBound
    detail: str


def admitted_requests(document: LoadDocument) -> int:
    """Requests of all phases that no limit refused: what the bill is divided by."""
    if not document.phases:
        return document.requests.completed - document.outcomes.throttled
    return sum(one.requests.completed - one.outcomes.throttled for one in document.phases)


def costs_of(parts: Sequence[LoadCostPart]) -> list[Cost]:
    """Each part once, in the order of the page."""
    return [
        _together([part for part in parts if part.part == name])
        for name in _NAMES
        if any(part.part == name for part in parts)
    ]


def _together(parts: Sequence[LoadCostPart]) -> Cost:
    amounts = [part.amount for part in parts if part.amount is not None]
    known = [part.usd for part in parts if part.usd is not None]
    whole = len(known) == len(parts)
    prices = {part.unit_usd for part in parts}
    bounds = {part.bound for part in parts}
    return Cost(
        part=parts[0].part,
        amount=sum(amounts) if len(amounts) == len(parts) else None,
        unit=parts[0].unit,
        unit_usd=prices.pop() if len(prices) == 1 else None,
        usd=sum(known) if whole else None,
        bound=bounds.pop() if len(bounds) == 1 else "at_most",
        detail=_details([part for part in parts if whole or part.usd is None]),
    )


def _details(parts: Sequence[LoadCostPart]) -> str:
    """What is known from what; with several functions each says it of itself."""
    said = list(dict.fromkeys(part.detail for part in parts))
    if len(said) == 1:
        return said[0]
    return "; ".join(f"{part.function}: {part.detail}" for part in parts)


def cost_figure(document: LoadDocument, anchor: str) -> Figure | None:
    """The bar of a million admitted requests; None where no part has a price."""
    n = admitted_requests(document)
    known = [cost for cost in costs_of(document.spent.parts) if cost.usd]
    if not known or not n:
        return None
    per_million = [_MILLION * (cost.usd or 0.0) / n for cost in known]
    total = sum(per_million)
    pieces = [
        Piece(
            _NAMES[cost.part],
            value,
            _FILLS[cost.part],
            f"{_NAMES[cost.part]}: {_bounded(cost, usd(value))}, {part_of(value, total)}",
        )
        for cost, value in zip(known, per_million, strict=True)
    ]
    chart = PartsChart(
        title=_TITLE,
        finding=cost_finding(document),
        bars=[Bar(f"A million admitted requests: {usd(total)}", pieces)],
        order=list(_NAMES.values()),
    )
    drawings = [
        draw_parts_chart(chart, canvas, f"{anchor}-cost-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    return Figure(_TITLE, _help(document), drawings, _data(known, per_million), "cost")


def _data(known: Sequence[Cost], per_million: Sequence[float]) -> Data:
    columns = [Column("Part", is_text=True), Column("A million", "USD"), Column("Share")]
    cells = column(per_million)
    rows = [
        DataRow(None, [_NAMES[cost.part], cell or ABSENT, part_of(value, sum(per_million))])
        for cost, value, cell in zip(known, per_million, cells, strict=True)
    ]
    return Data(columns, rows)


def cost_finding(document: LoadDocument) -> str:
    """What a million admitted requests cost, and what most of it is."""
    n = admitted_requests(document)
    known = [cost for cost in costs_of(document.spent.parts) if cost.usd]
    total = sum(cost.usd or 0.0 for cost in known)
    largest = max(known, key=lambda cost: cost.usd or 0.0)
    return (
        f"A million admitted requests cost {usd(_MILLION * total / n)}; most of it, "
        f"{part_of(largest.usd or 0.0, total)}, is {_NAMES[largest.part]}."
    )


def _help(document: LoadDocument) -> str:
    date = f" of {document.spent.prices_date}" if document.spent.prices_date else ""
    words = (
        f"{cost_finding(document)} The largest part is where a change saves most. List prices"
        f"{date}, first tier, no free tier, in the mix of this run, its warm-up and its cold "
        "starts included; what is refused costs nothing at API Gateway."
    )
    return f"{words} {_month(document)}"


def _month(document: LoadDocument) -> str:
    """The bill of a month, at a number of requests that is stated; nothing beyond it is meant."""
    total = sum(cost.usd or 0.0 for cost in costs_of(document.spent.parts))
    # The number that is said is the one that is multiplied.
    per_month = float(f"{document.rates.admitted_rps * MONTH_S:.3g}")
    bill = total / admitted_requests(document) * per_month
    return (
        f"At {requests(per_month)} requests/month, the admitted {rate(document.rates.admitted_rps)}"
        f" all month, that is {usd(bill)}/month."
    )


def cost_table(document: LoadDocument) -> Table | None:
    """One row for each part, known or not, with what is known of it; and their sum."""
    costs, n = costs_of(document.spent.parts), admitted_requests(document)
    if not costs:
        return None
    total = sum(cost.usd or 0.0 for cost in costs)
    columns = [
        Column("Part", is_text=True),
        Column("In this run"),
        Column("This run", "USD"),
        Column("A million", "USD"),
        Column("Share"),
        Column("Known from", is_text=True),
    ]
    values = [*(cost.usd for cost in costs), total]
    in_run = column(values, 2)
    million = column([_MILLION * usd / n if usd is not None and n else None for usd in values], 2)
    rows = [
        TableRow(_cells(cost, run, each, total), "apart" if cost.usd is None else "")
        for cost, run, each in zip(costs, in_run, million, strict=False)
    ]
    unknown = [_NAMES[cost.part] for cost in costs if cost.usd is None]
    name = "All known parts" if unknown else "All"
    without = f"without {listed(unknown)}" if unknown else ""
    rows.append(TableRow([name, "", in_run[-1] or ABSENT, million[-1] or ABSENT, "", without]))
    return Table("Parts of the cost", columns, rows, _table_help(document, n))


def _cells(cost: Cost, run: str | None, each: str | None, total: float) -> list[str]:
    return [
        _upper(_NAMES[cost.part]),
        _amount(cost),
        _bounded(cost, run) if run else "not known",
        each or "not known",
        ABSENT if cost.usd is None else part_of(cost.usd, total),
        _upper(cost.detail),
    ]


def _table_help(document: LoadDocument, n: int) -> str:
    words = f"A million is of admitted requests, of which all phases of this run had {n:,}."
    if document.spent.as_if:
        words = (
            "Nothing was billed, because the target is on this machine: these are the prices that "
            f"AWS has for the same requests, and durations are those of this machine. {words}"
        )
    return words


def _amount(cost: Cost) -> str:
    if cost.amount is None:
        return ABSENT
    if cost.unit == "requests":
        return f"{cost.amount:,.0f}"
    if cost.unit == "GB":
        mb = cost.amount * 1000
        return (
            f"{significant(mb)}\N{NO-BREAK SPACE}MB" if mb < 1000 else _with_unit(cost.amount, "GB")
        )
    return _with_unit(cost.amount, cost.unit)


def _with_unit(value: float, unit: str) -> str:
    return f"{significant(value)}\N{NO-BREAK SPACE}{unit}"


def _bounded(cost: Cost, text: str) -> str:
    return f"{_BOUNDS[cost.bound]}{text}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def function_costs_table(document: LoadDocument) -> Table | None:
    """What each function costs, where there are several."""
    by_name: dict[str, dict[CostPartName, LoadCostPart]] = {}
    for part in document.spent.parts:
        if part.function is not None:
            by_name.setdefault(part.function, {})[part.part] = part
    if len(by_name) < 2:
        return None
    columns = [
        Column("Function", is_text=True),
        Column("Calls"),
        Column("Duration", "GB-s"),
        Column("INIT", "GB-s"),
        Column("A million calls", "USD"),
        Column("Of all functions"),
    ]
    rows = [TableRow(cells) for cells in _function_cells(by_name)]
    help_text = "Lambda alone: requests, duration and, where REPORT lines tell it, INIT."
    return Table("Cost by function", columns, rows, help_text)


def _function_cells(
    by_name: Mapping[str, Mapping[CostPartName, LoadCostPart]],
) -> Iterator[list[str]]:
    sums = [sum(part.usd or 0.0 for part in found.values()) for found in by_name.values()]
    calls, run, start = (
        [found[key].amount if key in found else None for found in by_name.values()]
        for key in ("lambda_requests", "lambda_duration", "lambda_init")
    )
    each = [_MILLION * usd / n if n else None for usd, n in zip(sums, calls, strict=True)]
    cells = [[cell or ABSENT for cell in column(values, 2)] for values in (run, start, each)]
    for name, n, spent, *shown in zip(by_name, calls, sums, *cells, strict=True):
        yield [
            name,
            ABSENT if n is None else f"{n:,.0f}",
            *shown,
            part_of(spent, sum(sums)),
        ]
