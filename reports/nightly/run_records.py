"""The runs of a night as records: made from their documents, and taken into the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from core.errors import ToolError
from reports.history.record import Purpose, RunRecord
from reports.nightly.own_findings import OwnFindings
from reports.nightly.plan import LoadStep, TuneStep

if TYPE_CHECKING:
    from reports.nightly.outcome import RunDocument

Step = TuneStep | LoadStep


class RecordOf(Protocol):
    """Makes the record of a run from its document."""

    def __call__(self, document: RunDocument, *, step: Step, purpose: Purpose) -> RunRecord: ...


class FindingsOf(Protocol):
    """Makes what a document says by itself."""

    def __call__(self, document: RunDocument, step: Step) -> OwnFindings: ...


@dataclass(slots=True)
class RunRecords:
    """All records of a night in the order of their runs, and the findings of each step's last run.

    `keep` takes a record into the history and does not raise.
    """

    record_of: RecordOf
    findings_of: FindingsOf
    keep: Callable[[RunRecord], None]
    records: list[RunRecord] = field(default_factory=list)
    findings: dict[str, OwnFindings] = field(default_factory=dict)

    def take(
        self,
        document: RunDocument,
        step: Step,
        purpose: Purpose,
        *,
        cut: str | None,
        is_kept: bool = False,
    ) -> RunRecord:
        """The record of a run, taken into the history unless it is there already.

        `cut` says why the figures do not count, whatever the document says.

        Raises:
            ToolError: no record can be made of the document.
        """
        record = self._made(document, step, purpose)
        if cut is not None:
            reasons = [*record.invalid_reasons, cut]
            record = record.model_copy(update={"valid": False, "invalid_reasons": reasons})
        self.records.append(record)
        if not is_kept:
            self.keep(record)
        return record

    def _made(self, document: RunDocument, step: Step, purpose: Purpose) -> RunRecord:
        try:
            record = self.record_of(document, step=step, purpose=purpose)
            if purpose == "night":
                self.findings[step.name] = self.findings_of(document, step)
        except ToolError:
            raise
        except Exception as error:
            # A document that nobody foresaw must not lose the steps after it.
            raise ToolError(f"unexpected {type(error).__name__}: {error}") from error
        return record
