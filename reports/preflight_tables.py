"""The limits and checks of a preflight as tables of text cells."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Column, Table, TableRow
from reports.figures import milliseconds, rate_number, seconds
from reports.load_words import layer_word
from reports.preflight_document import Check, PathLimit, PreflightDocument

_LAYERS = {
    "payload": "Payload",
    "authorizer": "Authorizer",
    "integration": "Integration timeout",
    "function": "Function timeout",
    "lambda_request_rate": "Lambda requests",
    "lambda_growth": "Lambda growth",
    "provisioned": "Provisioned",
    "downstream": "Downstream",
}


def limits_table(document: PreflightDocument) -> Table | None:
    """Every limit on the path, in the order in which a request meets them."""
    if not document.limits:
        return None
    columns = [
        Column("Limit", is_text=True),
        Column("Of", is_text=True),
        Column("Value", is_text=True),
        Column("Source", is_text=True),
    ]
    rows = [
        TableRow([_layer(limit), limit.name, value_words(limit), limit.source])
        for limit in document.limits
    ]
    return Table("Limits on the path", columns, rows)


def _layer(limit: PathLimit) -> str:
    return _LAYERS.get(limit.layer) or layer_word(limit.layer)


def value_words(limit: PathLimit) -> str:
    """The figures of a limit in a line."""
    parts = []
    if limit.rate_rps is not None:
        parts.append(f"{rate_number(limit.rate_rps)}/s")
    if limit.burst is not None:
        parts.append(f"burst {limit.burst:,}")
    if limit.quota is not None:
        parts.append(f"{limit.quota:,} a {limit.period}")
    if limit.used is not None:
        parts.append(f"{limit.used:,} used")
    if limit.concurrency is not None:
        parts.append(f"{limit.concurrency:,} at once")
    if limit.timeout_ms is not None:
        whole = limit.timeout_ms % 1000 == 0
        parts.append(seconds(limit.timeout_ms / 1000) if whole else milliseconds(limit.timeout_ms))
    if limit.size_bytes is not None:
        parts.append(f"{limit.size_bytes / 1024**2:g} MB")
    if limit.ttl_s is not None:
        parts.append(f"cached for {limit.ttl_s} s" if limit.ttl_s else "no cache")
    if limit.words:
        parts.append(limit.words)
    return ", ".join(parts)


def checks_table(checks: Sequence[Check]) -> Table | None:
    """What was looked at, problems first."""
    if not checks:
        return None
    columns = [
        Column("Check", is_text=True),
        Column("State", is_text=True),
        Column("Found, and what to do", is_text=True),
    ]
    rows = [
        TableRow(
            [check.name, check.state, _found_words(check)],
            "failed" if check.state == "problem" else "",
        )
        for check in checks
    ]
    return Table("Checks", columns, rows)


def _found_words(check: Check) -> str:
    return f"{check.found}; {check.to_do}" if check.to_do else check.found


def summary(document: PreflightDocument) -> str:
    """Whether the load can be sent as it is, in a line."""
    counts = [
        f"{n} {state}{'' if n == 1 else 's'}"
        for state in ("problem", "warning")
        if (n := sum(check.state == state for check in document.checks))
    ]
    can = "the run would be spoilt" if document.exit_code else "the run can be made"
    is_open = any(phase.unknown for phase in document.prediction.phases)
    nothing = f"nothing {'that is known ' if is_open else ''}stands against it"
    return f"{can}: {', '.join(counts) if counts else nothing}"
