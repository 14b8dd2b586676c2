"""What injectors and the process that started them say to each other: one JSON object a line.

An injector reads its `Assignment` and then `Control` lines from stdin; secrets travel only there,
never in arguments, environments or files. It writes lines to stdout: `Ready`, one `Frame` each
second, and one `Drained` when nothing is in flight any more. All times are microseconds since the
beginning of the run (`run_us`), on the clock of the injector's machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

import orjson

from loadgen.retry.cells import AttemptCell, OperationCell


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
class Failure:
    """So many requests of a step failed a check, or gave nothing to capture, for one reason."""

    phase: int
    step: int
    reason: str  # without secrets
    count: int


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
    failures: list[Failure] = field(default_factory=list)
    operations: list[OperationCell] = field(default_factory=list)  # of modelled clients
    attempts: list[AttemptCell] = field(default_factory=list)  # the same


@dataclass(frozen=True, slots=True)
class Ready:
    """The first line of an injector: it waits for the start, or says why it cannot."""

    injector: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class NewSteps:
    """Requests of a locustfile that an injector meets for the first time.

    They have the numbers from `first` on in its frames; each is a method and a name.
    """

    injector: int
    first: int
    steps: list[list[str]]


@dataclass(frozen=True, slots=True)
class SegmentDone:
    """All requests of a segment of a steered load have ended, or were waited for in vain.

    They are in the frames and records before it: `rows` is how many records there are by now.
    """

    injector: int
    phase: int
    rows: int
    ended_us: int  # when its arrivals ended, since the beginning of the run
    unended: int = 0  # requests that are still on their way


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
    not_built: int = 0  # requests that were due, and could not be built from their data
    without_data: int = 0  # flows that were due, and found no row left in a feed
    unfinished: int = 0  # flows that thought when the drain ended: what they had to send is missing
    stalled_us: int = 0  # the loop served nobody for more than max_start_lag: so long in all
    longest_stall_us: int = 0
    retries: int = 0  # of the requests sent: those that modelled clients sent again
    unsent: int = 0  # flows whose modelled client still held the first request back


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
    steered_from: int | None = None  # from this phase on, arrivals come as orders
    spread: int = 0  # requests go to one of so many connections at random


@dataclass(frozen=True, slots=True)
class Control:
    """Later lines on stdin: `start` (at_unix_ns), `stop`, `abort` or `credentials`.

    Of a steered load also `segment`, `skip` (the rest of the segment) and `end` (no more segments).
    """

    do: str
    at_unix_ns: int = 0
    credentials: dict[str, Any] = field(default_factory=dict)
    segment: dict[str, Any] = field(default_factory=dict)  # loadgen.steered.orders


Message = Ready | NewSteps | Frame | SegmentDone | Drained | Assignment | Control


def to_line(message: Message) -> bytes:
    """`message` as one line of JSON, newline included; its `type` comes first."""
    return b'{"type":"%s",%s' % (
        type(message).__name__.lower().encode(),
        orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)[1:],
    )


def from_line(line: bytes | str) -> Message:
    """The message that `to_line` made `line` of.

    Raises:
        ValueError: no message is written like that. Its text names keys but no values, because
            assignments carry secrets.
    """
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ValueError(f"not a message: no JSON, or cut short ({len(line)} bytes)") from None
    if not isinstance(content, dict):
        raise ValueError("not a message: no JSON object")
    kind = content.pop("type", None)
    if kind == "frame":
        content["cells"] = _each(Cell, content.get("cells"), "frame.cells")
        content["counts"] = _each(PhaseCount, content.get("counts"), "frame.counts")
        content["failures"] = _each(Failure, content.get("failures", []), "frame.failures")
        for name, shape in (("operations", OperationCell), ("attempts", AttemptCell)):
            content[name] = _each(shape, content.get(name, []), f"frame.{name}")
        return _made(Frame, content, "frame")
    if kind == "ready":
        return _made(Ready, content, "ready")
    if kind == "newsteps":
        return _made(NewSteps, content, "newsteps")
    if kind == "segmentdone":
        return _made(SegmentDone, content, "segmentdone")
    if kind == "drained":
        return _made(Drained, content, "drained")
    if kind == "assignment":
        return _made(Assignment, content, "assignment")
    if kind == "control":
        return _made(Control, content, "control")
    raise ValueError("not a message: its type is none that is known")


def _is_int(value: object) -> bool:
    return type(value) is int  # True and False are no numbers here


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


_FITS: dict[str, Callable[[object], bool]] = {
    "int": _is_int,
    "float": _is_number,
    "str": lambda value: type(value) is str,
    "int | None": lambda value: value is None or _is_int(value),
    "str | None": lambda value: value is None or type(value) is str,
    "list[str]": lambda value: type(value) is list and all(type(one) is str for one in value),
    "list[list[str]]": lambda value: (
        type(value) is list
        and all(type(one) is list and all(type(word) is str for word in one) for one in value)
    ),
    "dict[str, int]": lambda value: type(value) is dict and all(map(_is_int, value.values())),
    "dict[str, Any]": lambda value: type(value) is dict,
    "list[Cell]": lambda value: True,  # made by _each
    "list[PhaseCount]": lambda value: True,
    "list[Failure]": lambda value: True,
    "list[OperationCell]": lambda value: True,
    "list[AttemptCell]": lambda value: True,
}
_SHAPES: dict[type[Any], dict[str, Callable[[object], bool]]] = {
    shape: {one.name: _FITS[str(one.type)] for one in fields(shape)}
    for shape in (
        Cell,
        PhaseCount,
        Failure,
        OperationCell,
        AttemptCell,
        Ready,
        NewSteps,
        Frame,
        SegmentDone,
        Drained,
        Assignment,
        Control,
    )
}
_REQUIRED: dict[type[Any], set[str]] = {
    shape: {
        one.name
        for one in fields(shape)
        if one.default is MISSING and one.default_factory is MISSING
    }
    for shape in _SHAPES
}


_T = TypeVar("_T")


def _made(shape: type[_T], content: dict[str, Any], where: str) -> _T:
    fits = _SHAPES[shape]
    for key, value in content.items():
        if key not in fits:
            raise ValueError(f"{where}: has a key that it does not know")
        if not fits[key](value):
            raise ValueError(f"{where}.{key}: is not of its type (got {type(value).__name__})")
    missing = _REQUIRED[shape] - content.keys()
    if missing:
        raise ValueError(f"{where}: {', '.join(sorted(missing))} is missing")
    return shape(**content)


def _each(shape: type[_T], rows: object, where: str) -> list[_T]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{where}: must be a list of objects")
    return [_made(shape, row, where) for row in rows]
