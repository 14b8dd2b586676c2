"""Frames on disk: one a line, gzipped, beside the result document.

Every percentile of a result can be derived again from this file. Each frame is a gzip member of
its own, so that the file of a killed run is whole up to its last frame.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from core.errors import InputError
from loadgen.messages import Drained, Frame, NewSteps, from_line, to_line

FRAMES_NAME = "frames.ndjson.gz"  # in the folder of a run


class FramesWriter:
    """Appends what injectors report to a new file; use it as a context manager, or close it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._size = 0  # of whole messages

    def write(self, message: Frame | NewSteps | Drained) -> None:
        """Append `message`; it is in the file when this returns.

        Raises:
            OSError: the disk is full.
        """
        data = memoryview(gzip.compress(to_line(message), compresslevel=1))
        # Over half a message, if the disk was full before: what comes later stays readable.
        self._file.seek(self._size)
        written = 0
        while written < len(data):
            written += self._file.write(data[written:])
        self._size += written

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def __enter__(self) -> FramesWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_frames(path: Path) -> Iterator[Frame | NewSteps | Drained]:
    """What was written, in its order; a last frame that is cut short is left out.

    Raises:
        InputError: the file has something else.
    """
    for number, line in enumerate(_lines(path), 1):
        try:
            message = from_line(line)
        except ValueError as error:
            raise InputError(f"{path}:{number}: {error}") from error
        if not isinstance(message, Frame | NewSteps | Drained):
            raise InputError(f"{path}:{number}: is no frame of a run")
        yield message


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines, up to where the file is cut short."""
    with gzip.open(path, "rb") as file:
        while True:
            try:
                line = file.readline()
            except EOFError:
                return
            except (OSError, zlib.error) as error:
                raise InputError(f"{path}: is damaged, or no gzip file: {error}") from error
            if not line.endswith(b"\n"):
                return
            yield line
