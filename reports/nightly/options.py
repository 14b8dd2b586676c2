"""What the command line of `reports nightly` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal


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
