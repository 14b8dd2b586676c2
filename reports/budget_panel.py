"""The error budget of a load run: what its objectives allow, what was used of it, and when.

Refusals are counted apart: a throttle that does what it is configured to do is no failure of the
API, but a client that is refused has not been served either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from reports import svg
from reports.blocks import Column, Table, TableRow
from reports.figure import Figure
from reports.figures import ABSENT, listed, part_of, significant
from reports.hatch import Fill, Hatch
from reports.load_bins import bin_width, duration_of
from reports.load_document import LoadDocument, Second
from reports.load_words import ERROR_CLASSES, cause_phrase, class_word, failed_count, totals_of
from reports.objectives import Objective, bad_of, objectives_of, room_words
from reports.time_chart import (
    FULL,
    MIDDLE,
    SMALL,
    HorizontalRule,
    Layer,
    Span,
    TimeChart,
    data_of,
    draw_time_chart,
)

_TITLE = "Error budget used"
_HATCHES: dict[str, Hatch] = {
    "server_error": "solid",
    "client_error": "rising",
    "timeout": "level",
    "connection_error": "cross",
    "check_failed": "dots",
}


def budget_figure(document: LoadDocument, anchor: str) -> Figure | None:
    """How the budget of the first objective on failures was used up over the run."""
    objective = _drawn(document)
    if objective is None or not document.seconds:
        return None
    end_s = duration_of(document)
    width_s = bin_width(end_s)
    classes = ERROR_CLASSES if objective.subject == "failed" else (objective.subject,)
    steps = max(1, math.ceil(end_s / width_s))
    used = _used_over_time(document, classes, steps, width_s, objective.allowed)
    edges = [*(float(place * width_s) for place in range(steps)), end_s]
    chart = TimeChart(
        title=_TITLE,
        finding=budget_finding(document, objective),
        y_label="used, % of the budget",
        edges_s=edges,
        spans=[
            Span(phase.name, phase.from_s, phase.to_s, phase.measured) for phase in document.phases
        ],
        layers=[
            Layer(_class_name(name), values, _fill(name))
            for name, values in used.items()
            if values[-1] > 0
        ],
        rules=[
            HorizontalRule(
                100.0, f"the whole budget: {room_words(objective.allowed)}", "c-failed", svg.FAILED
            )
        ],
    )
    drawings = [
        draw_time_chart(chart, canvas, f"{anchor}-budget-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    return Figure(_TITLE, _help(document, objective), drawings, data_of(chart, "%"), "budget")


def _drawn(document: LoadDocument) -> Objective | None:
    """The objective that a chart is about: of the whole run, with a budget, and broken by some."""
    kinds = ("failed", *ERROR_CLASSES, "throttled")
    return next(
        (
            one
            for one in objectives_of(document)
            if one.of_run and one.kind != "latency" and one.subject in kinds
            if one.allowed > 0 and one.used
        ),
        None,
    )


def _used_over_time(
    document: LoadDocument, classes: Sequence[str], steps: int, width_s: int, allowed: float
) -> dict[str, list[float]]:
    """The part of the budget that each class has used by the end of each step, in per cent."""
    measured = {phase.name for phase in document.phases if phase.measured}
    counts = {name: [0] * steps for name in classes}
    refused = "throttled" in classes
    for second in document.seconds:
        # Most seconds of a long run have nothing bad: they must not take time.
        bad = _refused_in(second) if refused else second.errors
        if bad and second.phase in measured:
            place = min(max(second.second // width_s, 0), steps - 1)
            for name in bad.keys() & counts.keys():
                counts[name][place] += bad[name]
    return {
        name: [100 * total / allowed for total in accumulate(found)]
        for name, found in counts.items()
    }


def _refused_in(second: Second) -> dict[str, int]:
    return {"throttled": sum(second.throttled.values())} if second.throttled else {}


def _class_name(name: str) -> str:
    return "refused" if name == "throttled" else class_word(name)


def _fill(name: str) -> Fill:
    if name == "throttled":
        return Fill("c-refused", svg.REFUSED)
    return Fill("c-broken", svg.FAILED, svg.GROUND, _HATCHES.get(name, "dashes"))


def budget_finding(document: LoadDocument, objective: Objective) -> str:
    """How much of a budget was used, by what, and how many refusals stand beside it."""
    allowed = room_words(objective.allowed)
    words = f"{objective.that} allows {allowed} of {objective.whole:,} requests"
    share = objective.used_share
    if objective.used is None:
        used = "how many there were is not known"
    elif share is None:
        used = f"{objective.used:,.0f} were bad"
    else:
        used = f"{objective.used:,.0f} were used, {part_or_more(share)} of the budget"
        by_class = _by_class(document, objective)
        used += f": {by_class}" if by_class else ""
    return f"{words}; {used}."


def part_or_more(share: float) -> str:
    """A share of a budget, which may be overspent: 34 %, or 3.4 times."""
    return part_of(share, 1.0) if share <= 1 else f"{significant(share)} times the whole"


def _by_class(document: LoadDocument, objective: Objective) -> str:
    if objective.subject != "failed" or not objective.of_run:
        return ""
    counts = [(name, bad_of(document.outcomes, name) or 0) for name in ERROR_CLASSES]
    ranked = sorted((pair for pair in counts if pair[1]), key=lambda pair: -pair[1])
    return listed([f"{n:,} {class_word(name, n)}" for name, n in ranked]) if ranked else ""


def refused_sentence(document: LoadDocument) -> str:
    """Refusals, which are in no budget of failures."""
    refused, completed = document.outcomes.throttled, document.requests.completed
    if not refused:
        return "No request was refused, so nothing stands beside the budget."
    totals = totals_of(document.throttled_by_cause)
    names = [f"{total.count:,} by {cause_phrase(total.cause)}" for total in totals[:3]]
    by = listed(names) if names else ""
    more = f" (the largest three: {by})" if len(totals) > 3 else f" ({by})" if totals else ""
    failed = failed_count(document.outcomes)
    return (
        f"Refusals are counted apart from failures: {refused:,}, {part_of(refused, completed)} of "
        f"completed requests{more}. With them, {part_of(refused + failed, completed)} were not "
        "served."
    )


def _help(document: LoadDocument, objective: Objective) -> str:
    end = "it is overspent where the area crosses the line"
    return (
        f"{budget_finding(document, objective)} What was used up to each moment of the measured "
        f"phases, by what went wrong: a steep step is an incident, and {end}."
    )


def budget_table(document: LoadDocument) -> Table | None:
    """One row for each objective: what it allows, what was used, and what is left."""
    objectives = objectives_of(document)
    if not objectives:
        return None
    columns = [
        Column("Objective", is_text=True),
        Column("Where", is_text=True),
        Column("Requests"),
        Column("Allowed"),
        Column("Used"),
        Column("Of the budget"),
        Column("Left"),
    ]
    rows = [TableRow(_cells(one), _css(one)) for one in objectives]
    help_text = (
        "Allowed is what an objective lets go wrong in as many requests as this run had, whole "
        "requests rounded down. " + refused_sentence(document)
    )
    if any(one.used is None for one in objectives):
        help_text += (
            " Where it is not known what was used, the document has no histogram of such requests."
        )
    return Table("Objectives and their budgets", columns, rows, help_text)


def _css(one: Objective) -> str:
    share = one.used_share
    return "failed" if share is not None and share > 1 else ""


def _cells(one: Objective) -> list[str]:
    used, share = one.used, one.used_share
    left = ABSENT if used is None else _left(one.allowed, used)
    return [
        one.that,
        one.scope,
        f"{one.whole:,}",
        room_words(one.allowed),
        ABSENT if used is None else f"{used:,.0f}",
        ABSENT if share is None else part_or_more(share),
        left,
    ]


def _left(allowed: float, used: float) -> str:
    """What is left of a budget, in whole requests where what is allowed is said in them."""
    if used >= allowed:
        return "0"
    return room_words(allowed - used) if allowed < 10 else f"{math.floor(allowed - used + 1e-9):,}"
