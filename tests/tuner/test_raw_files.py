"""The files that a result names: those beside it, and those of the other architecture below it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.reports.documents import cpu_bound
from tuner.raw_files import with_raw_files


def test_a_result_names_the_samples_beside_it_and_below_it(tmp_path: Path) -> None:
    (tmp_path / "arm64").mkdir()
    contents = {"samples.ndjson": b"{}\n", "arm64/samples.ndjson": b"{}\n{}\n"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "result.json").write_bytes(b"{}")

    document = with_raw_files(cpu_bound(), tmp_path)

    assert {file.name: (file.sha256, file.bytes) for file in document.raw_files} == {
        name: (hashlib.sha256(content).hexdigest(), len(content))
        for name, content in contents.items()
    }


def test_a_result_without_samples_names_none(tmp_path: Path) -> None:
    assert with_raw_files(cpu_bound(), tmp_path).raw_files == []
