"""Descriptions that name a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.marker import Marker, marked_description, parse_marker

RUN = "0123456789ab"
CODE = "q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c="


@given(
    st.integers(128, 10240), st.integers(128, 10240), st.text(max_size=256).filter(str.isprintable)
)
def test_a_marker_says_what_was_there_before(size: int, original: int, text: str) -> None:
    description = marked_description(RUN, size, original, CODE, text)
    marker = parse_marker(description)

    assert len(description) <= 256
    assert marker is not None
    assert (marker.run_id, marker.size_mb, marker.original_mb) == (RUN, size, original)
    assert text.startswith(marker.description)
    assert marker.full or marker.description == text


def test_a_short_description_is_kept_whole() -> None:
    assert parse_marker(marked_description(RUN, 512, 128, CODE, "resizes images")) == Marker(
        RUN, 512, 128, CODE[:8], "resizes images", full=False
    )


def test_further_versions_of_a_size_have_marks_of_their_own_that_say_the_same() -> None:
    marks = [marked_description(RUN, 512, 128, CODE, "resizes", copy=copy) for copy in (1, 2, 3)]

    assert len(set(marks)) == 3
    assert {parse_marker(mark) for mark in marks} == {parse_marker(marks[0])}


@pytest.mark.parametrize(
    ("code", "same"), [(CODE, True), (CODE[::-1], False), ("", False)], ids=["same", "new", "none"]
)
def test_a_marker_tells_the_code_of_the_run_from_a_later_one(code: str, *, same: bool) -> None:
    marker = parse_marker(marked_description(RUN, 512, 128, CODE, "resizes images"))

    assert marker is not None
    assert marker.is_about(code) == same


@pytest.mark.parametrize(
    "description", ["", "resizes images", "tune-run x size=1 was=2 code=a :: ", "my tune-run notes"]
)
def test_a_users_own_description_is_no_marker(description: str) -> None:
    assert parse_marker(description) is None
