"""The samples that a document was made from, by name and SHA-256."""

from __future__ import annotations

from pathlib import Path

from core.aws.prices import other_arch
from reports.document import TuneDocument
from reports.raw_files import raw_files
from tuner.outputs import OUTPUTS_FILE
from tuner.sample import SAMPLES_FILE


def with_raw_files(document: TuneDocument, folder: Path) -> TuneDocument:
    """`document` with the files in `folder`; those of the other architecture are in one below."""
    own = (SAMPLES_FILE, OUTPUTS_FILE)
    beside = [f"{other_arch(document.function.arch)}/{name}" for name in own]
    return document.model_copy(update={"raw_files": raw_files(folder, [*own, *beside])})
