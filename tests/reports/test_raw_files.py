"""Files of measurements by name, length and SHA-256."""

from __future__ import annotations

import hashlib

import pytest
from pydantic import ValidationError

from reports.raw_files import RawFile, file_facts, raw_files


def test_files_of_a_folder_are_told_in_the_order_asked_for(tmp_path):
    (tmp_path / "b.ndjson").write_bytes(b"{}\n")
    (tmp_path / "a.ndjson").write_bytes(b"")

    found = raw_files(tmp_path, ["b.ndjson", "a.ndjson"])

    assert found == [
        RawFile(name="b.ndjson", sha256=hashlib.sha256(b"{}\n").hexdigest(), bytes=3),
        RawFile(name="a.ndjson", sha256=hashlib.sha256(b"").hexdigest(), bytes=0),
    ]
    digest = found[0].sha256
    assert file_facts(found)[0] == ("Raw data", f"b.ndjson, 3 bytes, SHA-256 {digest}")


def test_what_is_not_there_or_is_no_file_is_left_out(tmp_path):
    (tmp_path / "folder").mkdir()
    assert raw_files(tmp_path, ["folder", "nothing.ndjson"]) == []


@pytest.mark.parametrize("digest", ["", "0" * 63, "g" * 64], ids=["none", "short", "no hex"])
def test_a_digest_is_sixty_four_hexadecimal_digits(digest):
    with pytest.raises(ValidationError):
        RawFile(name="a", sha256=digest, bytes=1)
