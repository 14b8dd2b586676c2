"""The findings as a table on a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from core.console import Console
from tuner.preflight.finding import Finding, exit_code

_LOUD = ("warning", "problem")


@dataclass(frozen=True, slots=True)
class Section:
    """What was found of one thing: the account, or a function."""

    title: str
    findings: tuple[Finding, ...]


def show_findings(console: Console, sections: Sequence[Section]) -> None:
    """What was found, by what it is about, and in the end whether a run can be made.

    When quiet, only what is a warning or a problem.
    """
    # Not at the top: --help must not wait for it.
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    for section in sections:
        told = [
            finding
            for finding in section.findings
            if console.verbosity >= 0 or finding.state in _LOUD
        ]
        if not told:
            continue
        table = Table(box=SIMPLE_HEAD, pad_edge=False, title=section.title, title_justify="left")
        table.title_style = "bold"
        for heading in ("check", "state"):
            table.add_column(heading, no_wrap=True)
        table.add_column("found, and what to do", overflow="fold")
        for finding in told:
            to_do = f"\n-> {finding.to_do}" if finding.to_do else ""
            table.add_row(
                finding.name,
                finding.state,
                finding.found + to_do,
                style="bold" if finding.state in _LOUD else "",
            )
        console.show(table)
    console.show(_summary(sections))


def _summary(sections: Sequence[Section]) -> str:
    counts = {
        state: sum(f.state == state for section in sections for f in section.findings)
        for state in ("problem", "warning")
    }
    told = ", ".join(f"{n} {state}{'' if n == 1 else 's'}" for state, n in counts.items() if n)
    can = "a run would not be made" if counts["problem"] else "a run can be made"
    return f"{can}: {told or 'nothing stands against it'}"


def findings_document(sections: Sequence[Section]) -> str:
    """The findings as JSON."""
    everything = [finding for section in sections for finding in section.findings]
    code = exit_code(everything)
    document = {
        "schema_version": 1,
        "kind": "tune-preflight",
        "verdict": "error" if code else "pass",
        "exit_code": int(code),
        "errors": [finding.line for finding in everything if finding.state == "problem"],
        "sections": [
            {
                "title": section.title,
                "findings": [
                    {
                        "name": finding.name,
                        "state": finding.state,
                        "found": finding.found,
                        "to_do": finding.to_do,
                    }
                    for finding in section.findings
                ],
            }
            for section in sections
        ],
    }
    return json.dumps(document, indent=2)
