"""What logs and traces say of single requests: one row for each record of a run.

The rows are parallel to the records of all injectors behind each other, in the order of
`read_records`. A time that nothing tells is NaN, never 0: unknown stays unknown in every sum.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

# Lengths in ms. From the access log of the stage: latency (responseLatency: all that the gateway
# took), integration, authorizer. From the REPORT line of the function: the others.
TRACE = np.dtype(
    [
        ("latency_ms", "<f4"),
        ("integration_ms", "<f4"),
        ("authorizer_ms", "<f4"),
        ("init_ms", "<f4"),
        ("restore_ms", "<f4"),
        ("duration_ms", "<f4"),  # of the handler
        ("billed_ms", "<f4"),
        ("version", "S16"),  # of the function; empty: unknown
        ("canary", "u1"),  # of the stage: UNKNOWN, NO_CANARY or CANARY
        ("throttled", "?"),  # by Lambda, as the access log says
        ("has_log", "?"),
        ("has_report", "?"),
        ("has_xray", "?"),  # some of the times are those of an X-Ray trace
    ]
)

UNKNOWN, NO_CANARY, CANARY = range(3)

TIMES = tuple(name for name in TRACE.names or () if name.endswith("_ms"))

_AGAIN = "without that file, loadgen collect reads the logs anew"

Traces = NDArray[np.void]  # of TRACE


def empty_traces(n: int) -> Traces:
    """`n` rows of which nothing is known."""
    traces = np.zeros(n, TRACE)
    for name in TIMES:
        traces[name] = np.nan
    return traces


def traces_path(folder: Path) -> Path:
    """The file of the traces in the folder of a run."""
    return folder / "traces.npy"


def write_traces(folder: Path, traces: Traces) -> None:
    """Write the traces of a run at once: whoever reads sees the old ones or the new ones.

    Raises:
        InputError: they cannot be written.
    """
    path = traces_path(folder)
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            np.save(file, traces)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        why = error.strerror or str(error)
        raise InputError(f"could not write the traces in {folder}: {why}") from error


def read_traces(folder: Path, n: int) -> Traces:
    """The traces of the `n` records of a run; of which nothing is known if none were stored.

    Raises:
        InputError: the file has something else, or the traces of another number of records.
    """
    path = traces_path(folder)
    if not path.exists():
        return empty_traces(n)
    try:
        traces = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path}: is no file of traces: {error}", hint=_AGAIN) from error
    if not isinstance(traces, np.ndarray) or traces.dtype != TRACE:
        why = "has columns of another version, or something else than traces"
        raise InputError(f"{path}: {why}", hint=_AGAIN)
    if traces.shape != (n,):
        why = f"has {len(traces)} traces, expected {n}, one for each record"
        raise InputError(f"{path}: {why}", hint=_AGAIN)
    return traces
