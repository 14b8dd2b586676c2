"""One invocation as it was measured, and the file that keeps all of them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, cast, get_args

from core.errors import InputError, ToolError
from core.text import one_line

SAMPLES_FILE = "samples.ndjson"

_TOO_SMALL_ERRORS = ("Sandbox.Timedout", "Runtime.OutOfMemory")

Outcome = Literal["measured", "failed", "lost"]

# A day: Lambda ends every call after 15 minutes.
_LONGEST_MS = 86_400_000
# What the Lambda API allows at most (MemorySize, botocore 1.44).
_LARGEST_MB = 32_768
_TIMES = ("duration_ms", "billed_ms", "wall_ms", "init_ms", "restore_ms")
_MEASURED_TIMES = ("duration_ms", "billed_ms")
_TEXTS = ("version", "started_utc", "request_id")
_OPTIONAL_TEXTS = ("error_type", "error_message", "payload")
_FLAGS = ("cold", "after_error", "discarded")


@dataclass(frozen=True, slots=True)
class Sample:
    """One invocation at one size; times in ms.

    `outcome` is "measured" with a REPORT and no error, "failed" when the function answered with
    an error, and "lost" when no REPORT could be read: lost is no measurement, never a zero.
    `after_error` marks the first call after a failure: Lambda hides the new environment's INIT in
    its Duration, so it does not count. `discarded` marks one of the first warm calls at its size
    where those shall not count. `payload` names the event where calls differ in it. An error that
    the user allows is "measured", and has its `error_type`.
    """

    memory_mb: int
    version: str
    round: int
    started_utc: str
    request_id: str
    outcome: Outcome
    cold: bool = False
    after_error: bool = False
    wall_ms: float | None = None
    duration_ms: float | None = None
    billed_ms: float | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    max_memory_used_mb: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    payload: str | None = None
    discarded: bool = False

    @property
    def ran_out(self) -> bool:
        """Whether the size was too small for the call: out of memory, or of time."""
        return self.error_type in _TOO_SMALL_ERRORS

    @property
    def counts_as_warm(self) -> bool:
        """Whether this is a warm measurement to fit curves to."""
        return self.is_warm and not self.discarded

    @property
    def is_warm(self) -> bool:
        """Whether this is a warm measurement, one of those to discard or not."""
        return self.outcome == "measured" and not self.cold and not self.after_error

    @property
    def counts_as_cold(self) -> bool:
        """Whether this is a cold start of which INIT (or restore) is known."""
        return self.outcome == "measured" and self.cold and not self.after_error


class SampleFile:
    """Appends each sample as it comes, so that a killed run keeps what it paid for."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / SAMPLES_FILE
        self._file: FileIO | None = None

    def __enter__(self) -> Self:
        try:
            # Without a buffer: what could not be written must not come back when it is closed.
            self._file = FileIO(self.path, "a")
        except OSError as error:
            raise self._refusal(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def append(self, sample: Sample) -> None:
        """Writes `sample` through to the file.

        Raises:
            ToolError: when it cannot be written; the file then ends with the sample before.
        """
        if self._file is None:
            raise ValueError("the sample file is not open")
        line = (json.dumps(asdict(sample), sort_keys=True) + "\n").encode()
        end = self.path.stat().st_size
        try:
            if self._file.write(line) != len(line):
                # A disk takes what still fits.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(end)
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> ToolError:
        return ToolError(f"{self.path}: could not keep the samples: {error.strerror}")


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """The samples of a run.

    Raises:
        InputError: naming file, line and what was expected.
    """
    path = folder / SAMPLES_FILE
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise InputError(f"{path}: could not read the samples: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected samples in UTF-8 (byte {error.start}: {error.reason})"
        ) from error
    return tuple(
        _parse(f"{path}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()
    )


def _parse(place: str, line: str) -> Sample:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: expected a JSON object, got: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: expected a JSON object, got: {error}") from error
    known = {field.name for field in fields(Sample)}
    if not isinstance(record, dict) or not set(record) <= known:
        unknown = sorted(set(record) - known) if isinstance(record, dict) else record
        raise InputError(f"{place}: expected a sample (got unknown {_shown(unknown)})")
    try:
        sample = Sample(**record)
    except TypeError as error:
        raise InputError(f"{place}: expected a sample: {error}") from error
    _check(place, asdict(sample))
    return replace(
        sample,
        error_type=None if sample.error_type is None else one_line(sample.error_type),
        error_message=None if sample.error_message is None else one_line(sample.error_message),
        payload=None if sample.payload is None else one_line(sample.payload),
    )


def _check(place: str, record: Mapping[str, object]) -> None:
    """Makes sure that every value is one that a run could have written."""

    def expect(key: str, expected: str, *, holds: bool) -> None:
        if not holds:
            raise InputError(f"{place}: {key}: expected {expected} (got {_shown(record[key])})")

    outcome, memory_mb = record["outcome"], record["memory_mb"]
    expect("outcome", "measured, failed or lost", holds=outcome in get_args(Outcome))
    expect("memory_mb", "MB", holds=_is_whole(memory_mb, _LARGEST_MB) and memory_mb != 0)
    expect("round", "a number from 0", holds=_is_whole(record["round"], 1_000_000))
    used_mb = record["max_memory_used_mb"]
    expect("max_memory_used_mb", "MB", holds=used_mb is None or _is_whole(used_mb, _LARGEST_MB))
    for key in _TIMES:
        missing = record[key] is None and not (outcome == "measured" and key in _MEASURED_TIMES)
        expect(key, "milliseconds, at most a day", holds=missing or _is_time(record[key]))
    for key in _TEXTS:
        expect(key, "a text", holds=isinstance(record[key], str))
    for key in _OPTIONAL_TEXTS:
        expect(key, "a text", holds=isinstance(record[key], str | None))
    for key in _FLAGS:
        expect(key, "true or false", holds=isinstance(record[key], bool))


def _is_whole(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_time(value: object) -> bool:
    # Neither NaN nor Infinity is in the range.
    return type(value) in (int, float) and 0 <= cast("float", value) <= _LONGEST_MS


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def warm_by_size(samples: Sequence[Sample]) -> dict[int, list[Sample]]:
    """The warm measurements of each size that has any, ascending by size."""
    sizes = sorted({sample.memory_mb for sample in samples if sample.counts_as_warm})
    return {
        size: [s for s in samples if s.memory_mb == size and s.counts_as_warm] for size in sizes
    }


def warm_durations(samples: Sequence[Sample], sizes_mb: Sequence[int]) -> dict[int, list[float]]:
    """Warm durations in ms of those of the sizes that have any."""
    return {
        size: [s.duration_ms for s in warm if s.duration_ms is not None]
        for size, warm in warm_by_size(samples).items()
        if size in sizes_mb
    }
