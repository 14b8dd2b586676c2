"""What a comparison of two probes of limits found, in sentences and as a table."""

from __future__ import annotations

from reports import compare_tables
from reports.blocks import Column, Table, TableRow
from reports.figures import closed, listed
from reports.limits_compare_document import LimitsCompareDocument
from reports.limits_words import quantity_words

_VERDICTS = {
    "same": "Same",
    "differs": "Differs",
    "cannot be told": "Cannot be told",
    "not comparable": "Not comparable",
    "invalid": "Invalid",
}
_OVERLAP = {True: "= they overlap", False: "! they do not overlap", None: "~ not known in both"}
_SAME = {True: "= the same", False: "! another", None: "~ not known in both"}


def verdict_word(document: LimitsCompareDocument) -> str:
    """The verdict in a word or two."""
    return _VERDICTS[document.verdict]


def title(document: LimitsCompareDocument) -> str:
    """What is compared."""
    first, second = document.before.name, document.after.name
    if first == second:
        return f"Two probes of the limits of {first}"
    return f"Probes of the limits of {first} and {second}"


def headline(document: LimitsCompareDocument) -> str:
    """The verdict in one sentence."""
    if document.errors:
        return closed("; ".join(document.errors))
    apart = [one.what for one in document.quantities if one.overlap is False]
    others = [one.what for one in document.named if one.same is False]
    if apart or others:
        told = [
            *([f"the intervals of {listed(apart)} do not overlap"] if apart else []),
            *([f"another {listed(others)} was found"] if others else []),
        ]
        return closed(" and ".join(told))
    if document.verdict == "same":
        return "The intervals of the rate overlap: both probes may have met the same limit."
    return "One of the probes does not know the rate, so that nothing can be told."


def compared_table(document: LimitsCompareDocument) -> Table | None:
    """Rate, burst, kind and layer of both probes, and whether they agree."""
    rows = [
        TableRow(
            [
                one.what,
                quantity_words(one.before, one.unit),
                quantity_words(one.after, one.unit),
                _OVERLAP[one.overlap],
            ],
            "failed" if one.overlap is False else "",
        )
        for one in document.quantities
    ]
    rows += [
        TableRow([one.what, one.before, one.after, _SAME[one.same]],
                 "failed" if one.same is False else "")
        for one in document.named
    ]  # fmt: skip
    if not rows:
        return None
    names = ("What", "Baseline", "Newer probe", "Do they agree")
    return Table(
        "Limits found",
        [Column(name, is_text=True) for name in names],
        rows,
        "In parentheses 90 % intervals, or the range that the data allow. Two 90 % intervals of "
        "one limit lie apart in about two of a hundred pairs.",
    )


def differences_table(document: LimitsCompareDocument) -> Table | None:
    """What else differs between the probes; None where nothing is known to."""
    return compare_tables.differences_table(document.differences, ("Baseline", "Newer probe"))


def notes_of(document: LimitsCompareDocument) -> list[str]:
    """What is worth knowing besides."""
    forced = "compared because --force asks for it: the differences may explain a change"
    return [closed(note) for note in (*document.notes, *([forced] if document.forced else []))]
