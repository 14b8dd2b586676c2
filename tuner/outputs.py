"""What the function answers, kept where a user asks for it: nowhere but in the run's own folder."""

from __future__ import annotations

import base64
import errno
import json
import os
import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import ToolError
from tuner.sample import Sample

OUTPUTS_FILE = "outputs.ndjson"
# What a function answers may be as private as what it is asked.
_OWNER_ONLY = 0o600


class OutputFile:
    """Appends each answer as it comes, whole; several threads may do so."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / OUTPUTS_FILE
        self._lock = threading.Lock()
        self._number: int | None = None

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self._number = os.open(self.path, flags, _OWNER_ONLY)
        except OSError as error:
            raise self._refusal(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._number is not None:
            os.close(self._number)
            self._number = None

    def keep(self, sample: Sample, output: bytes) -> None:
        """Writes what the call of `sample` answered.

        Raises:
            ToolError: when it cannot be written; the file then ends with the answer before.
        """
        line = (json.dumps(_record(sample, output)) + "\n").encode()
        with self._lock:
            if self._number is None:
                raise ValueError("the file of outputs is not open")
            end = os.fstat(self._number).st_size
            try:
                if os.write(self._number, line) != len(line):
                    # A disk takes what still fits.
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(self._number, end)
                raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> ToolError:
        return ToolError(f"{self.path}: could not keep the outputs: {error.strerror}")


def output_file(folder: Path, *, keeps: bool) -> AbstractContextManager[OutputFile | None]:
    """The file of a run's outputs; None where nobody asked for one."""
    return OutputFile(folder) if keeps else nullcontext()


def _record(sample: Sample, output: bytes) -> dict[str, object]:
    """Text as it is, which JSON always is; anything else as base64."""
    try:
        answer = {"output": output.decode("utf-8")}
    except UnicodeDecodeError:
        answer = {"output_base64": base64.b64encode(output).decode()}
    return {
        "memory_mb": sample.memory_mb,
        "version": sample.version,
        "round": sample.round,
        "request_id": sample.request_id,
        "payload": sample.payload,
        "outcome": sample.outcome,
        "error_type": sample.error_type,
        **answer,
    }
