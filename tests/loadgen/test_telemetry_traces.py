"""The file of traces beside the records, and which requests are looked up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from loadgen.records import RECORD
from loadgen.telemetry.sampling import sampled_share, slices_of
from loadgen.telemetry.traces import (
    TIMES,
    TRACE,
    empty_traces,
    read_traces,
    traces_path,
    write_traces,
)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    traces = empty_traces(3)
    traces["duration_ms"][1], traces["version"][1], traces["has_report"][1] = 12.5, b"7", True

    write_traces(tmp_path, traces)
    found = read_traces(tmp_path, 3)

    assert found.dtype == TRACE
    assert found.tobytes() == traces.tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["traces.npy"]


def test_without_a_file_nothing_is_known_which_is_not_zero(tmp_path: Path) -> None:
    found = read_traces(tmp_path, 2)

    assert all(np.isnan(found[name]).all() for name in TIMES)
    assert not found["has_log"].any()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"x", "is no file of traces", id="no npy"),
        pytest.param(np.zeros(2, RECORD), "columns of another version", id="records"),
        pytest.param(empty_traces(5), "has 5 traces, expected 2", id="of another run"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: object, words: str) -> None:
    if isinstance(content, bytes):
        traces_path(tmp_path).write_bytes(content)
    elif isinstance(content, np.ndarray):
        np.save(traces_path(tmp_path), content)

    with pytest.raises(InputError, match=words):
        read_traces(tmp_path, 2)


@pytest.mark.parametrize("n", [0, 1, 99, 100, 101, 5_000])
def test_a_sample_is_spread_over_the_run(n: int) -> None:
    records = np.zeros(n, RECORD)
    records["start_us"] = np.random.default_rng(n).permutation(n) * 1000
    records["request_id"] = b"an id"

    slices = slices_of(records, most=100)

    times = [records["start_us"][part.rows] for part in slices]
    assert sum(len(part) for part in times) == min(n, 100)
    assert len(slices) == (0 if not n else 1 if n <= 100 else 10)
    assert sampled_share(records, slices) == pytest.approx(min(1, 100 / n) if n else 1)
    for number, part in enumerate(times):
        assert (np.diff(part) == 1000).all()  # nothing of their time is left out
        assert part[0] == pytest.approx(number * n * 1000 / len(times), abs=1000)


def test_requests_without_an_id_are_not_looked_up() -> None:
    records = np.zeros(3, RECORD)
    records["request_id"][1] = b"an id"

    (part,) = slices_of(records)

    assert part.rows.tolist() == [1]


def test_a_folder_that_takes_no_file_is_an_input_error(tmp_path: Path) -> None:
    # As a folder that is read-only: neither written nor taken away.
    (tmp_path / "traces.partial").mkdir()

    with pytest.raises(InputError, match="could not write the traces in"):
        write_traces(tmp_path, empty_traces(1))

    assert not traces_path(tmp_path).exists()
