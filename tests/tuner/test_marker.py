"""Descriptions that name a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.marker import (
    Marker,
    VersionMarker,
    marked_description,
    parse_marker,
    parse_version_marker,
    version_description,
)

RUN = "0123456789ab"


@given(
    st.integers(128, 10240), st.integers(128, 10240), st.text(max_size=256).filter(str.isprintable)
)
def test_a_marker_says_what_was_there_before(size: int, original: int, text: str) -> None:
    description = marked_description(RUN, size, original, text)
    marker = parse_marker(description)

    assert len(description) <= 256
    assert marker is not None
    assert (marker.run_id, marker.size_mb, marker.original_mb) == (RUN, size, original)
    assert text.startswith(marker.description)
    assert marker.full or marker.description == text


def test_a_short_description_is_kept_whole() -> None:
    assert parse_marker(marked_description(RUN, 512, 128, "resizes images")) == Marker(
        RUN, 512, 128, "resizes images", full=False
    )


def test_further_versions_of_a_size_have_marks_of_their_own_that_say_the_same() -> None:
    marks = [marked_description(RUN, 512, 128, "resizes", copy=copy) for copy in (1, 2, 3)]
    of_versions = [version_description(RUN, 512, 128, copy=copy) for copy in (1, 2, 3)]

    assert len({*marks, *of_versions}) == 6
    assert {parse_marker(mark) for mark in marks} == {parse_marker(marks[0])}
    assert {parse_version_marker(mark) for mark in of_versions} == {VersionMarker(RUN, 512, 128)}


@given(st.text(max_size=256))
def test_a_version_that_inherits_the_mark_of_latest_is_not_the_runs(text: str) -> None:
    assert parse_version_marker(marked_description(RUN, 512, 128, text)) is None
    assert parse_marker(version_description(RUN, 512, 128)) is None


@pytest.mark.parametrize(
    "description",
    [
        "",
        "resizes images",
        "tune-run x size=1 was=2 :: ",
        "my tune-run notes",
        f"tune-version of run {RUN} size=128",
        f"not a tune-version of run {RUN} size=128 was=256",
        f"tune-version of run {RUN} size=128 was=256 or so",
    ],
)
def test_a_users_own_description_is_no_marker(description: str) -> None:
    assert parse_marker(description) is None
    assert parse_version_marker(description) is None
