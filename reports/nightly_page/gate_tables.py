"""The gates of a night as tables: what failed or is in doubt, what was not judged, the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, fixed, significant
from reports.nightly.document import NightGate, NightlyDocument
from reports.trends.trend_words import change_with_interval, change_words, value_words

_ORDER = ("failed", "suspect", "muted", "invalid", "inconclusive", "passed")
_IN_DOUBT = ("failed", "suspect", "muted")
_UNJUDGED = ("invalid", "inconclusive")
# More than these are folded away: on a first night all gates have one reason.
_MOST_UNJUDGED = 8
_COLUMNS = (
    Column("Gate", is_text=True),
    Column("Where", is_text=True),
    Column("Step", is_text=True),
    Column("Tonight"),
    Column("Baseline"),
    Column("Change", "95 % interval"),
    Column("p", "adjusted"),
    Column("Nights"),
    Column("Finds", "with 80 % power"),
    Column("Status", is_text=True),
)
_HELP = (
    "Change is against the baseline, the typical value of that many nights; of a budget, the limit "
    "stands there. p is one-sided and adjusted for all figures of the night. Finds: the smallest "
    "change that a single night notices in 80 % of cases."
)


def doubt_table(document: NightlyDocument) -> Table | None:
    """Gates that failed, are suspected or muted, but for those whose figure has an alarm.

    An alarm has a row in a table of its own; what is told twice is read twice.
    """
    alarmed = {(one.series.step, one.series.scope, one.series.metric) for one in document.alarms}
    others = [
        gate
        for gate in document.gates
        if gate.kind in ("validity", "budget")
        or (gate.step, gate.scope, gate.metric) not in alarmed
    ]
    title = "Other gates that did not pass" if alarmed else "Gates that did not pass"
    rest = document.model_copy(update={"gates": others})
    return _table(rest, title, _IN_DOUBT, help_text=_HELP)


def unjudged_table(document: NightlyDocument) -> Table | None:
    """Gates that say nothing, with the reason."""
    gates = _chosen(document, _UNJUDGED)
    if not gates:
        return None
    columns = [
        Column("Gate", is_text=True),
        Column("Where", is_text=True),
        Column("Step", is_text=True),
        Column("Tonight"),
        Column("Nights", "of those needed"),
        Column("Status", is_text=True),
        Column("Why", is_text=True),
    ]
    rows = [
        TableRow(
            [
                gate.text,
                gate.scope,
                gate.step,
                value_cell(gate.value, gate.unit),
                _nights_cell(gate),
                gate.status,
                gate.message or ABSENT,
            ]
        )
        for gate in gates
    ]
    return Table("Not judged", columns, rows)


def _nights_cell(gate: NightGate) -> str:
    """How many nights there are of those that a baseline needs."""
    if gate.kind not in ("relative", "curve"):
        return ABSENT
    return f"{gate.nights} of {gate.nights_needed}" if gate.nights_needed else f"{gate.nights}"


def unjudged_open(document: NightlyDocument) -> bool:
    """Whether they are few enough to be read at once."""
    return len(_chosen(document, _UNJUDGED)) <= _MOST_UNJUDGED


def unjudged_reason(document: NightlyDocument) -> str:
    """The reason that most of them have, for the line that stays where they are folded away."""
    gates = _chosen(document, _UNJUDGED)
    if not gates:
        return ""
    reason, count = Counter(gate.message for gate in gates).most_common(1)[0]
    if not reason:
        return ""
    return f" ({reason})" if count == len(gates) else f", {count} of them: {reason}"


def passed_table(document: NightlyDocument) -> Table | None:
    """Gates that passed."""
    return _table(document, "Gates that passed", ("passed",), help_text=_HELP)


def changed_gates(document: NightlyDocument) -> list[NightGate]:
    """Gates that did not pass, the worst first; then those that could not be judged."""
    return _chosen(document, (*_IN_DOUBT, *_UNJUDGED))


def _chosen(document: NightlyDocument, statuses: Sequence[str]) -> list[NightGate]:
    found = [gate for gate in document.gates if gate.status in statuses]
    return sorted(found, key=lambda gate: (_ORDER.index(gate.status), -(gate.change_share or 0.0)))


def _table(
    document: NightlyDocument, title: str, statuses: Sequence[str], *, help_text: str
) -> Table | None:
    gates = _chosen(document, statuses)
    if not gates:
        return None
    rows = [TableRow(_cells(gate), "failed" if gate.status == "failed" else "") for gate in gates]
    return Table(title, _COLUMNS, rows, help=help_text)


def _cells(gate: NightGate) -> list[str]:
    return [
        gate.text,
        gate.scope,
        gate.step,
        value_cell(gate.value, gate.unit),
        value_cell(gate.baseline if gate.kind != "budget" else gate.limit, gate.unit),
        change_cell(gate),
        p_cell(gate.p_value),
        f"{gate.nights}" if gate.nights else ABSENT,
        _known(gate.smallest_step_share, change_words),
        gate.status,
    ]


def value_cell(value: float | None, unit: str) -> str:
    """A value with its unit, short: $6.40, not $6.40 per million."""
    return _known(value, lambda known: value_words(known, unit).removesuffix(" per million"))


def change_cell(gate: NightGate) -> str:
    """The change with its interval, where there is a baseline."""
    return _known(
        gate.change_share,
        lambda share: change_with_interval(share, gate.change_interval, gate.unit),
    )


def p_cell(value: float | None) -> str:
    """A p-value: two digits, and no zeros without end."""
    if value is None:
        return ABSENT
    if value < 0.0001:
        return "< 0.0001"
    return significant(value, 2) if value < 0.1 else fixed(value, 2)


def _known(value: float | None, words: Callable[[float], str]) -> str:
    return ABSENT if value is None else words(value)
