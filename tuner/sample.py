"""One invocation as it was measured, and the file that keeps all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from core.errors import InputError

SAMPLES_FILE = "samples.ndjson"

Outcome = Literal["measured", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One invocation at one size; times in ms.

    `outcome` is "measured" with a REPORT and no error, "failed" when the function answered with
    an error, and "lost" when no REPORT could be read: lost is no measurement, never a zero.
    `after_error` marks the first call after a failure: Lambda hides the new environment's INIT in
    its Duration, so it does not count.
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

    @property
    def counts_as_warm(self) -> bool:
        """Whether this is a warm measurement to fit curves to."""
        return self.outcome == "measured" and not self.cold and not self.after_error

    @property
    def counts_as_cold(self) -> bool:
        """Whether this is a measured cold start."""
        return self.outcome == "measured" and self.cold


class SampleFile:
    """Appends each sample as it comes, so that a killed run keeps what it paid for."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / SAMPLES_FILE
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._file = self.path.open("a", encoding="utf-8")
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
        """Writes `sample` through to the file."""
        if self._file is None:
            raise ValueError("the sample file is not open")
        self._file.write(json.dumps(asdict(sample), sort_keys=True) + "\n")
        self._file.flush()


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """The samples of a run.

    Raises:
        InputError: naming file, line and what was expected.
    """
    path = folder / SAMPLES_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: could not read the samples: {error}") from error
    return tuple(_parse(path, number, line) for number, line in enumerate(lines, 1) if line.strip())


def _parse(path: Path, number: int, line: str) -> Sample:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{number}: expected a JSON object, got: {error.msg}") from error
    known = {field.name for field in fields(Sample)}
    if not isinstance(record, dict) or not set(record) <= known:
        unknown = sorted(set(record) - known) if isinstance(record, dict) else record
        raise InputError(f"{path}:{number}: expected a sample (got unknown {unknown!r})")
    try:
        sample = Sample(**record)
    except TypeError as error:
        raise InputError(f"{path}:{number}: expected a sample: {error}") from error
    _check(path, number, sample)
    return sample


def _check(path: Path, number: int, sample: Sample) -> None:
    if not isinstance(sample.memory_mb, int) or sample.memory_mb <= 0:
        raise InputError(f"{path}:{number}: memory_mb: expected MB (got {sample.memory_mb!r})")
    if sample.outcome not in ("measured", "failed", "lost"):
        raise InputError(
            f"{path}:{number}: outcome: expected measured, failed or lost (got {sample.outcome!r})"
        )
    numbers: Iterable[tuple[str, object]] = (
        ("duration_ms", sample.duration_ms),
        ("billed_ms", sample.billed_ms),
    )
    for key, value in numbers:
        wanted = sample.outcome == "measured"
        if value is None and not wanted:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise InputError(f"{path}:{number}: {key}: expected milliseconds (got {value!r})")


def warm_by_size(samples: Sequence[Sample]) -> dict[int, list[Sample]]:
    """The warm measurements of each size that has any, ascending by size."""
    sizes = sorted({sample.memory_mb for sample in samples if sample.counts_as_warm})
    return {
        size: [s for s in samples if s.memory_mb == size and s.counts_as_warm] for size in sizes
    }
