"""What to do after a comparison of two load runs."""

from __future__ import annotations

from math import ceil, log

from reports.load_compare_document import LoadCompareDocument, MetricChange

# A longer run than this is no advice.
_LONGEST = 50


def next_step(document: LoadCompareDocument) -> str:
    """One sentence, by the verdict."""
    command = _command(document)
    if document.verdict == "invalid":
        return f"run what is not valid once more, on a quieter or larger machine: {command}"
    if document.verdict == "not comparable":
        return (
            "compare runs of one profile against one kind of target, or give --force where you "
            "know that the difference does not matter"
        )
    if document.verdict == "regressed":
        return (
            "run both once more, in turns, before anybody acts on it: a second pair that says the "
            "same is worth more than a longer run"
        )
    if document.verdict == "cannot be told":
        return _more_data(document, command)
    return "keep the newer run as the baseline of the next one"


def _command(document: LoadCompareDocument) -> str:
    facts = dict(document.after.facts)
    return facts.get("Command", "loadgen run PROFILE")


def _more_data(document: LoadCompareDocument, command: str) -> str:
    changes = document.parts[0].changes if document.parts else []
    judged = [change for change in changes if change.interval is not None]
    if not judged:
        return (
            "run both with this version, which keeps histograms by block of time, for eight "
            f"seconds or more: {command}"
        )
    factor = max((_longer(change) for change in judged), default=1.0)
    thin = [change for change in changes if change.interval is None and "too few ok" in change.why]
    if factor <= 1 and thin:
        return f"{thin[0].metric} has {thin[0].why}: run longer, or at a higher rate"
    if factor > _LONGEST:
        return "the runs are too noisy for a longer one to help: look at what varies in them"
    if factor <= 1:
        return "run both once more, in turns"
    return f"runs of about {ceil(factor)} times the length would tell"


def _longer(change: MetricChange) -> float:
    """How many times longer a run must be for an interval as wide as the floor."""
    if change.verdict != "cannot be told" or change.interval is None:
        return 1.0
    low, high = change.interval
    if change.unit == "share":
        half, floor = (high - low) / 2, change.floor_share
    else:
        half, floor = log(high / low) / 2 if low > 0 else 0.0, log(1 + change.floor_share)
    return (half / floor) ** 2
