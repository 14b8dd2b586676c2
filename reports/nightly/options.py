"""What the command line of `reports nightly` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from core.errors import InputError

# What can be written of a night, in the night's folder and besides.
EXPORT_KINDS = ("html", "junit", "md", "json", "badge")


@dataclass(frozen=True, slots=True)
class NightOptions:
    """Each option; what is None here is as the plan has it."""

    plan: Path
    environment: str | None = None
    settings: tuple[str, ...] = ()
    only: tuple[str, ...] = ()  # names of steps; none: all
    night: date | None = None  # the date that the night counts for; None: today's, in UTC
    history: str | None = None  # folder or s3://BUCKET/PREFIX
    runs: Path = Path("runs")
    sandbox: bool = False
    fresh: bool = False  # begin anew where a night was interrupted
    inconclusive: Literal["fail", "pass"] | None = None
    dry_run: bool = False
    yes: bool = False
    exports: tuple[str, ...] = ()
    region: str | None = None
    profile: str | None = None
    command: tuple[str, ...] = ()  # as it was typed, for the document


def checked_night(text: str | None) -> date | None:
    """The date of `--night`.

    Raises:
        InputError: it is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--night {text}: must be a date such as 2026-11-27") from None


def checked_inconclusive(text: str | None) -> Literal["fail", "pass"] | None:
    """The word of `--inconclusive`.

    Raises:
        InputError: it is neither.
    """
    match text:
        case None | "fail" | "pass":
            return text
    raise InputError(f"--inconclusive {text}: must be fail or pass")


def checked_history(text: str | None) -> str | None:
    """The place of `--history`: a folder, which need not be there yet, or s3://BUCKET/PREFIX.

    Raises:
        InputError: it is neither.
    """
    from reports.nightly.plan_checks import history_fault

    if text == "":
        raise InputError("--history: must be a folder or s3://BUCKET/PREFIX (got '')")
    if text is not None and (found := history_fault(text, Path())):
        raise InputError(f"--history {text}: {found}")
    return text


def checked_exports(specs: tuple[str, ...], plan: Path, *, json_output: bool) -> tuple[str, ...]:
    """The `--export KIND=PATH`, none of which may replace the plan or another.

    Raises:
        InputError: a kind is not known, or nothing can be written there.
    """
    from reports.exports import check_exports

    check_exports(specs, EXPORT_KINDS, [(f"the plan {plan}", plan)], json_output=json_output)
    return specs
