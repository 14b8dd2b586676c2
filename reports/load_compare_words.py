"""What a comparison of two load runs found, in sentences for terminal, page and Markdown."""

from __future__ import annotations

from math import log

from reports.figures import (
    SPACE,
    closed,
    listed,
    moment,
)
from reports.load_compare_document import ComparedPart, LoadCompareDocument, MetricChange
from reports.load_compare_figures import (
    METRIC_WORDS,
    blocks_words,
    interval_words,
    is_told,
    size_words,
    told_words,
    value_words,
    way_word,
)
from reports.load_compare_judge import is_suspect

_VERDICTS = {
    "regressed": "Regressed",
    "improved": "Improved",
    "same": "Same",
    "cannot be told": "Cannot be told",
    "not comparable": "Not comparable",
    "invalid": "Invalid",
}
_MOST_CHANGES = 3

BETWEEN_RUNS = (
    "This says what differs between these two runs. One run against one run does not know how much "
    "runs differ from night to night; a history of runs does."
)


def verdict_word(document: LoadCompareDocument) -> str:
    """The verdict in a word or two."""
    return _VERDICTS[document.verdict]


def title(document: LoadCompareDocument) -> str:
    """What is compared."""
    first, second = document.before.name, document.after.name
    return f"Two load runs of {first}" if first == second else f"Load runs {first} and {second}"


def when(document: LoadCompareDocument) -> str:
    """When both runs began."""
    first, second = (moment(run.started_utc) for run in (document.before, document.after))
    return f"baseline {first}, newer run {second}"


def validity_line(document: LoadCompareDocument) -> str:
    """Whether both runs can be trusted, in one sentence."""
    if document.before.valid and document.after.valid:
        return "Valid: in both runs the load generator did what the schedule asked of it."
    broken = [
        f"the {name}: {'; '.join(run.reasons) or 'no reason is given'}"
        for name, run in (("baseline", document.before), ("newer run", document.after))
        if not run.valid
    ]
    return closed(f"Invalid: {'; '.join(broken)}")


def headline(document: LoadCompareDocument) -> str:
    """The verdict in one sentence."""
    if document.verdict == "invalid":
        return _not_valid(document)
    if document.errors:
        return closed("; ".join(document.errors))
    worse, better = with_verdict(document, "worse"), with_verdict(document, "better")
    if worse:
        beside = f"; {_named(better, 'better')}" if better else ""
        return closed(f"in the newer run, {_named(worse, 'worse')}{beside}")
    if better:
        return closed(f"in the newer run, {_named(better, 'better')}; nothing is shown to be worse")
    if document.verdict == "same":
        return "Latencies, refusals, failures and the admitted rate are the same in both runs."
    return closed(_untold(document))


def _not_valid(document: LoadCompareDocument) -> str:
    sides = (("the baseline", document.before), ("the newer run", document.after))
    broken = [name for name, run in sides if not run.valid]
    are = "is" if len(broken) == 1 else "are"
    return closed(f"{listed(broken)} {are} not valid: no figure below can be relied on")


def _named(found: list[tuple[ComparedPart, MetricChange]], way: str) -> str:
    """The largest change of one way, and how many others there are."""
    part, change = found[0]
    more = len(found) - 1
    others = f", and {more} other metric{'' if more == 1 else 's'} got {way}" if more else ""
    return f"{metric_of(part, change)} is {told_words(change)}{others}"


def _untold(document: LoadCompareDocument) -> str:
    whole = document.parts[0].changes if document.parts else []
    open_ones = [c for c in whole if c.verdict == "cannot be told" and c.metric != "cost"]
    if not open_ones:
        suspects = [
            metric_of(part, change)
            for part in document.parts
            for change in part.changes
            if is_suspect(change)
        ]
        return (
            f"the whole run is the same, but {listed(suspects)} may differ: of so many metrics one "
            "may by chance"
        )
    names = listed([METRIC_WORDS[change.metric] for change in open_ones])
    reasons = list(dict.fromkeys(change.why for change in open_ones if change.why))
    return f"whether the runs differ in {names} cannot be told: {'; '.join(reasons)}"


def support(document: LoadCompareDocument) -> list[str]:
    """The sentences under the verdict: the largest changes, how they are judged, what is next."""
    sentences = []
    if document.parts and document.verdict != "invalid":
        sentences = [change_sentence(part, change) for part, change in largest(document)]
        sentences.append(judged_sentence(document))
    return [closed(sentence) for sentence in (*sentences, f"next: {document.next_step}")]


def judged_sentence(document: LoadCompareDocument) -> str:
    """How many metrics are judged, and what their verdicts may be wrong by."""
    judged = sum(change.p_holm is not None for part in document.parts for change in part.changes)
    if not judged:
        return "No metric can be judged: intervals need histograms by block of time"
    return (
        f"{judged} metrics are judged together: without any change, the chance of one false "
        f"alarm is at most 5{SPACE}% (Holm)"
    )


def largest(document: LoadCompareDocument) -> list[tuple[ComparedPart, MetricChange]]:
    """The three changes that matter most: those that are told, then by size."""
    known = [
        (part, change)
        for part in document.parts
        for change in part.changes
        if change.change is not None and (change.interval is not None or change.metric == "cost")
    ]
    known = [entry for entry in known if entry[1].p_holm is not None] or known
    known.sort(key=lambda entry: _rank(entry[1]))
    return known[:_MOST_CHANGES]


def _rank(change: MetricChange) -> tuple[bool, float]:
    """Told changes first, the largest before others; then those with the most evidence."""
    if is_told(change):
        return False, -_weight(change)
    return True, -_weight(change) if change.p_value is None else change.p_value


def with_verdict(
    document: LoadCompareDocument, verdict: str
) -> list[tuple[ComparedPart, MetricChange]]:
    """The changes with a verdict, the largest first."""
    found = [
        (part, change)
        for part in document.parts
        for change in part.changes
        if change.verdict == verdict
    ]
    return sorted(found, key=lambda entry: -_weight(entry[1]))


def _weight(change: MetricChange) -> float:
    """The size of a change in units of what matters."""
    told = change.change if change.block_change is None else change.block_change
    if told is None:
        return 0.0
    if change.unit == "share":
        return abs(told) / change.floor_share
    return abs(log(told)) / log(1 + change.floor_share) if told > 0 else 0.0


def metric_of(part: ComparedPart, change: MetricChange) -> str:
    """`p95 of GET /search`, or `p95 of the whole run`."""
    return f"{METRIC_WORDS[change.metric]} of {part.name}"


def change_sentence(part: ComparedPart, change: MetricChange) -> str:
    """`GET /search, p95: 62.1 ms -> 70.4 ms, 13 % slower (95 % interval by blocks 9.1 to 15 %)`."""
    both = " -> ".join(value_words(change, value) for value in (change.before, change.after))
    moved = f"{size_words(change)} {way_word(change)}"
    interval = interval_words(change) if change.interval else ""
    certain = f" (95{SPACE}% interval by blocks {interval})" if interval else ""
    differ = f", but {differing}" if (differing := blocks_words(change)) else ""
    ending = _untold_ending(change) if change.verdict == "cannot be told" else ""
    same = ", which is the same" if change.verdict == "same" else ""
    name = f"{part.name}, {METRIC_WORDS[change.metric]}"
    return f"{name}: {both}, {moved}{certain}{differ}{ending}{same}"


def _untold_ending(change: MetricChange) -> str:
    """Why a change is not told: an interval without zero would otherwise contradict that."""
    if change.p_holm is not None and is_suspect(change):
        return ", which among so many metrics may be chance"
    return ", which cannot be told from noise"


def nothing_differs(document: LoadCompareDocument) -> str:
    """What it means when there is no difference; empty when there is one."""
    if document.differences:
        return ""
    return (
        "Nothing else is known to differ: profile, target, limits and load generator are the same. "
        "The code behind the API may differ: a load run does not read it."
    )


def notes_of(document: LoadCompareDocument) -> list[str]:
    """What is worth knowing besides."""
    notes = [*document.notes]
    if document.forced:
        notes.append(
            "compared because --force asks for it: a change may be the doing of the differences"
        )
    for name, steps in (("baseline", document.only_before), ("newer run", document.only_after)):
        if steps:
            notes.append(f"steps that only the {name} has are not compared: {listed(steps)}")
    if document.parts:
        notes.append(BETWEEN_RUNS)
    same = nothing_differs(document)
    return [closed(note) for note in (*notes, *([same] if same else []))]
