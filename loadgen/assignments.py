"""What each injector of a run is told to do."""

from __future__ import annotations

from pathlib import Path

from loadgen.messages import Assignment
from loadgen.preparation import Prepared


def assignments(
    prepared: Prepared, folder: Path, *, steered_from: int | None = None, spread: int = 0
) -> list[Assignment]:
    """One for each injector process of the profile; records go to `folder`.

    A steered load cannot do without records: its plan is told what they have.
    """
    profile = prepared.profile
    records = profile.output.records or steered_from is not None
    return [
        Assignment(
            injector=number,
            injectors=profile.load.processes,
            profile=profile.model_dump(mode="json", by_alias=True),
            base_dir=str(prepared.file.base_dir),
            base_url=prepared.resolved.base_url,
            seed=prepared.seed,
            folder=str(folder) if records else None,
            credentials=prepared.sources.current(),
            steered_from=steered_from,
            spread=spread,
        )
        for number in range(profile.load.processes)
    ]
