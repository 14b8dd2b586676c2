"""What a comparison of two tunings found, in sentences for terminal, page and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from reports.compare_document import (
    Change,
    ChoiceChange,
    CompareDocument,
    Difference,
    JudgedSize,
)
from reports.figures import closed, listed_sizes, megabytes, milliseconds, percent, percent_range

_VERDICT_WORDS = {
    "pass": "No regression",
    "fail": "Regression",
    "inconclusive": "Cannot be told",
}


# What there is more or less of: calls take 10 % more time, and cost 10 % more.
_TIME, _MONEY = " time", ""


def compare_verdict_word(document: CompareDocument) -> str:
    """The verdict in a word or two."""
    return _VERDICT_WORDS[document.verdict]


def compare_title(document: CompareDocument) -> str:
    """What is compared."""
    first, second = document.before.function, document.after.function
    return f"Two tunings of {first}" if first == second else f"Tunings of {first} and {second}"


def compare_headline(document: CompareDocument) -> str:
    """The verdict in one sentence."""
    if document.errors:
        return closed("; ".join(document.errors))
    names = [f"{megabytes(size.memory_mb)} ({roles(size)})" for size in document.judged]
    changes = [
        change for size in document.judged for change in (size.duration, size.cost) if change
    ]
    most = max((change.interval[1] - 1 for change in changes), default=0.0)
    ruled_out = f"; more than {percent(most)} is ruled out with 95 %" if most > 0 else ""
    return closed(
        f"{' and '.join(names)} did not get slower or dearer by more than "
        f"{percent(document.tolerance_share)} as far as the calls show{ruled_out}"
    )


def compare_support(document: CompareDocument) -> list[str]:
    """The sentences under the verdict: durations and costs, the choice, failures, cold starts."""
    found = [
        *(_judged(size) for size in document.judged),
        _overall(document),
        _choice(document.choice),
        *_failures(document),
        _starts(document),
    ]
    return [closed(sentence) for sentence in found if sentence]


def difference_sentence(difference: Difference) -> str:
    """One difference of the runs: what it was, what it is, what that means."""
    changed = f"{difference.what}: {difference.before} -> {difference.after}"
    return f"{changed}; {difference.meaning}" if difference.meaning else changed


def nothing_differs(document: CompareDocument) -> str:
    """What it means when there is no difference; empty when there is one."""
    if document.differences:
        return ""
    return (
        "Nothing else is known to differ: code, settings, payload and prices are the same. What "
        "differs is noise, hosts, or what the function calls."
    )


def roles(size: JudgedSize) -> str:
    """Why a size is judged: "in use", "recommended" or both."""
    return " and ".join(size.roles)


def _judged(size: JudgedSize) -> str:
    where = f"{megabytes(size.memory_mb)}, {roles(size)}"
    if size.fails_before or size.fails_after:
        before, after = (why or "worked" for why in (size.fails_before, size.fails_after))
        return f"{where}: before: {before}; after: {after}"
    if size.duration is None or size.cost is None:
        return ""
    estimated = "" if size.measured else " (estimated from the sizes that both runs measured)"
    return f"{where}: calls {_both(size.duration, size.cost)}{estimated}"


def _overall(document: CompareDocument) -> str:
    if document.duration is None or document.cost is None or len(document.sizes) < 2:
        return ""
    return (
        f"over all {len(document.sizes)} sizes that both runs measured, calls "
        f"{_both(document.duration, document.cost)}"
    )


def _both(duration: Change, cost: Change) -> str:
    return f"take {_change(duration, _TIME, '90 % interval ')} and cost {_change(cost, _MONEY)}"


def _change(change: Change, thing: str, interval_name: str = "") -> str:
    """A change that claims no more than its interval allows: 10 % more time (7 to 13 %)."""
    low, high = (end - 1 for end in change.interval)
    if low <= 0 <= high:
        either_way = f"{percent(-low)} less and {percent(high)} more{thing}"
        if change.verdict == "same":
            return f"about the same (between {either_way})"
        return f"somewhere between {either_way}"
    if low > 0:
        return (
            f"{percent(change.ratio - 1)} more{thing} ({interval_name}{percent_range(low, high)})"
        )
    interval = percent_range(-high, -low)
    return f"{percent(1 - change.ratio)} less{thing} ({interval_name}{interval})"


def _choice(choice: ChoiceChange | None) -> str:
    if choice is None:
        return "a run recommends no size, so that recommendations are not compared"
    old, new = megabytes(choice.before_mb), megabytes(choice.after_mb)
    if choice.verdict == "not compared":
        return (
            f"the recommendations ({old}, {new}) answer different questions: "
            f"{choice.objective_before}, and {choice.objective_after}"
        )
    if choice.verdict == "same":
        return f"both runs recommend {new}"
    said = {
        "changed": f"the best size changed from {old} to {new}: each run shows it",
        "surer": f"{new} is recommended, not {old}: the later run shows it, the earlier one left "
        "it open",
        "cannot be told": f"{new} is recommended, not {old}, but whether that is better cannot be "
        "told",
    }[choice.verdict]
    if choice.old_cost is None or choice.old_duration is None:
        return said
    return (
        f"{said}; by the later run {old} would cost {_change(choice.old_cost, _MONEY)} than {new} "
        f"and take {_change(choice.old_duration, _TIME)}"
    )


def _failures(document: CompareDocument) -> Iterator[str]:
    found = document.failures
    for size, why in sorted(found.newly_failing.items()):
        yield f"{megabytes(size)} fails now: {why}"
    if found.no_longer_failing:
        yield f"no longer failing: {listed_sizes(sorted(found.no_longer_failing))}"
    if found.before_failed or found.after_failed:
        told = "as chance may have it" if found.verdict == "cannot be told" else found.verdict
        yield (
            f"failed or lost calls: {found.before_failed} of {found.before_calls} before, "
            f"{found.after_failed} of {found.after_calls} after ({told})"
        )


def _starts(document: CompareDocument) -> str:
    starts = document.starts
    if starts is None:
        return ""
    medians = f"{milliseconds(starts.before_ms)} before and {milliseconds(starts.after_ms)} after"
    if starts.start is None:
        return f"cold starts took {medians}; too few sizes have both to tell more"
    return f"cold starts took {medians}: {_change(starts.start, _TIME)}, {starts.start.verdict}"
