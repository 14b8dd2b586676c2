"""What injectors and the process that started them say to each other: one JSON object a line.

An injector reads its `Assignment` and then `Control` lines from stdin; secrets travel only there,
never in arguments, environments or files. It writes `Report` lines to stdout: one `Frame` each
second, and one `Drained` when nothing is in flight any more. All times are microseconds since the
beginning of the run (`run_us`), on the clock of the injector's machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """The requests of one second, phase, step and kind that became known in one frame.

    `second` is that of the intended start, counted from the beginning of the run. Histograms are
    encoded as `loadgen.histogram` does; `first_byte` counts from the actual start; `connect` and
    `tls` have only requests that made a connection.
    """

    second: int
    phase: int
    step: int
    kind: int  # loadgen.outcome.Kind.code
    count: int
    bytes_in: int
    response: str
    service: str
    first_byte: str = ""
    connect: str = ""
    tls: str = ""


@dataclass(frozen=True, slots=True)
class PhaseCount:
    """How the arrivals (iterations, in the closed model) of a second and phase fared so far."""

    second: int
    phase: int
    offered: int = 0  # arrivals that were due
    dropped: int = 0  # of them, not begun because max_in_flight was reached
    sent: int = 0  # requests begun; with flows, more than one an arrival


@dataclass(frozen=True, slots=True)
class Frame:
    """What an injector learned since its last frame."""

    injector: int
    number: int  # 0, 1, 2, ...: none may be missing
    at_us: int
    cells: list[Cell]
    counts: list[PhaseCount]
    in_flight: int
    users: int
    cpu_share: float  # of one core, since the last frame
    start_lag: str  # histogram of actual start - intended start of arrivals
    connections: int = 0
    notes: list[str] = field(default_factory=list)  # what a user should know, each once


@dataclass(frozen=True, slots=True)
class Drained:
    """The last line of an injector: what it did in all, for the books to balance."""

    injector: int
    frames: int
    offered: int
    dropped: int
    sent: int
    completed: int  # requests with an outcome; sent = completed + cut
    cut: int  # still in flight when the drain ended
    cut_by_step: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one injector has to do; the first line on its stdin."""

    injector: int
    injectors: int
    profile: dict[str, Any]  # the profile, by alias; secrets in it are resolved
    base_dir: str  # relative paths of the profile begin here
    base_url: str
    seed: int
    folder: str | None  # where request records go
    credentials: dict[str, Any]  # by auth key, see loadgen.auth


@dataclass(frozen=True, slots=True)
class Control:
    """Later lines on stdin: `start` (at_unix_ns), `stop`, `abort` or `credentials`."""

    do: str
    at_unix_ns: int = 0
    credentials: dict[str, Any] = field(default_factory=dict)
