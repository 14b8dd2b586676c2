"""The files that a document was made from: those that there are, each with its SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from loadgen.raw_data import raw_data


def test_files_of_a_run_are_named_with_their_hashes(tmp_path: Path) -> None:
    for name in ("frames.ndjson.gz", "records-0.npy", "records-1.npy", "result.json"):
        (tmp_path / name).write_bytes(name.encode())

    files = raw_data(tmp_path, injectors=3)

    assert [file.name for file in files] == ["frames.ndjson.gz", "records-0.npy", "records-1.npy"]
    assert files[0].sha256 == hashlib.sha256(b"frames.ndjson.gz").hexdigest()
    assert files[0].bytes == len(b"frames.ndjson.gz")


def test_a_run_without_files_names_none(tmp_path: Path) -> None:
    assert raw_data(tmp_path, injectors=1) == []
