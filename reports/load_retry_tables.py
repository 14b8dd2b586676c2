"""What modelled clients made of a load, in words and as tables."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, closed, listed, milliseconds, part_of, rate, significant
from reports.load_retries import ModelledClients, Operations, RetryReport, RetryTimes

_HELP = (
    "An operation is a step as its caller sees it: one request, or several where its client sends "
    "again. Latency counts from when the first one was due to the last answer, backoff included."
)


def times_more(operations: Operations) -> str:
    """Requests for each operation: 1.63, or a dash where there is none."""
    value = operations.amplification
    return ABSENT if value is None else f"{value:.2f}"


def gave_up_count(operations: Operations) -> int:
    """Operations whose client stopped sending again."""
    gave_up = operations.gave_up
    return gave_up.attempts + gave_up.quota + gave_up.run_ended


def retry_sentences(report: RetryReport) -> list[str]:
    """What a reader of a terminal or of a summary has to know."""
    whole = report.whole
    many = f"{whole.operations:,} operations became {whole.requests:,} requests"
    good = f"goodput {rate(whole.goodput_rps)} of {rate(whole.offered_rps)} offered"
    sentences = [f"{many}: {times_more(whole)} each", f"{good}, {rate(whole.wire_rps)} on the wire"]
    if whole.late:
        late = f"{whole.late:,} of the requests were due after the end of their phase"
        sentences.append(f"{late}: they are in no rate")
    if gave_up_count(whole):
        sentences.append(_gave_up_words(whole))
    held = sum(attempt.held for attempt in report.attempts)
    if held:
        total_ms = sum((one.held_mean_ms or 0.0) * one.held for one in report.attempts)
        sentences.append(
            f"clients held {held:,} of {whole.requests:,} requests back by their own rate limit, "
            f"for {milliseconds(total_ms / held)} on average"
        )
    return sentences


def _gave_up_words(whole: Operations) -> str:
    gave_up = whole.gave_up
    reasons = [
        f"{count:,} {words}"
        for count, words in (
            (gave_up.attempts, "after the last attempt"),
            (gave_up.quota, "without tokens in the retry quota"),
            (gave_up.run_ended, "because the run ended"),
        )
        if count
    ]
    share = part_of(gave_up_count(whole), whole.operations)
    return f"{share} of operations were given up: {listed(reasons)}"


def client_words(clients: ModelledClients) -> str:
    """The clients of a scenario: `browse: 4 clients, standard, 3 attempts, quota 500`."""
    number = "1 client" if clients.clients == 1 else f"{clients.clients:,} clients"
    if clients.mode == "none":
        return f"{clients.scenario}: {number} without retries"
    quota = "no quota" if clients.quota is None else f"quota {clients.quota:,}"
    return f"{clients.scenario}: {number}, {clients.mode}, {clients.max_attempts} attempts, {quota}"


def operations_table(report: RetryReport) -> Table:
    """The operations of each step, and of all."""
    columns = [
        Column("Operations of", is_text=True),
        Column("Operations"),
        Column("Ok in the end"),
        Column("Given up"),
        Column("Requests each"),
        Column("On the wire", "/s"),
        Column("Goodput", "/s"),
        Column("Ok p50", "ms"),
        Column("Ok p95", "ms"),
        Column("Ok p99", "ms"),
    ]
    several = report.steps if len(report.steps) > 1 else []
    rows = [_operations_row(one) for one in [*several, report.whole]]
    notes = [client_words(clients) for clients in report.clients]
    lead = " ".join(closed(sentence) for sentence in retry_sentences(report))
    return Table("What clients made of it", columns, rows, _HELP, lead, notes)


def _operations_row(operations: Operations) -> TableRow:
    return TableRow(
        [
            operations.name,
            f"{operations.operations:,}",
            part_of(operations.ok, operations.operations),
            part_of(gave_up_count(operations), operations.operations),
            times_more(operations),
            significant(operations.wire_rps),
            significant(operations.goodput_rps),
            *time_cells(operations.ok_latency_ms),
        ]
    )


def retry_phases_table(report: RetryReport) -> Table | None:
    """The same of each phase, where there are several."""
    if len(report.phases) < 2:
        return None
    columns = operations_table(report).columns
    first = Column("Operations in phase", is_text=True)
    rows = [_operations_row(one) for one in report.phases]
    return Table("Clients by phase", [first, *columns[1:]], rows)


def attempts_table(report: RetryReport) -> Table | None:
    """First requests and those that were sent again; None where nothing was."""
    if len(report.attempts) < 2:
        return None
    columns = [
        Column("Attempt", is_text=True),
        Column("Sent"),
        Column("Ok"),
        Column("Held back"),
        Column("Response p50", "ms"),
        Column("Response p95", "ms"),
        Column("Response p99", "ms"),
    ]
    rows = [
        TableRow(
            [
                "first" if one.attempt == 1 else f"{one.attempt}",
                f"{one.sent:,}",
                part_of(one.ok, one.completed),
                f"{one.held:,}",
                *time_cells(one.response_ms),
            ]
        )
        for one in report.attempts
    ]
    return Table(
        "First attempts and retries", columns, rows, "Response counts from when each was due."
    )


def time_cells(times: RetryTimes | None) -> list[str]:
    """p50, p95 and p99 in ms."""
    if times is None:
        return [ABSENT] * 3
    return [significant(value) for value in (times.p50, times.p95, times.p99)]
