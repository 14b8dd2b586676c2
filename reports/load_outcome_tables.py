"""What became of the requests that were not ok, as tables: refused by what, failed with what."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, part_of
from reports.load_document import ConfiguredLimit, LoadDocument
from reports.load_words import (
    CauseTotal,
    cause_evidence_words,
    cause_phrase,
    cause_word,
    class_word,
    known_words,
    limit_words,
    limits_for,
    totals_of,
)

_MOST_LIMITS = 3


def causes_table(document: LoadDocument) -> Table | None:
    """What refused requests, how that is known, and which limit is configured there."""
    totals = totals_of(document.throttled_by_cause)
    if not totals:
        return None
    columns = [
        Column("Refused by", is_text=True),
        Column("Requests"),
        Column("Of all refused"),
        Column("How it is known", is_text=True),
        Column("Limit configured there", is_text=True),
    ]
    refused = sum(total.count for total in totals)
    rows = [
        TableRow(
            [
                _sentence(cause_phrase(total.cause)),
                f"{total.count:,}",
                part_of(total.count, refused),
                _sentence(cause_evidence_words(total.cause, total.by_evidence)),
                _limits_cell(total, document.limits),
            ]
        )
        for total in totals
    ]
    return Table("What refused requests", columns, rows)


def _limits_cell(total: CauseTotal, limits: Sequence[ConfiguredLimit]) -> str:
    found = [limit_words(limit) for limit in limits_for(total.cause, limits)]
    if not found:
        return "not known" if limits else "not read"
    more = f"; and {len(found) - _MOST_LIMITS} more" if len(found) > _MOST_LIMITS else ""
    one_of = "one of " if total.cause == "throttle" and len(found) > 1 else ""
    return one_of + "; ".join(found[:_MOST_LIMITS]) + more


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def errors_table(document: LoadDocument) -> Table | None:
    """What failed, and what is known about why."""
    counts = sorted(document.errors_by_cause, key=lambda entry: (-entry.count, entry.outcome))
    if not counts:
        return None
    columns = [
        Column("Failed with", is_text=True),
        Column("Because of", is_text=True),
        Column("Requests"),
        Column("Of all completed"),
        Column("How it is known", is_text=True),
    ]
    rows = [
        TableRow(
            [
                _sentence(class_word(entry.outcome)),
                ABSENT if entry.cause == "none" else cause_word(entry.cause),
                f"{entry.count:,}",
                part_of(entry.count, document.requests.completed),
                _sentence(known_words(entry)) or ABSENT,
            ]
        )
        for entry in counts
    ]
    return Table("What failed", columns, rows)


def statuses_table(document: LoadDocument) -> Table | None:
    """How often each status code came, as far as records were kept."""
    total = sum(document.statuses.values())
    if not total:
        return None
    columns = [Column("Status code", is_text=True), Column("Requests"), Column("Share")]
    rows = [
        TableRow([_sentence(status), f"{count:,}", part_of(count, total)])
        for status, count in document.statuses.items()
    ]
    return Table("Status codes", columns, rows, "As they came, whether or not checks hold.")


def failures_table(document: LoadDocument) -> Table | None:
    """Why checks failed: one row for each step and reason, the most frequent first."""
    if not document.failures:
        return None
    columns = [
        Column("Failed checks of", is_text=True),
        Column("Reason", is_text=True),
        Column("Requests"),
    ]
    rows = [
        TableRow([failure.step, failure.reason, f"{failure.count:,}"])
        for failure in document.failures
    ]
    return Table("Failed checks", columns, rows)
