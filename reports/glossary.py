"""What the words of reports mean: each metric and chart with unit, formula, source and its trap.

One home for these texts: `reports explain` prints them, and a page may show them. Entries are data,
in `glossary_load`, `glossary_tune`, `glossary_night` and `glossary_charts`.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache

from core.errors import InputError
from reports.glossary_charts import CHARTS
from reports.glossary_load import LOAD_TERMS
from reports.glossary_night import NIGHT_TERMS
from reports.glossary_term import Term
from reports.glossary_tune import TUNE_TERMS

# The order in which they are listed.
GROUPS = (
    ("latency", "Latencies of requests"),
    ("measure", "Measures, as thresholds have them"),
    ("outcome", "Outcomes of requests"),
    ("cause", "Causes of refusals and errors"),
    ("validity", "Whether a load run can be trusted"),
    ("limit", "Limits and capacity"),
    ("tuning", "Tunings"),
    ("statistics", "Statistics"),
    ("night", "Nights and their history"),
    ("chart", "Charts"),
)


@cache
def terms() -> tuple[Term, ...]:
    """All entries, by group and then by name."""
    order = [name for name, _ in GROUPS]
    found = (*LOAD_TERMS, *TUNE_TERMS, *NIGHT_TERMS, *CHARTS)
    return tuple(sorted(found, key=lambda term: (order.index(term.group), term.name)))


def term_of(asked: str) -> Term:
    """The entry for a word, however it is written: `p95(response)`, `OK response`, `ttfb`.

    Raises:
        InputError: there is none; the message has the nearest ones.
    """
    known = _known()
    wanted = plain_name(asked)
    # What a threshold says is about what stands in its parentheses.
    inside = asked.partition("(")[2].partition(")")[0] or asked
    subject, _, cause = inside.partition(":")
    for name in (wanted, plain_name(subject), plain_name(cause)):
        if name in known:
            return known[name]
    near = get_close_matches(wanted, known, n=3, cutoff=0.7)
    names = list(dict.fromkeys(known[name].name for name in near))
    hint = f"did you mean {' or '.join(names)}?" if names else "reports explain lists all"
    raise InputError(f"METRIC: '{asked}' is not a word of reports", hint=hint)


def plain_name(text: str) -> str:
    """A word as entries have it: lower case, spaces and dashes as underscores."""
    return "_".join(text.strip().lower().replace("-", " ").replace("_", " ").split())


@cache
def _known() -> dict[str, Term]:
    """Entries by all their names; a metric goes before a chart of the same name."""
    found: dict[str, Term] = {}
    for term in terms():
        names = (term.name, *term.also)
        for name in names:
            found.setdefault(plain_name(name), term)
    return found
