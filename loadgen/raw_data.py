"""The files in the folder of a run that its document was made from."""

from __future__ import annotations

from pathlib import Path

from loadgen.frames_file import FRAMES_NAME
from loadgen.records import records_path
from loadgen.telemetry.traces import traces_path
from reports.raw_files import RawFile, raw_files


def raw_data(folder: Path, injectors: int) -> list[RawFile]:
    """Frames, the records of each injector and traces, as far as the run has them."""
    paths = [
        folder / FRAMES_NAME,
        *(records_path(folder, number) for number in range(injectors)),
        traces_path(folder),
    ]
    return raw_files(folder, [path.name for path in paths])
