"""The bill of a month at each size, what the tuning saves, and what else could do the work."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports.blocks import Column, Table, TableRow
from reports.document import AlwaysOn, Monthly, MonthlySize, TuneDocument
from reports.figures import (
    closed,
    fixed,
    interval_cells,
    megabytes,
    money_columns,
    requests,
    significant,
    usd,
)
from reports.tune_sizes import row_css, standing

_BILL_HELP = (
    "List prices with their tiers, without the free tier. Savings are against the current size, "
    "with their 90 % interval; negative ones cost more."
)


def monthly_tables(document: TuneDocument) -> list[Table]:
    """The bills by size, then machines that always run; empty without traffic."""
    monthly = document.monthly
    if monthly is None:
        return []
    tables = [_bills(document, monthly)] if monthly.sizes else []
    return [*tables, _always_on(document, monthly)] if monthly.always_on else tables


def bill_at(document: TuneDocument, memory_mb: int) -> MonthlySize | None:
    """The bill of a month at one size; None where it is not known."""
    sizes = document.monthly.sizes if document.monthly is not None else []
    return next((size for size in sizes if size.memory_mb == memory_mb), None)


def monthly_sentence(document: TuneDocument) -> str:
    """What the recommended size costs a month; empty without traffic or recommendation."""
    monthly, taken = document.monthly, document.recommendation
    bill = bill_at(document, taken.memory_mb) if taken is not None else None
    if monthly is None or bill is None:
        return ""
    return (
        f"At {fixed(monthly.requests_per_month, 0)} requests a month, "
        f"{megabytes(bill.memory_mb)} costs {usd(bill.usd)} a month{_against_now(document, bill)}."
    )


def _against_now(document: TuneDocument, bill: MonthlySize) -> str:
    current_mb, saved = document.current.memory_mb, bill.saving_usd
    if bill.memory_mb == current_mb or saved is None:
        return ""
    now = f"the current {megabytes(current_mb)}"
    if bill.saving_interval_usd is None:
        return f", {usd(abs(saved))} {'less' if saved >= 0 else 'more'} than {now}"
    low, high = bill.saving_interval_usd
    if low > 0:
        return f", {usd(saved)} less than {now} ({usd(low)} to {usd(high)})"
    if high < 0:
        return f", {usd(-saved)} more than {now} ({usd(-high)} to {usd(-low)})"
    return f", between {usd(high)} less and {usd(-low)} more than {now}"


def _bills(document: TuneDocument, monthly: Monthly) -> Table:
    sizes = sorted(monthly.sizes, key=lambda size: size.memory_mb)
    intervals = [size.interval_usd for size in sizes]
    savings = [size.saving_interval_usd for size in sizes]
    bills, low, high, saved, saved_low, saved_high = money_columns(
        [
            [size.usd for size in sizes],
            [bounds[0] if bounds else None for bounds in intervals],
            [bounds[1] if bounds else None for bounds in intervals],
            [size.saving_usd for size in sizes],
            [bounds[0] if bounds else None for bounds in savings],
            [bounds[1] if bounds else None for bounds in savings],
        ]
    )
    cells = zip(
        bills, interval_cells(low, high), saved, interval_cells(saved_low, saved_high), strict=True
    )
    rows = [
        TableRow(
            [f"{size.memory_mb:,}", *texts, ", ".join(standing(document, size.memory_mb))],
            row_css(document, size.memory_mb),
        )
        for size, texts in zip(sizes, cells, strict=True)
    ]
    columns = [
        Column("Memory", "MB"),
        Column("A month", "$"),
        Column("90 % interval", "$"),
        Column("Saved", "$"),
        Column("90 % interval", "$"),
        Column("Remark", is_text=True),
    ]
    title = f"A month of {fixed(monthly.requests_per_month, 0)} requests"
    # Where there are machines to compare with, the notes stand under their table.
    notes = [] if monthly.always_on else _notes(monthly)
    return Table(title, columns, rows, _BILL_HELP, _bill_lead(document, monthly), notes)


def _notes(monthly: Monthly) -> list[str]:
    return [closed(note) for note in monthly.notes]


def _bill_lead(document: TuneDocument, monthly: Monthly) -> str:
    source = "" if monthly.source == "given" else closed(f"Traffic: {monthly.source}")
    if monthly.break_even_requests is None:
        return source
    after = f"{math.ceil(monthly.break_even_requests):,} requests"
    if monthly.break_even_days is not None:
        after += f", {_days(monthly.break_even_days)} of this traffic"
    paid = f"The saving has paid for this tuning ({usd(document.spent.usd)}) after {after}."
    return f"{source} {paid}".strip()


def _days(days: float) -> str:
    """A length of time in a unit that it fills at least twice."""
    if days >= 2:
        return f"{significant(days, 2)} days"
    hours = days * 24
    return (
        f"{significant(hours, 2)} hours" if hours >= 2 else f"{significant(hours * 60, 2)} minutes"
    )


def _always_on(document: TuneDocument, monthly: Monthly) -> Table:
    """Lambda above the machines that could do the same work, the cheapest first."""
    machines = sorted(monthly.always_on, key=lambda machine: machine.usd)
    taken = document.recommendation
    lambda_mb = taken.memory_mb if taken is not None else document.current.memory_mb
    bill = bill_at(document, lambda_mb)
    lambda_usd = bill.usd if bill is not None else None
    [bills] = money_columns([[lambda_usd, *(machine.usd for machine in machines)]])
    rows = [
        TableRow(_machine_cells(machine, text, lambda_usd))
        for machine, text in zip(machines, bills[1:], strict=True)
    ]
    if bill is not None:
        name = f"Lambda, {megabytes(lambda_mb)}"
        rows.insert(0, TableRow([name, "", "", "", bills[0], "", ""], "taken"))
    columns = [
        Column("Always on", is_text=True),
        Column("vCPU", "each"),
        Column("Memory", "GB each"),
        Column("Count"),
        Column("A month", "$"),
        Column("Equal at", "requests a month"),
        Column("Against Lambda", is_text=True),
    ]
    prices = f"Prices: {monthly.always_on_prices}. " if monthly.always_on_prices else ""
    return Table(
        "When not to use Lambda",
        columns,
        rows,
        f"{prices}Equal at: from so many requests a month on, as many of the machines as it takes "
        "cost less than Lambda.",
        _always_on_lead(machines, lambda_usd),
        _notes(monthly),
    )


def _machine_cells(machine: AlwaysOn, bill: str, lambda_usd: float | None) -> list[str]:
    equal_at, verdict = machine.equal_at_requests_per_month, ""
    if lambda_usd is not None:
        verdict = "cheaper" if machine.usd < lambda_usd else "dearer"
    return [
        machine.name,
        f"{machine.vcpu:g}",
        f"{machine.memory_gb:g}",
        f"{machine.count:,}",
        bill,
        "never" if equal_at is None else requests(equal_at),
        verdict,
    ]


def _always_on_lead(machines: Sequence[AlwaysOn], lambda_usd: float | None) -> str:
    """What this traffic costs here and there, and where Lambda stops being the cheaper one."""
    cheapest = min(machines, key=lambda machine: machine.usd)
    rival = f"{cheapest.count:,} x {cheapest.name}"
    now = ""
    if lambda_usd is not None and cheapest.usd < lambda_usd:
        now = (
            f"At this traffic {rival} cost {usd(cheapest.usd)} a month, Lambda {usd(lambda_usd)}. "
        )
    elif lambda_usd is not None:
        now = "At this traffic Lambda costs less than all machines in the table. "
    volumes = [
        (machine.equal_at_requests_per_month, machine.name)
        for machine in machines
        if machine.equal_at_requests_per_month is not None
    ]
    if not volumes:
        return f"{now}None of them costs less than Lambda at any volume."
    volume, name = min(volumes)
    return (
        f"{now}From {requests(volume)} requests a month on, as many {name} as it takes cost less."
    )
