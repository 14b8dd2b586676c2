"""A job's summary is shown whole or cut at whole parts, and never too large to be shown at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from reports.nightly.step_summary import MOST_BYTES, append_summary, within

DETAILS = "<details><summary>more</summary>\n\n| a |\n|---|\n| 1 |\n\n</details>"
FENCED = "```\nfirst\n\nsecond\n```"


@pytest.mark.parametrize(
    ("markdown", "most_bytes", "kept"),
    [
        pytest.param("one\n\ntwo\n", 100, "one\n\ntwo\n", id="all of it"),
        pytest.param(
            "one\n\ntwo\n\nthree\n", 12,
            "one\n\ntwo\n\n_Cut here: 1 of 3 parts are too much for a summary._\n", id="cut",
        ),
        pytest.param(
            f"one\n\n{DETAILS}\n", 40,
            "one\n\n_Cut here: 1 of 2 parts are too much for a summary._\n", id="no half details",
        ),
        pytest.param(
            f"one\n\n{FENCED}\n", 20,
            "one\n\n_Cut here: 1 of 2 parts are too much for a summary._\n", id="no half fence",
        ),
        pytest.param(
            "much too long", 5, "_Cut here: 1 of 1 parts are too much for a summary._\n",
            id="nothing fits",
        ),
        pytest.param(
            "one\n\ntwo", -7, "_Cut here: 2 of 2 parts are too much for a summary._\n",
            id="no room",
        ),
        pytest.param("äöü\n\nx", 9, "äöü\n\nx", id="bytes and not letters"),
        pytest.param("", 0, "", id="nothing"),
    ],
)  # fmt: skip
def test_what_is_kept(markdown: str, most_bytes: int, kept: str) -> None:
    assert within(markdown, most_bytes) == kept


@given(st.text(), st.integers(0, 200))
def test_what_is_kept_fits_whatever_the_text_is(markdown: str, most_bytes: int) -> None:
    kept = within(markdown, most_bytes)
    line = kept.rsplit("_Cut here:", 1)[0] if kept != markdown else kept

    assert len(line.encode("utf-8", errors="replace")) <= max(most_bytes, 0)


def test_it_is_added_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("before", encoding="utf-8")

    assert append_summary(path, "# Nächte\n") is None
    assert path.read_text(encoding="utf-8") == "before\n# Nächte\n"


def test_a_file_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    append_summary(tmp_path / "summary", "# Night\n")

    assert (tmp_path / "summary").read_text(encoding="utf-8") == "# Night\n"


@pytest.mark.parametrize("before", [0, 500_000, MOST_BYTES - 5_000, MOST_BYTES - 10, MOST_BYTES])
def test_the_file_stays_below_the_limit(tmp_path: Path, before: int) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"." * before)

    note = append_summary(path, "word word\n\n" * 120_000)

    assert note is not None
    assert note.startswith("the summary of the job is full")
    assert path.stat().st_size < MOST_BYTES or path.stat().st_size == before


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"could not write .*: Is a directory"):
        append_summary(tmp_path, "x")
