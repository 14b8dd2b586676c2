"""`reports explain`: entries of the glossary on the terminal, or as a document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from core.console import Console
from core.errors import ExitCode
from reports.glossary import GROUPS, term_of, terms
from reports.glossary_term import Term


def explain(console: Console, asked: str | None) -> ExitCode:
    """One entry, or a list of all.

    Raises:
        InputError: there is no such word.
    """
    if asked is None:
        if console.json_output:
            console.document(_document(terms=[asdict(term) for term in terms()]))
        else:
            _list(console)
        return ExitCode.PASS
    term = term_of(asked)
    if console.json_output:
        console.document(_document(term=asdict(term)))
    else:
        for line in _lines(term):
            console.show(line)
    return ExitCode.PASS


def _list(console: Console) -> None:
    """Each word with the beginning of what it is, by subject."""
    for number, (group, heading) in enumerate(GROUPS):
        console.show(f"\n{heading}" if number else heading)
        for term in terms():
            if term.group == group:
                console.show(f"  {term.name}: {_first_sentence(term.what)}")


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")


def _lines(term: Term) -> Iterator[str]:
    yield f"{term.name}, {term.unit}" if term.unit else term.name
    yield f"  {term.what}"
    labelled = (
        ("Formula", term.formula),
        ("Source", term.source),
        ("In documents", term.where),
        ("Trap", term.trap),
        ("Draw it", f"reports chart RUN {term.chart}" if term.chart else ""),
        ("Also", ", ".join(term.also)),
    )
    yield from (f"  {label}: {text}" for label, text in labelled if text)


def _document(**found: object) -> str:
    whole = {"schema_version": 1, "verdict": "pass", "exit_code": 0, "errors": [], **found}
    return json.dumps(whole, ensure_ascii=False)
