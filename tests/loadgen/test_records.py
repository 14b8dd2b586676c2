"""Request records: what is appended is read back, also from files that were cut short."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from loadgen.records import (
    RECORD,
    RecordWriter,
    chunks,
    read_file,
    read_records,
    records_path,
    response_us,
)
from tests.loadgen.full_disk import FullDisk


def some(n, first=0):
    records = np.zeros(n, RECORD)
    records["intended_us"] = np.arange(first, first + n)
    records["start_us"] = records["intended_us"] + 5
    records["service_us"] = 100
    records["request_id"] = b"3d5f0a5e-0c8f-4c9b-9e0a-000000000001"
    return records


@pytest.fixture
def path(tmp_path):
    return records_path(tmp_path, 0)


def test_appended_records_come_back_in_order(path):
    with RecordWriter(path) as writer:
        writer.append(some(3))
        writer.append(some(0))
        writer.append(some(4, first=3))
    assert writer.n == 7
    assert (read_file(path) == some(7)).all()


def test_any_numpy_reads_the_file(path):
    with RecordWriter(path) as writer:
        writer.append(some(12))
    assert (np.load(path) == some(12)).all()


def test_the_header_is_right_after_every_append(path):
    writer = RecordWriter(path)
    for n in (1, 1_000, 100_000):
        writer.append(some(n))
        assert len(np.load(path, mmap_mode="r")) == writer.n
    writer.close()


def test_response_time_counts_from_the_intended_start():
    assert response_us(some(2)).tolist() == [105, 105]


def test_half_a_record_at_the_end_is_left_out(path):
    with RecordWriter(path) as writer:
        writer.append(some(5))
    with path.open("ab") as file:
        file.write(some(1).tobytes()[:30])
    assert (read_file(path) == some(5)).all()


def test_records_behind_an_old_header_are_read(path):
    """As a process leaves it that is killed between the records and the header."""
    with RecordWriter(path) as writer:
        writer.append(some(5))
    with path.open("ab") as file:
        file.write(some(2, first=5).tobytes())
    assert (read_file(path) == some(7)).all()


def test_a_full_disk_costs_what_was_written_then_and_nothing_else(path):
    writer = RecordWriter(path)
    disk = writer._file = FullDisk(writer._file)
    writer.append(some(5))
    disk.room = 100
    with pytest.raises(OSError, match="No space left"):
        writer.append(some(3, first=50))
    disk.room = None
    writer.append(some(2, first=5))
    writer.close()
    assert (read_file(path) == some(7)).all()
    assert (np.load(path) == some(7)).all()


def test_nothing_is_written_over(path):
    RecordWriter(path).close()
    with pytest.raises(FileExistsError):
        RecordWriter(path)


def test_the_files_of_all_injectors_are_read_in_the_order_of_their_numbers(tmp_path):
    for injector in (10, 2, 0):
        with RecordWriter(records_path(tmp_path, injector)) as writer:
            writer.append(some(1, first=injector))
    found = read_records(tmp_path)
    assert [int(records["intended_us"][0]) for records in found] == [0, 2, 10]
    assert all(isinstance(records, np.memmap) for records in found)


@pytest.mark.parametrize("size", [0, 1, 40], ids=["empty", "one byte", "part of a header"])
def test_a_writer_killed_at_its_very_beginning_leaves_no_records(path, size):
    RecordWriter(path).close()
    path.write_bytes(path.read_bytes()[:size])
    assert len(read_file(path)) == 0


def test_a_file_without_records_has_none(path):
    RecordWriter(path).close()
    assert len(read_file(path)) == 0
    assert read_records(path.parent / "nowhere") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no numpy file at all, but long enough to have had a header" * 3, "no file of request"),
        (np.zeros(40), "columns of another version"),
        (np.zeros((2, 2), RECORD), "columns of another version"),
    ],
    ids=["text", "other columns", "two dimensions"],
)
def test_something_else_is_refused_by_name(path, content, said):
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(InputError, match=said) as caught:
        read_file(path)
    assert str(path) in str(caught.value)


def test_chunks_have_all_records_and_are_never_longer_than_asked():
    files = [some(5), some(0), some(3, first=5)]
    pieces = list(chunks(files, rows=2))
    assert [len(piece) for piece in pieces] == [2, 2, 1, 2, 1]
    assert (np.concatenate(pieces) == some(8)).all()
