"""The charts of a run, each by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from core.errors import InputError
from reports.figure import Figure
from reports.kinds import Document
from reports.sections import figures_of

# What a reader wants to see first, by kind of run.
_MAIN = {
    "tune": ("cost", "duration"),
    "load": ("rate", "latency", "spectrum"),
    "limits": ("admitted",),
    "nightly": (),
}


def charts_of(document: Document) -> list[Figure]:
    """All charts of a run, in the order of its page; each has a name of its own."""
    found = figures_of(_section_of(document))
    seen: Counter[str] = Counter()
    named = []
    for figure in found:
        name = figure.name or "chart"
        seen[name] += 1
        count = seen[name]
        named.append(replace(figure, name=name if count == 1 else f"{name}-{count}"))
    return named


def main_charts(document: Document) -> list[Figure]:
    """The charts that `--chart` draws: those that the answer rests on."""
    charts = charts_of(document)
    wanted = _MAIN[document.kind]
    found = [figure for name in wanted for figure in charts if figure.name == name]
    return found or charts[:2]


def chart_named(charts: Sequence[Figure], name: str) -> Figure:
    """The chart with a name.

    Raises:
        InputError: there is none; the message has those that there are.
    """
    found = next((figure for figure in charts if figure.name == name), None)
    if found is not None:
        return found
    names = [figure.name for figure in charts]
    if not names:
        raise InputError(f"NAME: this run has no charts (got '{name}')")
    near = get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {near[0]}?" if near else None
    raise InputError(f"NAME: expected one of {', '.join(names)} (got '{name}')", hint=hint)


def _section_of(document: Document) -> object:
    if document.kind == "nightly":
        from reports.nightly_page import night_section

        return night_section.section_of(document, "chart")
    from reports import limits_page, load_page, tune_page

    if document.kind == "load":
        return load_page.section_of(document, "chart")
    if document.kind == "limits":
        return limits_page.section_of(document, "chart")
    return tune_page.section_of(document, "chart")
