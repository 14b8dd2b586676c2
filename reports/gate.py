"""A condition that a run was held against, and the suite of those of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["passed", "failed", "inconclusive", "invalid"]


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition, where it must hold, and what came of it; `message` has the figures."""

    scope: str
    text: str
    status: Status
    message: str


@dataclass(frozen=True, slots=True)
class GateSuite:
    """The gates of one run, what somebody needs to repeat it, and how long it took."""

    name: str
    kind: str
    gates: tuple[Gate, ...]
    properties: tuple[tuple[str, str], ...]
    started_utc: str
    finished_utc: str
