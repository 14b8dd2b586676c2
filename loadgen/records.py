"""One record for each request, on disk: a .npy file an injector, readable by any numpy.

Files are appended to once a second and mapped when they are read, so that memory stays bounded
however long a run is. The header is right after every append; a file whose writer was killed in
the middle of one is read as far as its whole records go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.errors import InputError

# Times count from the beginning of the run; first_byte, connect, tls and service are lengths,
# of which first_byte and service count from the actual start.
RECORD = np.dtype(
    [
        ("intended_us", "<i8"),
        ("start_us", "<i8"),
        ("service_us", "<i8"),
        ("first_byte_us", "<u4"),
        ("connect_us", "<u4"),  # name look-up included; 0: on a connection that was open already
        ("tls_us", "<u4"),
        ("bytes_in", "<u4"),
        ("status", "<u2"),  # 0: no response
        ("kind", "<u2"),  # loadgen.outcome.Kind.code
        ("phase", "<u2"),
        ("step", "<u2"),
        ("request_id", "S36"),  # as API Gateway gave it
        ("dns_us", "<u4"),  # the look-up of the name, where this request waited for one
        ("connection", "<u4"),  # numbers the connections of its injector from 1; 0: none came
        ("attempt", "u1"),  # 1: the first; 2 and more: what a modelled client sent again
    ]
)

Records = NDArray[np.void]  # of RECORD


def records_path(folder: Path, injector: int) -> Path:
    """The file of the records of `injector`."""
    return folder / f"records-{injector}.npy"


def response_us(records: Records) -> NDArray[np.int64]:
    """Response times in us: from the intended start to the last byte."""
    times: NDArray[np.int64] = records["start_us"] - records["intended_us"] + records["service_us"]
    return times


class RecordWriter:
    """Appends records to a new file; use it as a context manager, or close it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n = 0
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._begin = 0  # of the records, behind the header
        self._write_header()

    def append(self, records: Records) -> None:
        """Append `records`, an array of RECORD.

        Raises:
            OSError: the disk is full; what was written before stays readable.
        """
        # Behind the last whole record: half of one may be there, if the disk was full before.
        self._file.seek(self._begin + self.n * RECORD.itemsize)
        data = memoryview(np.asarray(records, RECORD).tobytes())
        while data:
            data = data[self._file.write(data) :]
        self.n += len(records)
        self._write_header()

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write_header(self) -> None:
        # numpy leaves room for the number of rows, so that every header has the same length.
        self._file.seek(0)
        npy.write_array_header_1_0(
            self._file,
            {"descr": npy.dtype_to_descr(RECORD), "fortran_order": False, "shape": (self.n,)},
        )
        self._begin = self._file.tell()


def read_records(folder: Path) -> list[Records]:
    """The records of each injector, in the order in which they ended; mapped, not loaded.

    Raises:
        InputError: a file is there that does not have request records.
    """
    paths = folder.glob("records-*.npy")
    return [read_file(path) for path in sorted(paths, key=lambda path: (len(path.name), path.name))]


def read_file(path: Path) -> Records:
    """The whole records of one file, mapped; none if its writer was killed before the first.

    Raises:
        InputError: it has something else.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            npy.read_magic(file)
            shape, _, dtype = npy.read_array_header_1_0(file)
        except (ValueError, EOFError) as error:
            if size < 64:
                return np.zeros(0, RECORD)
            raise InputError(f"{path}: is no file of request records: {error}") from error
        begin = file.tell()
    if dtype != RECORD or len(shape) != 1:
        raise InputError(f"{path}: has columns of another version, or something else than requests")
    n = (size - begin) // RECORD.itemsize
    if not n:
        return np.zeros(0, RECORD)
    return np.memmap(path, RECORD, "r", begin, (n,))


def chunks(files: Sequence[Records], rows: int = 65_536) -> Iterator[Records]:
    """All records, at most `rows` at a time."""
    for records in files:
        for begin in range(0, len(records), rows):
            yield records[begin : begin + rows]
