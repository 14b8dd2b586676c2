"""What is known of a night before its first step runs: who it is and what it stands on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NightFacts:
    """A night's names; `night` is the date that it counts for, of its beginning in UTC.

    Order is by `sequence` and then `night_id`, never by the clock. `environment` is the name of the
    plan's overlay, None for the plan as it stands.
    """

    night_id: str
    sequence: int
    night: str
    branch: str | None
    git_commit: str | None
    environment: str | None
