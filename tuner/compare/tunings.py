"""The two runs that are compared, read back from their folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from reports.compare_document import ComparedRun
from reports.document import SizeResult, TuneDocument
from reports.run_folder import read_document
from tuner.sample import SAMPLES_FILE, Sample, read_samples


@dataclass(frozen=True, slots=True)
class Tuning:
    """One run: its document and its samples; `given` is what the command line calls it."""

    given: str
    document: TuneDocument
    samples: tuple[Sample, ...]

    @property
    def summary(self) -> ComparedRun:
        """The run, as the document of the comparison names it."""
        document = self.document
        return ComparedRun(
            run=self.given,
            run_id=document.provenance.run_id,
            started_utc=document.provenance.started_utc,
            function=document.function.name,
            arn=document.function.arn,
            verdict=document.verdict,
            current_mb=document.current.memory_mb,
            recommended_mb=self.recommended_mb,
            invocations=document.spent.invocations,
        )

    @property
    def recommended_mb(self) -> int | None:
        """The size that the run recommends, or None."""
        taken = self.document.recommendation
        return None if taken is None else taken.memory_mb

    def size(self, memory_mb: int) -> SizeResult | None:
        """The row of a size, or None where the run did not have it."""
        return next((s for s in self.document.sizes if s.memory_mb == memory_mb), None)

    def failure(self, memory_mb: int) -> str | None:
        """Why a size cannot be used; None where it can, or was not measured."""
        size = self.size(memory_mb)
        return None if size is None else size.failure


def read_pair(before: Path, after: Path) -> tuple[Tuning, Tuning]:
    """The two runs.

    Raises:
        InputError: when one of them cannot be read, has no samples, or both are the same.
    """
    first, second = _read(before), _read(after)
    run_id = first.document.provenance.run_id
    if run_id == second.document.provenance.run_id:
        raise InputError(f"{before} and {after}: expected two runs (both are run {run_id})")
    return first, second


def _read(given: Path) -> Tuning:
    document = read_document(given, TuneDocument)
    folder = given if given.is_dir() else given.parent
    if not (folder / SAMPLES_FILE).exists():
        raise InputError(
            f"{given}: expected a run with samples (no {SAMPLES_FILE} in {folder})",
            hint="a change is told from noise by them",
        )
    return Tuning(str(given), document, read_samples(folder))
