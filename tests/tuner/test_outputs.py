"""What the function answers is kept whole, by nobody else to be read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.errors import ToolError
from tests.tuner.factories import sample
from tuner.outputs import OUTPUTS_FILE, OutputFile, output_file


def test_each_answer_is_a_line_that_only_its_owner_reads(tmp_path: Path) -> None:
    with OutputFile(tmp_path) as file:
        file.keep(sample(512, payload="large"), '{"ü": 1}\n'.encode())
        file.keep(sample(128), b"\xff\x00")

    path = tmp_path / OUTPUTS_FILE
    first, second = [json.loads(line) for line in path.read_text().splitlines()]
    assert path.stat().st_mode & 0o777 == 0o600
    assert (first["memory_mb"], first["payload"], first["output"]) == (512, "large", '{"ü": 1}\n')
    assert second["output_base64"] == "/wA="


def test_nothing_is_kept_where_nobody_asks(tmp_path: Path) -> None:
    with output_file(tmp_path, keeps=False) as file:
        assert file is None

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ToolError, match="could not keep the outputs: No such file"),
        OutputFile(tmp_path / "gone"),
    ):
        pass


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = os.write
    with OutputFile(tmp_path) as file:
        file.keep(sample(), b"{}")
        monkeypatch.setattr(
            "tuner.outputs.os.write", lambda number, line: written(number, line[:5])
        )
        with pytest.raises(ToolError, match="No space left"):
            file.keep(sample(), b"{}")

    assert len((tmp_path / OUTPUTS_FILE).read_text().splitlines()) == 1
