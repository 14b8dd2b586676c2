"""What a run proposes: the size to apply, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from reports.document import FunctionFacts, Saving, TuneDocument
from reports.figures import megabytes
from reports.tune_saving import saving_sentence
from tuner.target import LATEST


@dataclass(frozen=True, slots=True)
class Proposal:
    """A function as it was measured, and the size that it is to get.

    With `of_version` a published version was measured; `$LATEST` may have had another size.
    """

    tune_run: str
    function: FunctionFacts
    endpoint: str | None
    from_mb: int
    to_mb: int
    saving: Saving | None
    of_version: bool = False

    @property
    def sizes(self) -> str:
        """From which size to which, in words."""
        return f"from {megabytes(self.from_mb)} to {megabytes(self.to_mb)}"

    @property
    def effect(self) -> str:
        """What it saves, with its interval, in words."""
        if self.saving is None:
            return "what it saves is not known, today's size was not measured"
        return f"it {saving_sentence(self.saving)}"

    @property
    def slower_at_most(self) -> float | None:
        """New duration over old, by the slow end of the 90 % interval; None where not known."""
        return None if self.saving is None else 1 - self.saving.duration_interval[0]


def propose(document: TuneDocument) -> Proposal | str:
    """What the run proposes to change, or in words why it proposes nothing.

    A run passes only where the size that it recommends was called often enough to verify it.
    """
    taken, current = document.recommendation, document.current
    if document.verdict != "pass":
        return f"the verdict of the run is {document.verdict}, not pass"
    if taken is None:
        return "the run recommends no size"
    if taken.memory_mb == current.memory_mb:
        return f"the recommended size is what it has: {megabytes(current.memory_mb)}"
    return Proposal(
        tune_run=document.provenance.run_id,
        function=document.function,
        endpoint=document.provenance.endpoint,
        from_mb=current.memory_mb,
        to_mb=taken.memory_mb,
        saving=taken.saving,
        of_version=document.provenance.version not in (None, LATEST),
    )
