"""One entry of the glossary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word, what it counts and from when, how it is computed, where it is, and what misleads.

    `where` is its place in documents; `also` are other words for it; `chart` is the name of the
    chart that an entry is about.
    """

    name: str
    group: str
    unit: str
    what: str
    trap: str
    formula: str = ""
    source: str = ""
    where: str = ""
    also: tuple[str, ...] = ()
    chart: str = ""
